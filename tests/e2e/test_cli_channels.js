// SPDX-License-Identifier: MIT
//
// peal channels, peal users, and peal trigger --batch.
'use strict';

const assert = require('node:assert');
const net = require('node:net');
const api = require('./lib/api');
const { test } = require('./lib/suite');

const EX = { OK: 0, USAGE: 64, DATAERR: 65, UNAVAILABLE: 69, NOPERM: 77, CONFIG: 78 };

const run = (t, args, options) => t.command(args, options).ended();

const next = (client, pattern) =>
  client.take(({ event }) => pattern.test(event), `event ${pattern}`);

const target = (server, secret = server.app.secret) => [
  '--host',
  server.host,
  '--port',
  String(server.port),
  '--app',
  `${server.app.id}:${server.app.key}:${secret}`,
];

test('channels: what is there, for people and for programs', { workers: [1, 2] }, async (t) => {
  const server = await t.server();
  const list = async (...args) => {
    const got = await run(t, ['channels', ...target(server), ...args]);
    assert.strictEqual(got.code, EX.OK, got.stderr);
    return got.stdout;
  };
  assert.strictEqual(await list(), '');
  assert.strictEqual(await list('--json'), '{"channels":{}}\n');
  const [a, b] = [await t.raw(server), await t.raw(server)];
  for (const client of [a, b]) await client.subscribe('orders');
  await a.subscribe('presence-room', { user: { user_id: '7' } });
  await b.subscribe('presence-room', { user: { user_id: '7' } });
  assert.strictEqual(
    await list(),
    'orders         2 subscriptions\npresence-room  2 subscriptions  1 user\n',
  );
  assert.strictEqual(
    await list('--prefix', 'presence-'),
    'presence-room  2 subscriptions  1 user\n',
  );
  assert.strictEqual(
    await list('--prefix', 'presence-', '--info', 'subscription_count'),
    'presence-room  2 subscriptions\n',
  );
  const { channels } = JSON.parse(await list('--json'));
  assert.deepStrictEqual(Object.keys(channels), ['orders', 'presence-room']);
  assert.strictEqual(channels['presence-room'].user_count, 1);
});

test('users: who is on a presence channel', { quick: true }, async (t) => {
  const server = await t.server();
  const name = 'presence-a=b@c,d.e;f';
  const list = async (...args) => {
    const got = await run(t, ['users', name, ...target(server), ...args]);
    assert.strictEqual(got.code, EX.OK, got.stderr);
    return got.stdout;
  };
  assert.strictEqual(await list(), '');
  for (const id of ['7', '42']) {
    const client = await t.raw(server);
    await client.subscribe(name, { user: { user_id: id, user_info: { name: `é${id}` } } });
  }
  assert.deepStrictEqual((await list()).split('\n').sort(), ['', '42', '7']);
  assert.deepStrictEqual((await list('--info')).split('\n').sort(), [
    '',
    '42  {"name":"é42"}',
    '7  {"name":"é7"}',
  ]);
  const { users } = JSON.parse(await list('--json', '--info'));
  assert.deepStrictEqual(users.map(({ id }) => id).sort(), ['42', '7']);
  assert.deepStrictEqual(users.find(({ id }) => id === '7').user_info, { name: 'é7' });
});

test('channels and users: what is refused', async (t) => {
  const server = await t.server();
  const fails = async (args, code, word) => {
    const got = await run(t, args);
    assert.strictEqual(got.code, code, got.stderr);
    assert.match(got.stderr, word);
    assert.strictEqual(got.stdout, '');
  };
  await fails(['channels', ...target(server, 'wrong-secret-9')], EX.NOPERM, /401/);
  await fails(['users', 'orders', ...target(server)], EX.DATAERR, /400.*presence/);
  await fails(['users', ...target(server)], EX.USAGE, /CHANNEL/);
  await fails(['users', '', ...target(server)], EX.USAGE, /CHANNEL/);
  await fails(['users', 'a', 'b', ...target(server)], EX.USAGE, /one CHANNEL/);
  await fails(['channels', 'a', ...target(server)], EX.USAGE, /--prefix/);
  await server.stop();
  await fails(['channels', ...target(server)], EX.UNAVAILABLE, new RegExp(server.port));
});

test('TLS where there is none, none where there is, an app that is not here', async (t) => {
  const server = await t.server();
  const mute = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end()); // as a TLS server does who is greeted with HTTP
  });
  await new Promise((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.defer(() => mute.close());
  const at = ['--host', '127.0.0.1', '--port', String(mute.address().port), '--app', 'a:b:c'];
  const wrong = async (args, code, word) => {
    const got = await run(t, args);
    assert.deepStrictEqual([got.code, got.stdout], [code, ''], got.stderr);
    assert.match(got.stderr, word);
  };
  await wrong(['channels', ...target(server), '--tls'], EX.UNAVAILABLE, /leave out --tls/);
  await wrong(['listen', 'a', ...target(server), '--tls'], EX.UNAVAILABLE, /leave out --tls/);
  await wrong(['channels', ...at], EX.UNAVAILABLE, /; if this port wants TLS, use --tls/);
  await wrong(['listen', 'a', ...at], EX.UNAVAILABLE, /; if this port wants TLS, use --tls/);
  await wrong(
    ['channels', '--app', 'shop'],
    EX.CONFIG,
    /no app 'shop' is configured here; --app takes ID:KEY:SECRET, @FILE/,
  );
});

