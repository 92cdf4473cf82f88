// SPDX-License-Identifier: MIT
//
// Presence channels: people, not tabs.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { fires, subscribed } = require('./lib/clients');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const ROOM = 'presence-room.1';
const ADDED = 'pusher_internal:member_added';
const REMOVED = 'pusher_internal:member_removed';

const person = (id, info) => ({
  user: { user_id: id, ...(info === undefined ? {} : { user_info: info }) },
});

const usersOf = async (server, room = ROOM) =>
  (await api.get(server, `/channels/${room}/users`)).users;

for (const version of [4, 7, 8]) {
  test(`pusher-js ${version}: members, me, joins and leaves`, BOTH, async (t) => {
    const server = await t.server();
    const backend = await t.backend(server);
    const join = async (id, name) => {
      const user = { user_id: id, user_info: { name } };
      const pusher = t.pusher(server, { version, backend, user });
      return { pusher, channel: await subscribed(pusher, ROOM) };
    };
    const ann = await join('1', 'Ann');
    assert.strictEqual(ann.channel.members.count, 1);
    assert.deepStrictEqual(ann.channel.members.me, { id: '1', info: { name: 'Ann' } });
    const added = fires(ann.channel, 'pusher:member_added');
    const bob = await join('2', 'Bob');
    assert.deepStrictEqual(await added, { id: '2', info: { name: 'Bob' } });
    assert.strictEqual(ann.channel.members.count, 2);
    assert.strictEqual(bob.channel.members.count, 2);
    assert.deepStrictEqual(bob.channel.members.get('1'), { id: '1', info: { name: 'Ann' } });
    const removed = fires(ann.channel, 'pusher:member_removed');
    bob.pusher.disconnect();
    assert.deepStrictEqual(await removed, { id: '2', info: { name: 'Bob' } });
    assert.strictEqual(ann.channel.members.count, 1);
    const again = fires(ann.channel, 'pusher:member_added');
    const carl = await join('3', 'Carl');
    await again;
    const left = fires(ann.channel, 'pusher:member_removed');
    carl.pusher.unsubscribe(ROOM);
    assert.strictEqual((await left).id, '3');
  });
}

test(
  'snapshot, member_added and member_removed on all workers',
  { ...BOTH, quick: true },
  async (t) => {
    const server = await t.server();
    const [ann, bob] = await t.rawOnEach(server);
    const alone = await ann.subscribe(ROOM, person('42', { name: 'Ann Lee' }));
    assert.deepStrictEqual(alone, {
      presence: { count: 1, ids: ['42'], hash: { 42: { name: 'Ann Lee' } } },
    });
    const both = await bob.subscribe(ROOM, person('7', { name: 'Bob' }));
    assert.strictEqual(both.presence.count, 2);
    assert.deepStrictEqual(both.presence.ids.sort(), ['42', '7']);
    assert.deepStrictEqual(both.presence.hash, { 42: { name: 'Ann Lee' }, 7: { name: 'Bob' } });
    const added = await ann.event(ADDED, ROOM);
    assert.strictEqual(typeof added.data, 'string');
    assert.deepStrictEqual(added.json, { user_id: '7', user_info: { name: 'Bob' } });
    bob.unsubscribe(ROOM);
    const removed = await ann.event(REMOVED, ROOM);
    assert.strictEqual(removed.data, '{"user_id":"7"}');
    await bob.ping();
    assert.deepStrictEqual(bob.unread(ROOM), []);
    assert.deepStrictEqual(ann.unread(ROOM), []);
  },
);

