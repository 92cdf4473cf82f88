// SPDX-License-Identifier: MIT
//
// peal trace: what became of the last events, and why, in the terminal.
'use strict';

const assert = require('node:assert');
const net = require('node:net');
const api = require('./lib/api');
const { test } = require('./lib/suite');
const { pause } = require('./lib/wait');

const EX = { OK: 0, USAGE: 64, UNAVAILABLE: 69, PROTOCOL: 76, NOPERM: 77 };
const CLOCK = /^\d\d:\d\d:\d\d\.\d{3} /;

const admin = (server) => ['--admin', `${server.adminHost}:${server.adminPort}`];
const trace = (t, server, ...args) => t.command(['trace', ...admin(server), ...args]);
const run = async (t, server, ...args) => {
  const got = await trace(t, server, ...args).ended();
  assert.strictEqual(got.code, EX.OK, got.stderr);
  return got.stdout;
};

test('what happened and why, oldest first', { workers: [1, 2], quick: true }, async (t) => {
  const server = await t.server();
  assert.strictEqual(await run(t, server), '');
  const client = await t.raw(server);
  await client.subscribe('private-orders.7');
  await api.publish(server, 'orders.7', 'paid', '{"id":7}');
  await pause(5); // of two workers' facts in the same millisecond none is the older one
  await api.publish(server, 'private-orders.7', 'paid', '{"id":7}');
  await client.event('paid');
  const lines = (await run(t, server)).trimEnd().split('\n');
  assert.match(lines[0], CLOCK);
  assert.match(lines[0], / app-id orders\.7 paid \(api, \d+ bytes, \d+-\d+\)$/);
  assert.strictEqual(lines[1], '  Nobody was subscribed to orders.7.');
  assert.match(lines[2], /^ {2}- private-orders\.7 has 1 subscription: /);
  const second = lines.findIndex((line) => / private-orders\.7 paid /.test(line) && CLOCK.test(line));
  assert.strictEqual(lines[second + 1], '  Delivered to 1 of 1 subscription.');
  assert.ok(!(await run(t, server)).includes('"id"'), 'payloads are not kept');
});

test('filters, and JSON for programs', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  for (const [channel, name] of [['a', 'one'], ['a', 'App\\Events\\Two'], ['b', 'one']])
    await api.publish(server, channel, name, '{}', { socket_id: client.socketId });
  await api.ok(server, 'POST', '/users/7/events', { body: { name: 'mine', data: '{}' } });
  const found = async (...args) =>
    (await run(t, server, '--json', ...args))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).fact)
      .map((fact) => `${fact.channel} ${fact.event}`);
  assert.deepStrictEqual(await found('--channel', 'a'), ['a one', 'a App\\Events\\Two']);
  assert.deepStrictEqual(await found('--event', 'App\\Events\\Two'), ['a App\\Events\\Two']);
  assert.deepStrictEqual(await found('--event', 'one', '--channel', 'b'), ['b one']);
  assert.deepStrictEqual(await found('--user', '7'), ['#server-to-user-7 mine']);
  assert.strictEqual((await found('--socket', client.socketId)).length, 4);
  assert.strictEqual((await found('--app', 'app-id', '--limit', '2')).length, 2);
  assert.strictEqual(await run(t, server, '--app', 'other'), '');
});

test('why a certain connection did not get it', async (t) => {
  const server = await t.server();
  const [one, two] = [await t.raw(server), await t.raw(server)];
  await one.subscribe('news');
  await api.publish(server, 'news', 'e', '{}', { socket_id: two.socketId });
  const text = await run(t, server, '--socket', two.socketId);
  assert.match(text, new RegExp(`- The connection ${two.socketId} is the one that was excluded`));
  await api.publish(server, 'news', 'f', '{}');
  const late = await t.raw(server);
  await late.subscribe('news');
  const gone = await t.raw(server);
  await gone.close();
  await server.hasConnections(3);
  const states = [
    [one.socketId, 'was subscribed when the event came, and got it'],
    [two.socketId, 'is not subscribed to the channel'],
    [late.socketId, 'subscribed after the event'],
    [gone.socketId, 'ended .* after the event'],
    ['77.77', 'is not known'],
  ];
  for (const [id, words] of states) {
    const said = await run(t, server, '--channel', 'news', '--limit', '1', '--socket', id);
    assert.match(said, new RegExp(`- The connection ${id} ${words}`), id);
  }
});

