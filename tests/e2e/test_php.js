// SPDX-License-Identifier: MIT
//
// pusher-php-server, as Laravel uses it: the version that composer found, see php/composer.json.
'use strict';

const assert = require('node:assert');
const { Php } = require('./lib/php');
const { fires, subscribed } = require('./lib/clients');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };

function start(t, server, app) {
  const php = new Php(server, app);
  t.defer(() => php.close());
  return php;
}

// What trigger() takes to leave a socket out: an array since version 5, the id itself before.
const leaveOut = (version, socketId) => (version >= 5 ? { socket_id: socketId } : socketId);

test('trigger: one channel, several, without a socket', BOTH, async (t) => {
  const server = await t.server();
  const php = start(t, server);
  const version = await php.version();
  const [first, second] = await t.rawOnEach(server);
  const names = Array.from({ length: 100 }, (_, n) => `c${n}`);
  for (const client of [first, second])
    await Promise.all(names.map((name) => client.subscribe(name)));
  await php.call('trigger', 'c0', 'App\\Events\\Shipped', { id: 7, name: 'Zoë/é 🚀' });
  for (const client of [first, second]) {
    const frame = await client.event('App\\Events\\Shipped', 'c0');
    assert.deepStrictEqual(frame.json, { id: 7, name: 'Zoë/é 🚀' });
    assert.strictEqual(frame.data, '{"id":7,"name":"Zo\\u00eb\\/\\u00e9 \\ud83d\\ude80"}');
  }
  await php.call('trigger', names, 'all', []);
  for (const client of [first, second]) {
    for (const name of names) assert.strictEqual((await client.event('all', name)).data, '[]');
  }
  await php.call('trigger', ['c0', 'c1'], 'x', { n: 1 }, leaveOut(version, first.socketId));
  await second.event('x', 'c0');
  await second.event('x', 'c1');
  await php.call('trigger', 'c1', 'end', '{}');
  await first.event('end');
  assert.deepStrictEqual(first.frames.unread, []);
});

test('triggerBatch', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  for (const name of ['a', 'b']) await client.subscribe(name);
  await start(t, server).call('triggerBatch', [
    { channel: 'a', name: 'x', data: { n: 1 } },
    { channel: 'b', name: 'y', data: { n: 2 } },
  ]);
  assert.deepStrictEqual((await client.event('x', 'a')).json, { n: 1 });
  assert.deepStrictEqual((await client.event('y', 'b')).json, { n: 2 });
});

// The payload of get(): older versions wrap it in status and result, or add them to it.
const payload = (answer) => answer.result ?? answer;

test('channels, channel, presence users', BOTH, async (t) => {
  const server = await t.server();
  const php = start(t, server);
  const [first, second] = await t.rawOnEach(server);
  await first.subscribe('presence-a', { user: { user_id: '1' } });
  await second.subscribe('presence-a', { user: { user_id: '2' } });
  await second.subscribe('orders');
  const query = { filter_by_prefix: 'presence-', info: 'user_count' };
  const { channels } = payload(await php.call('getChannels', query));
  assert.strictEqual(channels['presence-a'].user_count, 2);
  assert.deepStrictEqual(Object.keys(channels), ['presence-a']);
  const info = payload(await php.call('getChannelInfo', 'presence-a', { info: 'user_count' }));
  assert.strictEqual(info.user_count, 2);
  assert.strictEqual(info.occupied, true);
  const count = { info: 'subscription_count' };
  assert.strictEqual(
    payload(await php.call('getChannelInfo', 'orders', count)).subscription_count,
    1,
  );
  assert.strictEqual(payload(await php.call('getChannelInfo', 'nobody')).occupied, false);
  const users = payload(await php.call('getPresenceUsers', 'presence-a'));
  assert.deepStrictEqual(users.users.map(({ id }) => id).sort(), ['1', '2']);
  const none = payload(await php.call('getChannels', { filter_by_prefix: 'nothing' }));
  assert.strictEqual(Object.keys(none.channels).length, 0);
  const more = payload(await php.call('get', '/connections'));
  assert.strictEqual(more.connections, 2);
});

test('signatures of PHP for channels and members', BOTH, async (t) => {
  const server = await t.server();
  const php = start(t, server);
  const client = await t.raw(server);
  const subscribe = async (channel, method, ...args) => {
    const data = JSON.parse(await php.call(method, channel, client.socketId, ...args));
    client.send({ event: 'pusher:subscribe', data: { channel, ...data } });
    return (await client.event('pusher_internal:subscription_succeeded', channel)).json;
  };
  await subscribe('private-a', 'authorizeChannel');
  await subscribe('private-b', 'authorizeChannel', '{"custom":"data"}');
  await subscribe('private-encrypted-a', 'authorizeChannel');
  const info = { name: 'Zoë 🚀 a/b' };
  const { presence } = await subscribe('presence-a', 'authorizePresenceChannel', '42', info);
  assert.deepStrictEqual(presence, { count: 1, ids: ['42'], hash: { 42: info } });
});

test('encrypted: from PHP to pusher-js', async (t) => {
  const server = await t.server();
  const pusher = t.pusher(server, { backend: await t.backend(server) });
  const channel = await subscribed(pusher, 'private-encrypted-vault');
  const event = fires(channel, 'secret');
  await start(t, server).call('trigger', 'private-encrypted-vault', 'secret', { pin: 1234 });
  assert.deepStrictEqual(await event, { pin: 1234 });
});

test('sendToUser and terminateUserConnections (since 7.1)', BOTH, async (t) => {
  const server = await t.server();
  const php = start(t, server);
  if (!(await php.call('has', 'sendToUser'))) {
    t.skip(`composer found version ${await php.call('version')}`);
  }
  const client = await t.raw(server);
  await client.signin({ id: '42' });
  await php.call('sendToUser', '42', 'hello', { a: 1 });
  assert.deepStrictEqual((await client.event('hello')).json, { a: 1 });
  await php.call('terminateUserConnections', '42');
  assert.strictEqual((await client.closed()).code, 4009);
});

test('a refusal reaches the caller', async (t) => {
  const server = await t.server();
  const php = start(t, server, { ...server.app, secret: 'wrong' });
  const result = await php.call('trigger', 'a', 'x', {}).catch((error) => error);
  assert.ok(result === false || /401|secret|signature/i.test(String(result)), String(result));
});
