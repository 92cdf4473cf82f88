// SPDX-License-Identifier: MIT
//
// The Node SDK (`pusher`), as back ends use it.
'use strict';

const assert = require('node:assert');
const { sdk } = require('./lib/backend');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

test('trigger to one and to many channels', QUICK, async (t) => {
  const server = await t.server();
  const pusher = sdk(server);
  const [first, second] = await t.rawOnEach(server);
  const names = Array.from({ length: 100 }, (_, n) => `c${n}`);
  for (const client of [first, second])
    await Promise.all(names.map((name) => client.subscribe(name)));
  assert.strictEqual((await pusher.trigger('c0', 'one', { a: 1 })).status, 200);
  assert.deepStrictEqual((await first.event('one', 'c0')).json, { a: 1 });
  await pusher.trigger(names, 'all', 'text');
  for (const client of [first, second]) {
    for (const name of names) assert.strictEqual((await client.event('all', name)).data, 'text');
  }
});

test('trigger with socket_id and info', BOTH, async (t) => {
  const server = await t.server();
  const pusher = sdk(server);
  const [first, second] = await t.rawOnEach(server);
  for (const client of [first, second]) await client.subscribe('a');
  const params = { socket_id: first.socketId, info: 'subscription_count' };
  const answer = await (await pusher.trigger('a', 'x', {}, params)).json();
  assert.deepStrictEqual(answer, { channels: { a: { subscription_count: 2 } } });
  await second.event('x');
  await pusher.trigger('a', 'end', {});
  await first.event('end');
  assert.deepStrictEqual(first.frames.unread, []);
});

test('triggerBatch', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  await client.subscribe('b');
  await sdk(server).triggerBatch([
    { channel: 'a', name: 'x', data: { n: 1 } },
    { channel: 'b', name: 'y', data: { n: 2 } },
  ]);
  assert.deepStrictEqual((await client.event('x', 'a')).json, { n: 1 });
  assert.deepStrictEqual((await client.event('y', 'b')).json, { n: 2 });
});

test('get: channels, channel, users', BOTH, async (t) => {
  const server = await t.server();
  const pusher = sdk(server);
  const client = await t.raw(server);
  await client.subscribe('presence-a', { user: { user_id: '1' } });
  await client.subscribe('orders');
  const ask = async (path, params) => (await pusher.get({ path, params })).json();
  const params = { filter_by_prefix: 'presence-', info: 'user_count' };
  const { channels } = await ask('/channels', params);
  assert.strictEqual(channels['presence-a'].user_count, 1);
  const info = { info: 'user_count,subscription_count' };
  assert.strictEqual((await ask('/channels/presence-a', info)).user_count, 1);
  assert.deepStrictEqual(await ask('/channels/presence-a/users'), { users: [{ id: '1' }] });
});

test('a refusal reaches the caller with its reason', async (t) => {
  const server = await t.server();
  const pusher = sdk(server, { secret: 'wrong' });
  const error = await pusher.trigger('a', 'x', {}).catch((caught) => caught);
  assert.strictEqual(error.status, 401);
  assert.strictEqual(JSON.parse(error.body).code, 401);
});

test('a connection is used again (keep-alive agent)', async (t) => {
  const server = await t.server();
  const http = require('node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.defer(() => agent.destroy());
  let sockets = 0;
  const open = agent.createConnection;
  agent.createConnection = function connect(...args) {
    sockets += 1;
    return open.apply(this, args);
  };
  const pusher = sdk(server, { agent });
  const client = await t.raw(server);
  await client.subscribe('a');
  for (let n = 0; n < 50; n++) await (await pusher.trigger('a', 'x', n)).text();
  for (let n = 0; n < 50; n++) assert.strictEqual((await client.event('x')).json, n);
  assert.strictEqual(sockets, 1);
});
