// SPDX-License-Identifier: MIT
//
// Client events: every check in its order, and what the others get.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { fires, subscribed } = require('./lib/clients');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };

// Two clients in the channel, on two workers where there are two.
async function pair(t, server, channel = 'private-a') {
  const clients = await t.rawOnEach(server);
  const user = (n) => (channel.startsWith('presence') ? { user: { user_id: `u${n}` } } : {});
  for (const [n, client] of clients.entries()) await client.subscribe(channel, user(n));
  for (const client of clients) await client.ping();
  for (const client of clients) client.frames.unread.splice(0);
  return clients;
}

// What the receiver has got of `channel` when all that was sent before has come to it.
async function received(server, receiver, channel = 'private-a') {
  await api.publish(server, channel, 'marker');
  await receiver.event('marker', channel);
  return receiver.unread(channel);
}

// The sender must get an error with this code and the receiver nothing; nobody is closed.
async function refused(server, [sender, receiver], frame, code) {
  sender.send(frame);
  const error = await sender.event('pusher:error');
  assert.strictEqual(error.data.code, code, error.text);
  assert.strictEqual(error.channel, frame.channel);
  await sender.ping();
  if (receiver) assert.deepStrictEqual(await received(server, receiver), []);
  return error.data.message;
}

for (const version of [4, 7, 8]) {
  test(
    `pusher-js ${version}: whispers go to the others, with user_id on presence`,
    BOTH,
    async (t) => {
      const server = await t.server();
      const backend = await t.backend(server);
      const pushers = ['1', '2'].map((id) =>
        t.pusher(server, { version, backend, user: { user_id: id, user_info: {} } }),
      );
      for (const name of ['private-a', 'presence-a', 'private-cache-a']) {
        const [sender, receiver] = [
          await subscribed(pushers[0], name),
          await subscribed(pushers[1], name),
        ];
        let metadata;
        receiver.bind('client-typing', (_, more) => (metadata = more));
        const event = fires(receiver, 'client-typing');
        assert.ok(sender.trigger('client-typing', { on: true }));
        assert.deepStrictEqual(await event, { on: true });
        if (version >= 7 && name === 'presence-a') assert.strictEqual(metadata.user_id, '1');
      }
    },
  );
}

test(
  'private: others get it as it was sent, the sender does not',
  { ...BOTH, quick: true },
  async (t) => {
    const server = await t.server();
    const [sender, receiver] = await pair(t, server);
    const third = await t.raw(server);
    sender.send(
      '{"data" : {"on":true, "x":1.0} ,"user_id":"spoof","channel":"private-a",' +
        '"extra":[1],"event":"client-typing"}',
    );
    const frame = await receiver.event('client-typing');
    const { event, channel, data, user_id: userId, extra } = frame;
    assert.deepStrictEqual(
      { event, channel, data, userId, extra },
      {
        event: 'client-typing',
        channel: 'private-a',
        data: { on: true, x: 1 },
        userId: undefined,
        extra: undefined,
      },
    );
    assert.ok(frame.text.includes('"data":{"on":true, "x":1.0}'), frame.text);
    await api.publish(server, 'private-a', 'marker');
    await sender.event('marker');
    assert.deepStrictEqual(sender.frames.unread, []);
    await third.ping();
    assert.deepStrictEqual(third.frames.unread, []);
  },
);

test('presence: user_id is the sender’s, whatever it says', BOTH, async (t) => {
  const server = await t.server();
  const [sender, receiver] = await pair(t, server, 'presence-a');
  sender.send({ event: 'client-x', channel: 'presence-a', data: {}, user_id: 'spoof' });
  assert.strictEqual((await receiver.event('client-x')).user_id, 'u0');
  const tab = await t.raw(server);
  await tab.subscribe('presence-a', { user: { user_id: 'u0' } });
  sender.trigger('client-y', 'presence-a', {});
  assert.strictEqual((await tab.event('client-y')).user_id, 'u0');
});

test('all kinds of data', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.client_events_per_second': 0 } });
  const [sender, receiver] = await pair(t, server);
  const tokens = [
    '{}',
    '{"a":[1,{"b":null}]}',
    '[]',
    '[1,2]',
    '"text"',
    '""',
    '"{\\"a\\":1}"',
    '5',
    '-0',
    '1.0',
    '1e400',
    '12345678901234567890',
    'true',
    'null',
  ];
  for (const token of tokens) {
    sender.send(`{"event":"client-x","channel":"private-a","data":${token}}`);
    const frame = await receiver.event('client-x');
    assert.ok(frame.text.includes(`"data":${token}`), frame.text);
  }
  sender.send('{"event":"client-x","channel":"private-a"}');
  const frame = await receiver.event('client-x');
  assert.ok(frame.data === undefined || frame.data === null || frame.data === '', frame.text);
});

test('event names pass untouched', async (t) => {
  const server = await t.server();
  const [sender, receiver] = await pair(t, server);
  for (const name of ['client-', 'client-a.b', 'client-App\\Events\\X', 'client-ë🚀', 'client-"']) {
    sender.trigger(name, 'private-a', {});
    await receiver.event(name);
  }
});

test('disabled: 4301', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.client_events': 'none' } });
  const clients = await pair(t, server);
  const frame = { event: 'client-x', channel: 'private-a', data: {} };
  assert.match(await refused(server, clients, frame, 4301), /client/);
});