test('tabs: one member_added, one member_removed when the last one closes', BOTH, async (t) => {
  const server = await t.server();
  const watcher = await t.raw(server);
  await watcher.subscribe(ROOM, person('w'));
  const tabs = await t.rawOnEach(server);
  tabs.push(await t.raw(server));
  for (const tab of tabs) {
    const snapshot = await tab.subscribe(ROOM, person('1', { n: 1 }));
    assert.strictEqual(snapshot.presence.count, 2);
  }
  assert.deepStrictEqual((await usersOf(server)).map(({ id }) => id).sort(), ['1', 'w']);
  const info = await api.get(server, `/channels/${ROOM}`, {
    info: 'user_count,subscription_count',
  });
  assert.strictEqual(info.user_count, 2);
  tabs[0].unsubscribe(ROOM);
  await tabs[0].ping();
  await tabs[1].close();
  await api.publish(server, ROOM, 'marker');
  await watcher.event('marker');
  assert.strictEqual(watcher.frames.all.filter((f) => f.event === ADDED).length, 1);
  assert.deepStrictEqual(
    watcher.unread((f) => f.event === REMOVED),
    [],
  );
  tabs[2].destroy();
  assert.deepStrictEqual((await watcher.event(REMOVED)).json, { user_id: '1' });
  await tabs[0].ping();
  assert.deepStrictEqual(
    tabs[0].unread((f) => f.event === ADDED || f.event === REMOVED),
    [],
  );
});

test('a tab gets what others do, but not its own join', BOTH, async (t) => {
  const server = await t.server();
  const [first, second] = await t.rawOnEach(server);
  await first.subscribe(ROOM, person('1'));
  await second.subscribe(ROOM, person('1'));
  const bob = await t.raw(server);
  await bob.subscribe(ROOM, person('2'));
  for (const tab of [first, second]) {
    assert.strictEqual((await tab.event(ADDED)).json.user_id, '2');
    assert.deepStrictEqual(tab.unread(ROOM), []);
  }
});

test('user ids keep their JSON type; 42 and "42" are one person', BOTH, async (t) => {
  const server = await t.server();
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  const snapshot = await client.subscribe(ROOM, person(42, { n: 1 }));
  assert.ok(snapshot.presence.ids.includes(42));
  assert.deepStrictEqual(Object.keys(snapshot.presence.hash).sort(), ['42', 'w']);
  assert.strictEqual((await watcher.event(ADDED)).json.user_id, 42);
  const text = await t.raw(server);
  const second = await text.subscribe(ROOM, person('42'));
  assert.strictEqual(second.presence.count, 2);
  await client.close();
  await text.close();
  assert.strictEqual(String((await watcher.event(REMOVED)).json.user_id), '42');
  assert.deepStrictEqual(watcher.unread(ROOM), []);
});

test('large ids, escapes and numbers pass byte for byte', BOTH, async (t) => {
  const server = await t.server();
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  // What PHP makes: escaped slashes and non-ASCII inside of the signed string.
  const info =
    '{"name":"Zo\\u00eb \\ud83d\\ude80 a\\/b","x":1.0,"y":1e400,"z":-0,"id":12345678901234567890}';
  const channelData = `{"user_id":12345678901234567890,"user_info":${info}}`;
  client.sendSubscribe(ROOM, { channelData });
  const snapshot = await client.event('pusher_internal:subscription_succeeded');
  assert.ok(snapshot.data.includes(`"12345678901234567890":${info}`), snapshot.data);
  const added = await watcher.event(ADDED);
  assert.strictEqual(added.data, channelData);
  client.destroy();
  assert.strictEqual((await watcher.event(REMOVED)).data, '{"user_id":12345678901234567890}');
});

test('the PHP vector with raw UTF-8 and other members in channel_data', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const channelData =
    '{ "x":[1,{"user_id":"no"}], "user_info" : {"name":"Zoë 🚀"} ,"user_id" : "é" }';
  const { presence } = await client.subscribe(ROOM, { channelData });
  assert.deepStrictEqual(presence, { count: 1, ids: ['é'], hash: { é: { name: 'Zoë 🚀' } } });
});

test('user_info may be any JSON value', BOTH, async (t) => {
  const server = await t.server();
  const values = [true, false, null, 0, -1.5, '', 'text', [], [1, [2]], {}, { a: { b: [{}] } }];
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  for (const value of values) {
    const { presence } = await client.subscribe(ROOM, person('1', value));
    assert.deepStrictEqual(presence.hash['1'], value);
    assert.deepStrictEqual((await watcher.event(ADDED)).json, { user_id: '1', user_info: value });
    client.unsubscribe(ROOM);
    await watcher.event(REMOVED);
  }
  const { presence } = await client.subscribe(ROOM, person('1'));
  assert.ok('1' in presence.hash);
  assert.ok([null, '{}', '[]'].includes(presence.hash['1'] && JSON.stringify(presence.hash['1'])));
});

