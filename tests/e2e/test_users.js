// SPDX-License-Identifier: MIT
//
// Users: sign-in, sending to them, ending their connections, watchlists, counts.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { sdk } = require('./lib/backend');
const { connected, fires, inState } = require('./lib/clients');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

async function signedIn(t, server, version, backend, id) {
  const user = { id, user_info: { name: `user ${id}` } };
  const pusher = t.pusher(server, { version, backend, user });
  await connected(pusher);
  pusher.signin();
  await pusher.user.signinDonePromise;
  return pusher;
}

for (const version of [7, 8]) {
  test(
    `pusher-js ${version}: signs in and gets what the Node SDK sends to the user`,
    QUICK,
    async (t) => {
      const server = await t.server();
      const backend = await t.backend(server);
      const pusher = await signedIn(t, server, version, backend, '42');
      assert.strictEqual(pusher.user.user_data.id, '42');
      const event = fires(pusher.user, 'hello');
      await sdk(server).sendToUser('42', 'hello', { a: 1 });
      assert.deepStrictEqual(await event, { a: 1 });
    },
  );

  test(`pusher-js ${version}: terminateUserConnections ends it for good`, BOTH, async (t) => {
    const server = await t.server();
    const backend = await t.backend(server);
    const gone = await signedIn(t, server, version, backend, '42');
    const stays = await signedIn(t, server, version, backend, '43');
    const error = fires(gone.connection, 'error');
    await sdk(server).terminateUserConnections('42');
    assert.match(JSON.stringify(await error), /4009/);
    await inState(gone, 'disconnected');
    await server.hasConnections(1);
    assert.strictEqual(stays.connection.state, 'connected');
  });
}

test('signin_success carries the signed string unchanged', QUICK, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const userData = '{ "id":"42", "user_info":{"n":1.0,"s":"a\\/\\u00eb"},"x":null}';
  const frame = await client.signin(userData);
  assert.strictEqual(typeof frame.data, 'string');
  assert.strictEqual(frame.json.user_data, userData);
  await client.signin(userData);
});

test('a refused sign-in gets 4009 and stays connected', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const refused = async (user, options) => {
    client.sendSignin(user, options);
    const error = await client.event('pusher:error');
    assert.strictEqual(error.data.code, 4009, error.text);
  };
  await refused({ id: '1' }, { auth: 'app-key:00' });
  await refused({ id: '1' }, { auth: '' });
  await refused({ id: '1' }, { auth: api.channelAuth(server.app, client.socketId, '{"id":"1"}') });
  for (const user of ['{}', '{"id":""}', '{"id":null}', '{"id":{}}', '[]', 'x', ''])
    await refused(user);
  await client.ping();
  await client.signin({ id: '1' });
  await refused({ id: '2' });
  await client.subscribe('#server-to-user-1');
  await client.subscribeRefused('#server-to-user-2');
});

test('signin_failure_closes closes with 4009', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.signin_failure_closes': 'true' } });
  const client = await t.raw(server);
  client.sendSignin({ id: '1' }, { auth: 'app-key:00' });
  assert.strictEqual((await client.event('pusher:error')).data.code, 4009);
  assert.strictEqual((await client.closed()).code, 4009);
});

test('a numeric id is the same user as its text', BOTH, async (t) => {
  const server = await t.server();
  const [number, text] = await t.rawOnEach(server);
  await number.signin('{"id":42}');
  await text.signin('{"id":"42"}');
  await number.signin('{"id":"42"}');
  await api.publish(server, '#server-to-user-42', 'x');
  await number.event('x');
  await text.event('x');
});

test('#server-to-user- needs the sign-in as that user', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribeRefused('#server-to-user-42');
  await client.signin({ id: '42' });
  await client.subscribeRefused('#server-to-user-4');
  await client.subscribeRefused('#server-to-user-420');
  await client.subscribe('#server-to-user-42');
  client.trigger('client-x', '#server-to-user-42', {});
  assert.ok((await client.event('pusher:error')).data.code);
});

test(
  'sending to a user reaches all signed-in sockets once, subscribed or not',
  QUICK,
  async (t) => {
    const server = await t.server();
    const sockets = await t.rawOnEach(server);
    for (const socket of sockets) await socket.signin({ id: '42' });
    await sockets[0].subscribe('#server-to-user-42');
    const other = await t.raw(server);
    await other.signin({ id: '4' });
    const anonymous = await t.raw(server);
    await api.publish(server, ['#server-to-user-42', 'orders'], 'x', '{"a":1}');
    await api.ok(server, 'POST', '/users/42/events', { body: { name: 'y', data: '{"b":2}' } });
    for (const socket of sockets) {
      const frame = await socket.event('x');
      assert.strictEqual(
        frame.text,
        '{"event":"x","channel":"#server-to-user-42","data":"{\\"a\\":1}"}',
      );
      await socket.event('y', '#server-to-user-42');
    }
    await api.publish(server, ['#server-to-user-42', '#server-to-user-4'], 'end');
    for (const socket of sockets) {
      await socket.event('end');
      assert.deepStrictEqual(socket.frames.unread, []);
    }
    await other.event('end');
    assert.deepStrictEqual(other.frames.unread, []);
    await anonymous.ping();
    assert.deepStrictEqual(anonymous.frames.unread, []);
    assert.deepStrictEqual(await api.get(server, '/channels'), { channels: {} });
  },
);