test('trigger --batch: lines of JSON, in requests of some', { quick: true }, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const lines = Array.from({ length: 25 }, (_, i) =>
    JSON.stringify({ channel: 'orders', name: `e${i}`, data: { i } }),
  );
  lines.splice(3, 0, '', '  \r');
  lines.push(
    JSON.stringify({ channel: 'orders', event: 'mine', data: 'text', socket_id: client.socketId }),
  );
  lines.push('{"channel":"orders","event":"last","data":1.0}');
  const batch = (input, ...args) =>
    run(t, ['trigger', '--batch', ...target(server), ...args], { input });
  const got = await batch(lines.join('\n'));
  assert.strictEqual(got.code, EX.OK, got.stderr);
  assert.strictEqual(got.stdout, '27 events in 3 requests\n');
  assert.strictEqual(got.stderr, ''); // progress is for terminals
  for (let i = 0; i < 25; i += 1) {
    const { event, data } = await next(client, /^e\d+$/);
    assert.deepStrictEqual([event, data], [`e${i}`, `{"i":${i}}`]);
  }
  assert.strictEqual((await next(client, /^(mine|last)$/)).data, '1.0');
  const one = await batch(lines.slice(0, 3).join('\n'), '--batch-size', '1', '--json');
  assert.deepStrictEqual(JSON.parse(one.stdout), { events: 3, requests: 3, ok: true });
  assert.strictEqual((await batch('')).stdout, '0 events in 0 requests\n');
});

test('trigger --batch: a wrong line, and nothing of its request is sent', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const event = (name, channel = 'orders') => JSON.stringify({ channel, name });
  const batch = async (lines, code, ...args) => {
    const input = lines.map((line) => `${line}\n`).join('');
    const got = await run(
      t,
      ['trigger', '--batch', '--batch-size', '2', ...target(server), ...args],
      { input },
    );
    assert.strictEqual(got.code, code, got.stderr);
    return got;
  };
  const slip = await batch(
    [event('a1'), event('a2'), event('a3'), '{"chanel":"orders"}'],
    EX.DATAERR,
  );
  assert.match(
    slip.stderr,
    /line 4 .*"chanel".*did you mean "channel".*2 events before line 3.*tail -n \+3/,
  );
  const refused = await batch(
    [event('b1'), event('b2'), event('b3', 'not allowed'), event('b4')],
    EX.DATAERR,
    '--json',
  );
  assert.match(refused.stderr, /lines 3 to 4: the server answered 400: .*not allowed/);
  assert.deepStrictEqual(JSON.parse(refused.stdout), {
    events: 2,
    requests: 1,
    ok: false,
    go_on_with_line: 3,
  });
  const first = await batch(['nonsense'], EX.DATAERR);
  assert.match(first.stderr, /line 1 is not JSON.*nothing was sent/);
  await api.publish(server, 'orders', 'end');
  const seen = [];
  for (let name = ''; name !== 'end'; seen.push(name))
    name = (await next(client, /^([ab]\d|end)$/)).event;
  assert.deepStrictEqual(seen, ['a1', 'a2', 'b1', 'b2', 'end']);
  const usage = async (args, word) => {
    const got = await run(t, ['trigger', ...args, ...target(server)]);
    assert.strictEqual(got.code, EX.USAGE);
    assert.match(got.stderr, word);
  };
  await usage(['--batch', 'orders', 'x'], /stdin/);
  await usage(['--batch', '--socket-id', '1.2'], /stdin/);
  await usage(['--batch-size', '3', 'orders', 'x', '1'], /--batch/);
  await usage(['--batch', '--batch-size', '0'], /--batch-size/);
});

test('trigger --batch: as many events in a request as the app here allows', async (t) => {
  const server = await t.server({ args: ['--set', 'app_defaults.limits.batch=3'] });
  const { id, key, secret } = server.app;
  const yaml = `apps: [{id: ${id}, key: ${key}, secret: ${secret}, limits: {batch: 3}}]\n`;
  const place = ['--host', server.host, '--port', String(server.port)];
  const input = '{"channel":"a","name":"x"}\n'.repeat(7);
  const got = await run(t, ['trigger', '--batch', ...place], {
    input,
    files: { 'peal.yaml': yaml },
  });
  assert.strictEqual(got.stdout, '7 events in 3 requests\n', got.stderr);
});
