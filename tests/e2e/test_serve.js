// SPDX-License-Identifier: MIT
//
// The server as a program: where it listens, where its settings come from, what it logs, and what
// happens when descriptors run out.
'use strict';

const assert = require('node:assert');
const http = require('node:http');
const api = require('./lib/api');
const { Tcp } = require('./lib/tcp');
const { RawClient } = require('./lib/clients');
const { APP } = require('./lib/server');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };

test('the ready line says where everything is', BOTH, async (t) => {
  const server = await t.server();
  const { host, port, admin, workers, pid, listen } = server.ready;
  assert.strictEqual(host, '127.0.0.1');
  assert.ok(Number(port) > 0);
  assert.match(admin, /^127\.0\.0\.1:\d+$/);
  assert.strictEqual(workers, String(t.workers));
  assert.strictEqual(Number(pid), server.child.pid);
  assert.strictEqual(listen, `127.0.0.1:${port}`);
  const live = await server.admin('/live');
  assert.strictEqual(live.pid, server.child.pid);
  assert.strictEqual((await server.admin('/ready')).ready, true);
});

// GET over a Unix socket.
function getUnix(socketPath, path) {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
}

test('Unix socket and TCP at once; channels are shared', { ...BOTH, quick: true }, async (t) => {
  const server = await t.server({ listen: '127.0.0.1:0,unix:peal.sock' });
  assert.match(server.ready.listen, /^127\.0\.0\.1:\d+,unix:/);
  const socketPath = `${server.folder}/peal.sock`;
  const url = `ws+unix://${socketPath}:/app/${APP.key}?protocol=7`;
  const clients = [await t.raw(server, { url }), await t.raw(server)];
  for (const client of clients) await client.subscribe('private-a');
  await api.publish(server, 'private-a', 'x');
  for (const client of clients) await client.event('x');
  assert.strictEqual(await getUnix(socketPath, '/up'), 200);
  for (let n = 0; n < 20; n++) await t.raw(server, { url });
  await server.hasConnections(22);
});

test('a Unix socket alone: host=unix:/path port=0', async (t) => {
  const server = await t.server({ listen: 'unix:peal.sock' });
  assert.match(server.ready.host, /^unix:.*peal\.sock$/);
  assert.strictEqual(server.ready.port, '0');
  assert.strictEqual(await getUnix(`${server.folder}/peal.sock`, '/up'), 200);
});

test('IPv6', BOTH, async (t) => {
  const server = await t.server({ listen: '[::1]:0' }).catch((error) => {
    if (/not available|EADDRNOTAVAIL|cannot assign/i.test(error.message)) t.skip('no IPv6 here');
    throw error;
  });
  const port = Number(/\[::1\]:(\d+)/.exec(server.ready.listen)[1]);
  const client = await RawClient.open(server, { url: `ws://[::1]:${port}/app/${APP.key}` });
  await client.ping();
  await client.close();
});

const SOURCES = {
  'PUSHER_APP_* in .env': {
    files: {
      '.env': [
        `PUSHER_APP_ID=${APP.id}`,
        `PUSHER_APP_KEY="${APP.key}" # a comment`,
        `export PUSHER_APP_SECRET='${APP.secret}'`,
      ].join('\n'),
    },
  },
  'REVERB_APP_* in the environment': {
    env: { REVERB_APP_ID: APP.id, REVERB_APP_KEY: APP.key, REVERB_APP_SECRET: APP.secret },
  },
  'SOKETI_DEFAULT_APP_* in the environment': {
    env: {
      SOKETI_DEFAULT_APP_ID: APP.id,
      SOKETI_DEFAULT_APP_KEY: APP.key,
      SOKETI_DEFAULT_APP_SECRET: APP.secret,
    },
  },
  'peal.yaml': {
    files: {
      'peal.yaml': `apps:\n  - id: ${APP.id}\n    key: ${APP.key}\n    secret: ${APP.secret}\n`,
    },
  },
  'a file named by --app @FILE': {
    files: { app: `${APP.id}:${APP.key}:${APP.secret}\n` },
    args: ['--app', '@app'],
  },
};