test('the newest user_info of a person is the one that later snapshots have', BOTH, async (t) => {
  const server = await t.server();
  const [first, second] = await t.rawOnEach(server);
  await first.subscribe(ROOM, person('1', 'old'));
  const { presence } = await second.subscribe(ROOM, person('1', 'new'));
  assert.deepStrictEqual(presence.hash, { 1: 'new' });
  const third = await t.raw(server);
  assert.strictEqual((await third.subscribe(ROOM, person('2'))).presence.hash['1'], 'new');
});

test('subscribing again as somebody else is leaving and joining', BOTH, async (t) => {
  const server = await t.server();
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  await client.subscribe(ROOM, person('1'));
  await watcher.event(ADDED);
  const { presence } = await client.subscribe(ROOM, person('2'));
  assert.deepStrictEqual(presence.ids.sort(), ['2', 'w']);
  const next = [await watcher.take(() => true, 'change'), await watcher.take(() => true, 'change')];
  assert.deepStrictEqual(
    next.map((frame) => [frame.event, frame.json.user_id]),
    [
      [REMOVED, '1'],
      [ADDED, '2'],
    ],
  );
  await api.publish(server, ROOM, 'marker');
  await client.event('marker');
  assert.deepStrictEqual(client.unread(ROOM), []);
});

test('who becomes somebody else in a full room keeps the place', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.presence_members': 2 } });
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  await client.subscribe(ROOM, person('1'));
  const { presence } = await client.subscribe(ROOM, person('2'));
  assert.deepStrictEqual(presence.ids.sort(), ['2', 'w']);
  const tab = await t.raw(server);
  await tab.subscribe(ROOM, person('2'));
  // Now the place is shared, and the room is full for a third person.
  await client.subscribeRefused(ROOM, person('3'));
  assert.deepStrictEqual((await usersOf(server)).map(({ id }) => id).sort(), ['2', 'w']);
});

test('limits.presence_members counts people', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.presence_members': 2 } });
  const [first, second] = await t.rawOnEach(server);
  await first.subscribe(ROOM, person('1'));
  await second.subscribe(ROOM, person('2'));
  const third = await t.raw(server);
  const error = await third.subscribeRefused(ROOM, person('3'));
  assert.strictEqual(error.data.type, 'LimitReached');
  assert.strictEqual(error.data.status, 4100);
  assert.match(error.data.error, /2/);
  assert.strictEqual((await third.subscribe(ROOM, person('2'))).presence.count, 2);
  assert.deepStrictEqual(
    first.unread((f) => f.event === ADDED && f.json.user_id !== '2'),
    [],
  );
  second.unsubscribe(ROOM);
  third.unsubscribe(ROOM);
  await first.event(REMOVED);
  await third.subscribe(ROOM, person('3'));
});

test('limits.presence_member_bytes bounds user_info, user ids have 128 characters', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.presence_member_bytes': 100 } });
  const client = await t.raw(server);
  const error = await client.subscribeRefused(ROOM, person('1', { x: 'y'.repeat(100) }));
  assert.strictEqual(error.data.type, 'LimitReached');
  assert.strictEqual(error.data.status, 4301);
  assert.match(error.data.error, /100/);
  client.sendSubscribe(ROOM, person('u'.repeat(129)));
  await client.event('pusher:subscription_error');
  assert.deepStrictEqual(await usersOf(server), []);
  await client.subscribe(ROOM, person('u'.repeat(128), { x: 'y'.repeat(90) }));
});

test('a bad signature is told before any limit, and leaks nothing', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.presence_members': 1 } });
  const client = await t.raw(server);
  for (let i = 0; i < 3; i++) {
    client.sendSubscribe(ROOM, { ...person('1', { x: 'y'.repeat(5000) }), auth: 'app-key:00' });
    assert.strictEqual((await client.event('pusher:subscription_error')).data.type, 'AuthError');
  }
  await client.subscribe(ROOM, person('1'));
});