test('that the last one had left is told, with who and when', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('news');
  await client.close();
  await server.hasConnections(0);
  await api.publish(server, 'news', 'e', '{}');
  const text = await run(t, server, '--limit', '1');
  assert.match(text, new RegExp(`- The last one who was on it, ${client.socketId}, left \\d+ m?s before`));
});

test('where nothing fits it says so, and only what failed can be asked for', async (t) => {
  const server = await t.server();
  await api.publish(server, 'a', 'nobody', '{}');
  const client = await t.raw(server);
  await client.subscribe('a');
  await api.publish(server, 'a', 'good', '{}');
  const none = await trace(t, server, '--channel', 'b').ended();
  assert.strictEqual(none.code, EX.OK);
  assert.strictEqual(none.stdout, '');
  assert.match(none.stderr, /^peal trace: nothing that fits is remembered/);
  const failed = await run(t, server, '--failed', '--json');
  assert.deepStrictEqual(
    failed.trimEnd().split('\n').map((line) => JSON.parse(line).fact.event),
    ['nobody'],
  );
  const junk = await trace(t, server, '--socket', 'junk').ended();
  assert.strictEqual(junk.code, EX.USAGE, junk.stderr);
});

test('--follow goes on with what comes, each once', { workers: [2] }, async (t) => {
  const server = await t.server();
  for (let i = 0; i < 6; i++) await api.publish(server, 'old', `old${i}`, '{}');
  const following = trace(t, server, '--follow', '--limit', '1', '--json');
  const next = async () => JSON.parse(await following.line(/^\{/)).fact.event;
  assert.match(await next(), /^old/);
  const events = [];
  for (let i = 0; i < 10; i++) await api.publish(server, 'new', `new${i}`, '{}');
  for (let i = 0; i < 10; i++) events.push(await next());
  assert.deepStrictEqual(
    events.sort(),
    Array.from({ length: 10 }, (_, i) => `new${i}`),
  );
  const client = await t.raw(server);
  await client.subscribe('news');
  await api.publish(server, 'news', 'heard', '{}');
  const said = JSON.parse(await following.line(/heard/));
  assert.strictEqual(said.verdict, 'delivered');
  following.signal('SIGTERM');
  await following.ended();
  const end = await trace(t, server, '--follow', '--timeout', '1').ended();
  assert.strictEqual(end.code, EX.OK);
});

test('--follow goes on across a restart in place', async (t) => {
  const server = await t.server();
  for (let i = 0; i < 5; i++) await api.publish(server, 'old', `old${i}`, '{}');
  const following = trace(t, server, '--follow', '--limit', '1', '--json');
  await following.line(/old4/);
  server.signal('SIGUSR2');
  await server.generation(2);
  for (let i = 0; i < 3; i++) await api.publish(server, 'new', `new${i}`, '{}');
  for (let i = 0; i < 3; i++) await following.line(new RegExp(`new${i}`));
  following.signal('SIGTERM');
  await following.ended();
});

test('how it fails', async (t) => {
  const server = await t.server({ set: { 'admin.hosts': 'peal.example' } });
  const code = async (...args) => {
    const got = await t.command(['trace', ...args]).ended();
    assert.strictEqual(got.stdout, '');
    assert.match(got.stderr, /^peal trace: .{10,}\n$/);
    return got.code;
  };
  const silent = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address();
  await new Promise((resolve) => silent.close(resolve));
  assert.strictEqual(await code('--admin', `127.0.0.1:${port}`), EX.UNAVAILABLE);
  assert.strictEqual(await code(...admin(server)), EX.NOPERM, 'admin.hosts');
  const wrong = `${server.host}:${server.port}`;
  assert.strictEqual(await code('--admin', wrong), EX.NOPERM, 'the main listener says 404');
  assert.strictEqual(await code('--admin', 'x'), EX.USAGE);
  assert.strictEqual(await code('--limit', '0'), EX.USAGE);
  assert.strictEqual(await code('word'), EX.USAGE);
});

test('help, page and completion know it', async (t) => {
  const help = await t.command(['help', 'trace']).ended();
  assert.match(help.stdout, /usage: peal trace \[options\]/);
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.match((await t.command(['completion', shell]).ended()).stdout, /trace/);
});
