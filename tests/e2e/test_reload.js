// SPDX-License-Identifier: MIT
//
// Reload (SIGHUP): new settings for a running server, all or nothing, and nobody notices whom they
// do not concern.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const api = require('./lib/api');
const { HASH } = require('./lib/login');
const { pause, poll } = require('./lib/wait');
const { test } = require('./lib/suite');
const { token } = require('./lib/watch');

const BOTH = { workers: [1, 2] };
const SHOP = { id: 'shop', key: 'shop-key', secret: 'shop-secret-4f' };
const CHAT = { id: 'chat', key: 'chat-key', secret: 'chat-secret-9a' };
const NEWS = { id: 'news', key: 'news-key', secret: 'news-secret-1c' };

function yaml(apps, rest = '') {
  const entry = ({ id, key, secret, secrets, more = '' }) =>
    `  - { id: ${id}, key: ${key}, secrets: [${(secrets ?? [secret]).join(', ')}]${more} }\n`;
  return `apps:\n${apps.map(entry).join('')}${rest}`;
}

function start(t, apps, rest, options = {}) {
  const secrets = [SHOP, CHAT, NEWS].map((app) => app.secret);
  return t.server({ apps: [], app: apps[0], config: yaml(apps, rest), secrets, ...options });
}

const count = (text, pattern) => text.split(pattern).length - 1;

// Writes the configuration, sends SIGHUP and waits for what the server says to it.
async function reload(server, config, pattern = 'server reloaded') {
  const before = count(server.stderr, pattern);
  fs.writeFileSync(path.join(server.folder, 'e2e.yaml'), config);
  server.signal('SIGHUP');
  await poll(() => count(server.stderr, pattern) > before, `"${pattern}" in the log`);
}

const reloadRefused = (server, config) => reload(server, config, 'reload refused');

// Clients of an app on each worker that must not notice anything: publishes without a pause, and in
// the end nobody was closed and nobody missed a number.
async function bystanders(t, server, app) {
  const clients = await t.rawOnEach(server, { key: app.key, app });
  for (const client of clients) {
    await client.subscribe('a');
    await client.subscribe('private-a');
    await client.subscribe('presence-a', { user: { user_id: '1' } });
  }
  const state = { stop: false, n: 0 };
  const run = async () => {
    while (!state.stop) {
      const channel = ['a', 'private-a', 'presence-a'][state.n % 3];
      await api.publish(server, channel, 'n', String(state.n++), {}, { app });
    }
  };
  const done = run();
  done.catch(() => {});
  t.defer(() => (state.stop = true));
  return async () => {
    state.stop = true;
    await done;
    for (const client of clients) {
      await client.ping();
      const numbers = client.frames.all.filter((frame) => frame.event === 'n');
      assert.deepStrictEqual(
        numbers.map((frame) => Number(frame.data)),
        Array.from({ length: state.n }, (_, i) => i),
      );
    }
    assert.ok(state.n > 0);
  };
}

test('an app is added, and serves', { ...BOTH, quick: true }, async (t) => {
  const server = await start(t, [SHOP]);
  const undisturbed = await bystanders(t, server, SHOP);
  assert.strictEqual((await t.rawUnsure(server, { key: CHAT.key }).closed()).code, 4001);
  assert.strictEqual((await api.call(server, 'GET', '/channels', { app: CHAT })).status, 404);
  await reload(server, yaml([SHOP, CHAT]));
  for (const client of await t.rawOnEach(server, { key: CHAT.key, app: CHAT })) {
    await client.subscribe('private-x');
  }
  await api.publish(server, 'private-x', 'y', '{}', {}, { app: CHAT });
  await undisturbed();
});

test('a removed app: 4001, and nothing of it is left', { ...BOTH, quick: true }, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const clients = await t.rawOnEach(server, { key: CHAT.key, app: CHAT });
  for (const client of clients) {
    await client.subscribe('presence-a', { user: { user_id: '1' } });
    await client.subscribe('cache-a');
  }
  await api.publish(server, 'cache-a', 'old', '"x"', {}, { app: CHAT });
  await reload(server, yaml([SHOP]));
  for (const client of clients) {
    assert.strictEqual((await client.event('pusher:error')).data.code, 4001);
    assert.strictEqual((await client.closed()).code, 4001);
  }
  assert.strictEqual((await t.rawUnsure(server, { key: CHAT.key }).closed()).code, 4001);
  assert.strictEqual((await api.call(server, 'GET', '/channels', { app: CHAT })).status, 404);
  // When it comes back it is a new one: no cached event, no member.
  await reload(server, yaml([SHOP, CHAT]));
  const again = await t.raw(server, { key: CHAT.key, app: CHAT });
  await again.subscribe('cache-a');
  await again.event('pusher:cache_miss', 'cache-a');
  const { presence } = await again.subscribe('presence-a', { user: { user_id: '2' } });
  assert.deepStrictEqual(presence.ids, ['2']);
  assert.strictEqual((await server.connections(CHAT.id)).length, 1);
  await undisturbed();
});

