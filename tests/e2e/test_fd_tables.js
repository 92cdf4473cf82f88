// SPDX-License-Identifier: MIT
//
// fd_tables: more connections than one table of descriptors has room for, and all that passes from
// worker to worker, or outlives the workers, works as it does with one table. ThreadSanitizer takes a
// number that two tables have for the same descriptor, so it finds races here that there are not.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');

const LIMIT = 200;
const WORKERS = 4;
const CLIENTS = 240;

function start(t, more = {}) {
  const set = { fd_tables: true, 'limits.reserved_descriptors': 20, ...more };
  return t.server({ nofile: LIMIT, workers: WORKERS, set });
}

const join = async (t, server) => {
  const client = await t.raw(server);
  await client.subscribe('presence-all', { user: { user_id: String(Math.random()) } });
  return client;
};

test('more clients than one table holds hear one publish', { ms: 60_000 }, async (t) => {
  const server = await start(t);
  const [, each] = /(\d+) for each of 4 workers: 200 descriptors/.exec(server.stderr);
  assert.ok(each > CLIENTS / WORKERS && each < LIMIT, each);
  const clients = [];
  while (clients.length < CLIENTS)
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => join(t, server)))));
  const workers = await server.admin('/admin/workers');
  assert.strictEqual(workers.length, WORKERS);
  await api.publish(server, 'presence-all', 'x', '{"n":1}');
  for (const client of clients) assert.deepStrictEqual((await client.event('x')).json, { n: 1 });
  const target = { host: server.adminHost, port: server.adminPort };
  const { text } = await api.send(target, { target: '/metrics' });
  const value = (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)[1]);
  assert.strictEqual(value('process_max_fds'), LIMIT);
  assert.ok(value('process_open_fds') > CLIENTS / WORKERS);
  assert.ok(value('process_open_fds') < LIMIT);
  // Half of them go by themselves; what they took is free again.
  for (const client of clients.splice(0, CLIENTS / 2)) client.close();
  const left = async () => {
    const { users } = await api.get(server, '/channels/presence-all/users');
    return users.length === CLIENTS / 2;
  };
  await poll(left, 'half of the members');
  await api.publish(server, 'presence-all', 'y', '{"n":2}');
  for (const client of clients) assert.deepStrictEqual((await client.event('y')).json, { n: 2 });
});

test('two restarts in place', { ms: 60_000 }, async (t) => {
  const server = await start(t);
  // What a generation leaves behind would show in the next one's table.
  for (let generation = 2; generation <= 3; generation++) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => join(t, server)));
    server.signal('SIGUSR2');
    const [next] = await Promise.all([
      server.generation(generation),
      ...clients.map((client) => client.closed()),
    ]);
    assert.strictEqual(next.pid, server.ready.pid);
  }
  const client = await join(t, server);
  await api.publish(server, 'presence-all', 'after');
  await client.event('after');
});

test('statistics, reload and readiness are as ever', async (t) => {
  const server = await start(t, { store: 'sqlite:statistics.db', 'statistics.interval_seconds': 1 });
  const ready = async () => (await server.admin('/ready')).self_test?.ok;
  await poll(ready, 'a self-test through all workers', 15_000);
  server.signal('SIGHUP');
  await poll(() => /reload/.test(server.stderr), 'the reload in the log');
  await join(t, server);
});