test('not a client event: ignored', async (t) => {
  const server = await t.server();
  const [sender, receiver] = await pair(t, server);
  for (const event of [
    'typing',
    'my-client-x',
    'Client-x',
    'pusher_internal:member_added',
    'client',
  ]) {
    sender.trigger(event, 'private-a', {});
  }
  await sender.ping();
  assert.deepStrictEqual(sender.frames.unread, []);
  assert.deepStrictEqual(await received(server, receiver), []);
});

test('not on public channels', async (t) => {
  const server = await t.server();
  const [sender, receiver] = await pair(t, server, 'room');
  await receiver.subscribe('cache-room');
  await sender.subscribe('cache-room');
  for (const channel of ['room', 'cache-room']) {
    sender.trigger('client-x', channel, {});
    const error = await sender.event('pusher:error');
    assert.strictEqual(error.channel, channel);
    assert.ok([4301, 4009].includes(error.data.code), error.text);
  }
  assert.deepStrictEqual(await received(server, receiver, 'room'), []);
});

test('client_events_on_public_channels allows them', BOTH, async (t) => {
  const server = await t.server({
    set: { 'apps.app-id.client_events_on_public_channels': 'true' },
  });
  const [sender, receiver] = await pair(t, server, 'room');
  sender.trigger('client-x', 'room', { a: 1 });
  assert.deepStrictEqual((await receiver.event('client-x', 'room')).data, { a: 1 });
  const stranger = await t.raw(server);
  stranger.trigger('client-x', 'room', {});
  assert.strictEqual((await stranger.event('pusher:error')).data.code, 4009);
});

test('not a member: 4009', BOTH, async (t) => {
  const server = await t.server();
  const [, receiver] = await pair(t, server);
  const stranger = await t.raw(server);
  const frame = { event: 'client-x', channel: 'private-a', data: {} };
  const text = await refused(server, [stranger, receiver], frame, 4009);
  assert.strictEqual(text, 'The client is not a member of the specified channel.');
  await stranger.subscribe('private-a');
  stranger.unsubscribe('private-a');
  await refused(server, [stranger, receiver], frame, 4009);
});

test('name too long: 4301', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.event_name': 20 } });
  const clients = await pair(t, server);
  const frame = { event: `client-${'x'.repeat(14)}`, channel: 'private-a', data: {} };
  assert.match(await refused(server, clients, frame, 4301), /20/);
  clients[0].trigger(`client-${'x'.repeat(13)}`, 'private-a', {});
  await clients[1].event(`client-${'x'.repeat(13)}`);
});

test('data too large: 4301', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.message_bytes': 1000 } });
  const clients = await pair(t, server);
  const frame = (data) => ({ event: 'client-x', channel: 'private-a', data });
  assert.match(await refused(server, clients, frame('x'.repeat(1001)), 4301), /1000/);
  await refused(server, clients, frame({ a: 'x'.repeat(993) }), 4301);
  for (const data of ['x'.repeat(1000), { a: 'x'.repeat(992) }, '"'.repeat(1000)]) {
    clients[0].send(frame(data));
    assert.deepStrictEqual((await clients[1].event('client-x')).data, data);
  }
});

test('more than 10 a second: 4301, until the second is over', BOTH, async (t) => {
  const server = await t.server();
  const [sender, receiver] = await pair(t, server);
  for (let n = 0; n < 40; n++) sender.trigger('client-n', 'private-a', n);
  await sender.ping();
  const errors = sender.frames.unread.filter((frame) => frame.event === 'pusher:error');
  assert.ok(errors.length >= 20 && errors.length <= 30, `${errors.length} of 40 refused`);
  assert.ok(errors.every((frame) => frame.data.code === 4301 && frame.channel === 'private-a'));
  const got = await received(server, receiver);
  assert.strictEqual(got.length, 40 - errors.length);
  await poll(async () => {
    sender.frames.unread.splice(0);
    sender.trigger('client-later', 'private-a', {});
    await sender.ping();
    return sender.frames.unread.length === 0;
  }, 'client event that is not refused');
  await receiver.event('client-later');
});

test('the rate is per connection, and 0 means no limit', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.client_events_per_second': 0 } });
  const [sender, receiver] = await pair(t, server);
  for (let n = 0; n < 200; n++) sender.trigger('client-n', 'private-a', n);
  for (let n = 0; n < 200; n++) assert.strictEqual((await receiver.event('client-n')).data, n);
  await sender.ping();
  assert.deepStrictEqual(sender.frames.unread, []);
});

test('a sender’s order is kept', BOTH, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.client_events_per_second': 0 } });
  const [a, b] = await pair(t, server);
  const third = await t.raw(server);
  await third.subscribe('private-a');
  for (let n = 0; n < 300; n++) {
    a.trigger('client-a', 'private-a', n);
    b.trigger('client-b', 'private-a', n);
  }
  await a.ping();
  await b.ping();
  await received(server, third);
  for (const name of ['client-a', 'client-b']) {
    const numbers = third.frames.all.filter((f) => f.event === name).map((f) => f.data);
    assert.deepStrictEqual(
      numbers,
      Array.from({ length: 300 }, (_, n) => n),
    );
  }
});