test('a disabled app: 4003; enabled again it serves', BOTH, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const clients = await t.rawOnEach(server, { key: CHAT.key, app: CHAT });
  await reload(server, yaml([SHOP, { ...CHAT, more: ', enabled: false' }]));
  for (const client of clients) assert.strictEqual((await client.closed()).code, 4003);
  assert.strictEqual((await t.rawUnsure(server, { key: CHAT.key }).closed()).code, 4003);
  assert.strictEqual((await api.call(server, 'GET', '/channels', { app: CHAT })).status, 403);
  await reload(server, yaml([SHOP, CHAT]));
  await t.rawOnEach(server, { key: CHAT.key, app: CHAT });
  await undisturbed();
});

test('a changed key: 4100 for those who came with the old one', BOTH, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const clients = await t.rawOnEach(server, { key: CHAT.key, app: CHAT });
  const next = { ...CHAT, key: 'chat-key-2' };
  await reload(server, yaml([SHOP, next]));
  for (const client of clients) assert.strictEqual((await client.closed()).code, 4100);
  assert.strictEqual((await t.rawUnsure(server, { key: CHAT.key }).closed()).code, 4001);
  const client = await t.raw(server, { key: next.key, app: next });
  await client.subscribe('private-a');
  await api.publish(server, 'private-a', 'x', '{}', {}, { app: next });
  await client.event('x', 'private-a');
  await undisturbed();
});

test('two apps exchange their keys', async (t) => {
  const server = await start(t, [SHOP, CHAT], '', { workers: 2 });
  const client = await t.raw(server, { key: CHAT.key, app: CHAT });
  const swapped = [
    { ...SHOP, key: CHAT.key },
    { ...CHAT, key: SHOP.key },
  ];
  await reload(server, yaml(swapped));
  assert.strictEqual((await client.closed()).code, 4100);
  await t.raw(server, { key: CHAT.key, app: swapped[0] });
  assert.strictEqual((await server.connections(SHOP.id)).length, 1);
});

test('a secret is rotated and nobody notices', { ...BOTH, quick: true }, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const clients = await t.rawOnEach(server, { key: CHAT.key, app: CHAT });
  for (const client of clients) await client.subscribe('private-a');
  const next = { ...CHAT, secret: NEWS.secret };
  await reload(server, yaml([SHOP, { ...CHAT, secrets: [next.secret, CHAT.secret] }]));
  for (const app of [CHAT, next]) {
    await api.publish(server, 'private-a', 'x', '{}', {}, { app });
    for (const client of clients) await client.event('x', 'private-a');
  }
  await reload(server, yaml([SHOP, next]));
  await api.publish(server, 'private-a', 'last', '{}', {}, { app: next });
  for (const client of clients) await client.event('last', 'private-a');
  assert.strictEqual((await api.call(server, 'GET', '/channels', { app: CHAT })).status, 401);
  clients[0].app = next;
  await clients[0].subscribe('private-b');
  await undisturbed();
});

test('who watches with a token of a secret that goes has to show a good one', BOTH, async (t) => {
  const rest = `dashboard: { expose: true, password_hash: "${HASH}" }\n`;
  const server = await start(t, [SHOP, CHAT], rest);
  const paths = [SHOP, CHAT].map((app) => `/app/peal-internal?token=${token(app)}&protocol=7`);
  const [shop, chat] = paths.map((one) => t.rawUnsure(server, { path: one }));
  for (const client of [shop, chat]) await client.event('pusher:connection_established');
  await reload(server, yaml([SHOP, { ...CHAT, secret: NEWS.secret }], rest));
  assert.strictEqual((await chat.closed()).code, 4200, 'come again');
  assert.strictEqual((await t.rawUnsure(server, { path: paths[1] }).closed()).code, 4009);
  await shop.ping();
});