for (const [what, source] of Object.entries(SOURCES)) {
  test(`the app comes from ${what}`, async (t) => {
    const server = await t.server({ ...source, apps: [], secrets: [APP.secret] });
    const client = await t.raw(server, { key: APP.key, app: APP });
    await client.subscribe('private-a');
    await api.publish(server, 'private-a', 'x', '1', {}, { app: APP });
    await client.event('x');
  });
}

test('flags win over environment, .env and YAML', async (t) => {
  const server = await t.server({
    files: {
      'peal.yaml': 'app_defaults:\n  activity_timeout_s: 11\n  limits:\n    channel_name: 31\n',
      '.env': 'PEAL_APP_DEFAULTS_ACTIVITY_TIMEOUT_S=12\n',
    },
    set: { 'apps.app-id.activity_timeout_s': 13 },
  });
  const client = await t.raw(server);
  assert.strictEqual(client.established.json.activity_timeout, 13);
  await client.subscribe('x'.repeat(31));
  await client.subscribeRefused('x'.repeat(32));
});

test(
  '--log-format json: each line is JSON; debug shows no secret',
  { ...BOTH, quick: true },
  async (t) => {
    const server = await t.server({ args: ['--log-format', 'json', '--log-level', 'debug'] });
    const client = await t.raw(server);
    await client.subscribe('private-a');
    client.sendSubscribe('private-a', { auth: 'app-key:00' });
    await client.event('pusher:error');
    client.sendSignin({ id: '1' }, { auth: 'app-key:00' });
    await client.event('pusher:error');
    const wrong = { app: { ...server.app, secret: 'wrong-secret-8' } };
    assert.strictEqual((await api.call(server, 'GET', '/channels', wrong)).status, 401);
    await api.publish(server, 'private-a', 'x', '"payload-4711"');
    await client.event('x');
    const tcp = await Tcp.open(server);
    tcp.write('garbage \u001b[31m\n\r\n\r\n');
    await tcp.closed();
    await client.close();
    await server.stop();
    const lines = server.stderr.trimEnd().split('\n');
    for (const line of lines) assert.strictEqual(typeof JSON.parse(line), 'object', line);
    assert.ok(lines.length > 5);
    assert.ok(!server.stderr.includes('\u001b'));
  },
);

test('a wrong signature is explained with --dev: the string, not the secret', async (t) => {
  const server = await t.server({ args: ['--dev'] });
  const wrong = { app: { ...server.app, secret: 'wrong-secret-8' } };
  const { text } = await api.call(server, 'GET', '/channels', wrong);
  assert.match(text, /GET\\n\/apps\/app-id\/channels\\nauth_key=app-key/);
});

test(
  'descriptors run out: sockets get 4100, publishing goes on',
  { workers: [1, 2, 4], ms: 60_000 },
  async (t) => {
    const server = await t.server({ nofile: 160, set: { 'limits.reserved_descriptors': 40 } });
    const first = await t.raw(server);
    await first.subscribe('a');
    const held = [];
    let refused;
    while (!refused && held.length < 300) {
      const client = t.rawUnsure(server);
      held.push(client);
      const frame = await client.take(() => true, 'first frame');
      if (frame.event === 'pusher:error') refused = frame;
    }
    assert.strictEqual(refused?.data.code, 4100, `${held.length} sockets and none refused`);
    assert.ok(held.length > 50, `refused after ${held.length}`);
    // A flood of connections that say nothing must not lock the publisher out, either.
    const silent = [];
    for (let n = 0; n < 100; n++) {
      const tcp = await Tcp.open(server).catch(() => null);
      if (tcp) silent.push(tcp);
      if (n % 10 === 0) await api.publish(server, 'a', 'x', String(n));
    }
    t.defer(() => silent.forEach((tcp) => tcp.socket.destroy()));
    for (let n = 0; n < 10; n++) await first.event('x');
    assert.strictEqual((await server.admin('/ready')).ready, true);
    for (const client of held) client.destroy();
    for (const tcp of silent) tcp.socket.destroy();
    await poll(async () => (await server.connections()).length === 1, 'end of the flood');
    await t.raw(server);
  },
);