test('signing in while events are sent to the user: no gap, none twice', BOTH, async (t) => {
  const server = await t.server();
  const first = await t.raw(server);
  await first.signin({ id: '42' });
  const sending = (async () => {
    for (let n = 1; n <= 150; n++) await api.publish(server, '#server-to-user-42', 'n', String(n));
  })();
  const joiners = [];
  while (joiners.length < 15) {
    const client = await t.raw(server);
    joiners.push(client);
    await client.signin({ id: '42' });
    await client.signin({ id: '42' });
  }
  await sending;
  await api.publish(server, '#server-to-user-42', 'end');
  for (const client of [first, ...joiners]) {
    await client.event('end');
    const events = client.frames.all.map((frame) => frame.event);
    const answered = events.indexOf('pusher:signin_success');
    assert.ok(!events.slice(0, answered).includes('n'), 'an event before signin_success');
    const numbers = client.frames.all.filter((f) => f.event === 'n').map((f) => f.json);
    const last = Array.from({ length: numbers.length }, (_, n) => 151 - numbers.length + n);
    assert.deepStrictEqual(numbers, last);
  }
});

test('after close or another connection nothing of a user stays', BOTH, async (t) => {
  const server = await t.server();
  const first = await t.raw(server);
  await first.signin({ id: '42' });
  first.destroy();
  await server.hasConnections(0);
  await api.publish(server, '#server-to-user-42', 'x');
  const second = await t.raw(server);
  await second.signin({ id: '42' });
  await api.publish(server, '#server-to-user-42', 'y');
  await second.event('y');
  assert.deepStrictEqual(
    second.unread((frame) => frame.event === 'x'),
    [],
  );
});

test(
  'terminate_connections: signed-in sockets and presence members, on all workers',
  BOTH,
  async (t) => {
    const server = await t.server();
    const gone = await t.rawOnEach(server);
    for (const client of gone) await client.signin({ id: '42' });
    const member = await t.raw(server);
    await member.subscribe('presence-a', { user: { user_id: 42 } });
    const watcher = await t.raw(server);
    await watcher.subscribe('presence-a', { user: { user_id: 'w' } });
    const stays = await t.raw(server);
    await stays.signin({ id: '4' });
    const body = {};
    const answer = await api.ok(server, 'POST', '/users/42/terminate_connections', { body });
    assert.deepStrictEqual(answer, {});
    for (const client of [...gone, member]) {
      const error = await client.event('pusher:error');
      assert.strictEqual(error.data.code, 4009);
      assert.strictEqual((await client.closed()).code, 4009);
    }
    assert.strictEqual(
      String((await watcher.event('pusher_internal:member_removed')).json.user_id),
      '42',
    );
    await stays.ping();
    await watcher.ping();
    await server.hasConnections(2);
  },
);

test('terminate_connections: unknown users, strange ids, an empty body', async (t) => {
  const server = await t.server();
  await api.ok(server, 'POST', '/users/nobody/terminate_connections', { body: {} });
  await api.ok(server, 'POST', '/users/nobody/terminate_connections');
  const client = await t.raw(server);
  await client.signin({ id: 'a@b;c=d e/f' });
  const path = `/users/${encodeURIComponent('a@b;c=d e/f')}/terminate_connections`;
  await api.ok(server, 'POST', path, { body: {} });
  assert.strictEqual((await client.closed()).code, 4009);
});

const WATCHLIST = 'pusher_internal:watchlist_events';
const WATCHING = { set: { 'apps.app-id.watchlist': 'true' } };

// { online: [ids], offline: [ids] } of a watchlist frame.
function states(frame) {
  assert.strictEqual(frame.channel, undefined);
  return Object.fromEntries(frame.json.events.map(({ name, user_ids: ids }) => [name, ids.sort()]));
}

test('watchlist: states at sign-in, then each change, on all workers', BOTH, async (t) => {
  const server = await t.server(WATCHING);
  const [watcher, friend] = await t.rawOnEach(server);
  await friend.signin({ id: '7' });
  await watcher.signin({ id: '1', watchlist: ['7', '9', '8'] });
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST)), {
    online: ['7'],
    offline: ['8', '9'],
  });
  const nine = await t.raw(server);
  await nine.signin({ id: '9' });
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST)), { online: ['9'] });
  const tab = await t.raw(server);
  await tab.signin({ id: '9' });
  tab.destroy();
  friend.destroy();
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST, undefined, 20_000)), {
    offline: ['7'],
  });
  nine.destroy();
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST, undefined, 20_000)), {
    offline: ['9'],
  });
  assert.deepStrictEqual(watcher.frames.unread, []);
});