test('limits and timeouts count from then on', async (t) => {
  const server = await start(t, [SHOP]);
  const client = await t.raw(server);
  await reload(
    server,
    yaml(
      [{ ...SHOP, more: ', limits: { message_bytes: 50, connections: 1 }, ping_interval_s: 30' }],
      'auth_timestamp_window_s: 0\nhandshake_timeout_ms: 200\n',
    ),
  );
  const body = { name: 'x', channel: 'a', data: 'x'.repeat(60) };
  assert.strictEqual((await api.call(server, 'POST', '/events', { body })).status, 413);
  await api.ok(server, 'GET', '/channels', { auth: { auth_timestamp: '1000' } });
  assert.strictEqual((await t.rawUnsure(server).closed()).code, 4100);
  await client.ping();
});

test('a shorter ping interval concerns those who are connected', { ms: 20_000 }, async (t) => {
  const server = await start(t, [SHOP]);
  const client = await t.raw(server);
  const more = ', activity_timeout_s: 1, ping_interval_s: 1, pong_timeout_s: 30';
  await reload(server, yaml([{ ...SHOP, more }]));
  await poll(() => client.pings.length > 0, 'a ping');
});

test('what is wrong changes nothing and is explained', { ...BOTH, quick: true }, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const wrong = [
    ['listn: 1\n', /did you mean 'listen'/],
    [yaml([{ ...SHOP, more: ', limits: { connections: many }' }]), /limits.connections/],
    [yaml([SHOP, { ...CHAT, key: SHOP.key }]), /same key/],
    ['apps: []\n', /no app is configured/],
  ];
  for (const [text, why] of wrong) {
    await reloadRefused(server, text);
    assert.match(server.stderr.slice(server.stderr.lastIndexOf('reload refused')), why);
  }
  await t.raw(server, { key: CHAT.key, app: CHAT });
  await undisturbed();
});

test('what needs a restart is named and stays as it was', async (t) => {
  const server = await start(t, [SHOP], 'log: { level: info }\n');
  const client = await t.raw(server);
  await reload(server, yaml([SHOP], 'path_prefix: /ws\nlimits: { reserved_descriptors: 100 }\n'));
  assert.match(server.stderr, /options need a restart.*path_prefix limits.reserved_descriptors/);
  await t.raw(server);
  await client.ping();
});

test('the log level changes', async (t) => {
  const server = await start(t, [SHOP]);
  await reload(server, yaml([SHOP], 'log: { level: debug }\n'));
  await api.publish(server, 'a', 'x');
  await poll(() => /debug api/.test(server.stderr), 'a debug line');
});

test('a request whose app goes while its body is on the way is refused', async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const { Tcp } = require('./lib/tcp');
  const body = JSON.stringify({ name: 'x', channel: 'cache-a', data: 'x'.repeat(500) });
  const query = api.encode(api.signedQuery(CHAT, 'POST', '/apps/chat/events', { body }));
  const tcp = await Tcp.open(server);
  t.defer(() => tcp.socket.destroy());
  tcp.write(
    `POST /apps/chat/events?${query} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
  await poll(() => tcp.bytes.includes('100 Continue'), 'the interim answer');
  await reload(server, yaml([SHOP]));
  tcp.write(body);
  await poll(() => /HTTP\/1.1 404/.test(tcp.bytes.toString()), 'the refusal');
});

test('many reloads under load', { ...BOTH, ms: 60_000 }, async (t) => {
  const server = await start(t, [SHOP, CHAT]);
  const undisturbed = await bystanders(t, server, SHOP);
  const churn = { stop: false };
  // Clients of the app that comes and goes: whatever they are told is fine, as long as they are.
  const visit = async () => {
    while (!churn.stop) {
      const client = t.rawUnsure(server, { key: CHAT.key, app: CHAT });
      const first = await client.take(() => true, 'first frame').catch((error) => ({ error }));
      if (first.error && !churn.stop) throw first.error;
      client.destroy();
      await pause(2);
    }
  };
  const visitors = Promise.all([visit(), visit()]);
  visitors.catch(() => {});
  t.defer(() => (churn.stop = true));
  for (let i = 0; i < (t.quick ? 10 : 40); i++) {
    const chat = [[], [CHAT], [{ ...CHAT, more: ', enabled: false' }]][i % 3];
    await reload(server, yaml([SHOP, ...chat], `drain_ms: ${i}\n`));
    await pause(60); // the log shows 20 lines of a kind in a second
  }
  churn.stop = true;
  await visitors;
  await undisturbed();
});