test('a person may be in many rooms, and leaves all of them at once', BOTH, async (t) => {
  const server = await t.server();
  const [watcher, client] = await t.rawOnEach(server);
  const rooms = Array.from({ length: 30 }, (_, n) => `presence-${n}`);
  for (const room of rooms) {
    await watcher.subscribe(room, person('w'));
    await client.subscribe(room, person('1'));
  }
  client.destroy();
  for (const room of rooms) {
    assert.strictEqual((await watcher.event(REMOVED, room)).json.user_id, '1');
    assert.deepStrictEqual(await usersOf(server, room), [{ id: 'w' }]);
  }
});

test('what a client sees of joins and leaves adds up to the roster', BOTH, async (t) => {
  const server = await t.server();
  const N = 24;
  const clients = await Promise.all(Array.from({ length: N }, () => t.raw(server)));
  // Two tabs a person, all at once; then every third tab leaves, all at once.
  clients.forEach((client, n) => client.sendSubscribe(ROOM, person(`u${n >> 1}`)));
  const snapshots = await Promise.all(
    clients.map((client) => client.event('pusher_internal:subscription_succeeded', ROOM)),
  );
  const left = clients.filter((_, n) => n % 3 === 0 || n % 6 === 1);
  const stay = clients.filter((client) => !left.includes(client));
  for (const client of left) client.unsubscribe(ROOM);
  await Promise.all(left.map((client) => client.ping()));
  await api.publish(server, ROOM, 'end');
  await Promise.all(stay.map((client) => client.event('end')));
  const truth = (await usersOf(server)).map(({ id }) => id).sort();
  for (const client of stay) {
    const seen = new Set(snapshots[clients.indexOf(client)].json.presence.ids);
    for (const { event, json } of client.frames.all) {
      if (event === ADDED) {
        assert.ok(!seen.has(json.user_id), `${json.user_id} added twice`);
        seen.add(json.user_id);
      } else if (event === REMOVED) {
        assert.ok(seen.delete(json.user_id), `${json.user_id} removed, but was not there`);
      }
    }
    assert.deepStrictEqual([...seen].sort(), truth);
  }
});

test('a large room: everybody is in the snapshot once', { ...BOTH, ms: 60_000 }, async (t) => {
  const server = await t.server();
  const clients = await Promise.all(Array.from({ length: 300 }, () => t.raw(server)));
  await Promise.all(clients.map((client, n) => client.subscribe(ROOM, person(n, { n }))));
  const last = await t.raw(server);
  const { presence } = await last.subscribe(ROOM, person('last'));
  assert.strictEqual(presence.count, 301);
  assert.strictEqual(new Set(presence.ids).size, 301);
  assert.strictEqual(Object.keys(presence.hash).length, 301);
  for (let n = 0; n < 300; n++) assert.deepStrictEqual(presence.hash[n], { n });
});

test('presence with a signed-in user needs no channel_data', BOTH, async (t) => {
  const server = await t.server();
  const [watcher, client] = await t.rawOnEach(server);
  await watcher.subscribe(ROOM, person('w'));
  await client.signin({ id: '5', user_info: { name: 'Eve' } });
  await client.subscribe(ROOM);
  assert.deepStrictEqual((await watcher.event(ADDED)).json, {
    user_id: '5',
    user_info: { name: 'Eve' },
  });
  client.unsubscribe(ROOM);
  await watcher.event(REMOVED);
  await client.subscribe(ROOM, person('6'));
  assert.strictEqual((await watcher.event(ADDED)).json.user_id, '6');
});

test('the roster of the API follows', BOTH, async (t) => {
  const server = await t.server();
  const [ann, bob] = await t.rawOnEach(server);
  assert.deepStrictEqual(await usersOf(server), []);
  await ann.subscribe(ROOM, person('1'));
  await bob.subscribe(ROOM, person(2));
  assert.deepStrictEqual((await usersOf(server)).map(({ id }) => String(id)).sort(), ['1', '2']);
  ann.destroy();
  await poll(async () => (await usersOf(server)).length === 1, 'one member less');
});