test('watchlist: presence alone does not make anybody online', async (t) => {
  const server = await t.server(WATCHING);
  const member = await t.raw(server);
  await member.subscribe('presence-a', { user: { user_id: '7' } });
  const watcher = await t.raw(server);
  await watcher.signin({ id: '1', watchlist: ['7'] });
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST)), { offline: ['7'] });
});

test('watchlist: of more than 100 ids the first 100 count (4302)', async (t) => {
  const server = await t.server(WATCHING);
  const watcher = await t.raw(server);
  const watchlist = Array.from({ length: 101 }, (_, n) => `u${n}`);
  await watcher.signin({ id: '1', watchlist });
  assert.strictEqual((await watcher.event('pusher:error')).data.code, 4302);
  assert.strictEqual(states(await watcher.event(WATCHLIST)).offline.length, 100);
  const [last, first] = [await t.raw(server), await t.raw(server)];
  await last.signin({ id: 'u100' });
  await first.signin({ id: 'u0' });
  assert.deepStrictEqual(states(await watcher.event(WATCHLIST)), { online: ['u0'] });
});

test('watchlist: off by default', async (t) => {
  const server = await t.server();
  const watcher = await t.raw(server);
  await watcher.signin({ id: '1', watchlist: ['7'] });
  await watcher.ping();
  assert.deepStrictEqual(watcher.frames.unread, []);
});

for (const version of [7, 8]) {
  test(`pusher-js ${version}: watchlist events`, async (t) => {
    const server = await t.server(WATCHING);
    const backend = await t.backend(server);
    const user = { id: '1', watchlist: ['7'] };
    const pusher = t.pusher(server, { version, backend, user });
    const offline = fires(pusher.user.watchlist, 'offline');
    pusher.signin();
    assert.deepStrictEqual((await offline).user_ids, ['7']);
    const online = fires(pusher.user.watchlist, 'online');
    const friend = await t.raw(server);
    await friend.signin({ id: '7' });
    assert.deepStrictEqual((await online).user_ids, ['7']);
  });
}

const COUNT = 'pusher_internal:subscription_count';

test('subscription_count: on each change to everybody, but not on presence', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.subscription_count': 'true' } });
  const [first, second] = await t.rawOnEach(server);
  const count = async (client, n) => {
    const frame = await client.event(COUNT, 'private-a');
    assert.strictEqual(frame.data, `{"subscription_count":${n}}`);
  };
  await first.subscribe('private-a');
  await count(first, 1);
  await second.subscribe('private-a');
  await count(first, 2);
  await count(second, 2);
  first.unsubscribe('private-a');
  await count(second, 1);
  await second.subscribe('private-a');
  await second.subscribe('presence-a', { user: { user_id: '1' } });
  await second.ping();
  assert.deepStrictEqual(second.unread('presence-a'), []);
});

test('subscription_count: above 100 not on every change', { ...BOTH, ms: 40_000 }, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.subscription_count': 'true' } });
  const first = await t.raw(server);
  await first.subscribe('orders');
  const others = await Promise.all(Array.from({ length: 199 }, () => t.raw(server)));
  await Promise.all(others.map((client) => client.subscribe('orders')));
  await first.take(
    (f) => f.event === COUNT && f.json.subscription_count === 200,
    'the last',
    20_000,
  );
  const counts = first.frames.all.filter((f) => f.event === COUNT).map((f) => f.json);
  assert.ok(counts.length >= 100 && counts.length <= 110, `${counts.length} frames for 200 joins`);
});

test('subscription_count: pusher-js 8 has it, and it is off by default', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.subscription_count': 'true' } });
  const channel = t.pusher(server).subscribe('orders');
  const { subscription_count: n } = await fires(channel, 'pusher:subscription_count');
  assert.strictEqual(n, 1);
  assert.strictEqual(channel.subscriptionCount, 1);
  const quiet = await t.raw(await t.server());
  await quiet.subscribe('orders');
  await quiet.ping();
  assert.deepStrictEqual(quiet.frames.unread, []);
});

test('user_authentication: who neither signs in nor joins is closed in time', BOTH, async (t) => {
  const server = await t.server({
    set: {
      'apps.app-id.user_authentication': 'true',
      'apps.app-id.user_authentication_timeout_ms': 600,
    },
  });
  const signed = await t.raw(server);
  await signed.signin({ id: '1' });
  const joined = await t.raw(server);
  await joined.subscribe('private-a');
  const member = await t.raw(server);
  await member.subscribe('presence-a', { user: { user_id: '1' } });
  const idle = await t.raw(server);
  await idle.subscribe('orders');
  const error = await idle.event('pusher:error');
  assert.strictEqual(error.data.code, 4009);
  assert.strictEqual((await idle.closed()).code, 4009);
  for (const client of [signed, joined, member]) await client.ping();
});
