// SPDX-License-Identifier: MIT
//
// All kinds of channels but presence: who may subscribe, what a subscriber gets, names and limits.
'use strict';

const assert = require('node:assert');
const nacl = require('tweetnacl');
const api = require('./lib/api');
const { MASTER_KEY, sdk } = require('./lib/backend');
const { connected, fires, inState, subscribed } = require('./lib/clients');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

for (const version of [4, 7, 8]) {
  test(`pusher-js ${version}: public and private channels`, BOTH, async (t) => {
    const server = await t.server();
    const backend = await t.backend(server);
    const pusher = t.pusher(server, { version, backend });
    for (const name of [
      'orders',
      'private-orders.7',
      'private-App.Models.User.1',
      'a_b-c=d@e,f.g;h',
    ]) {
      const channel = await subscribed(pusher, name);
      const event = fires(channel, 'shipped');
      await api.publish(server, name, 'shipped', '{"id":7,"name":"Zoë"}');
      assert.deepStrictEqual(await event, { id: 7, name: 'Zoë' });
    }
    assert.strictEqual(backend.requests.length, 2);
  });

  test(`pusher-js ${version}: a bad signature is told to the channel`, async (t) => {
    const server = await t.server();
    const liar = { ...server, app: { ...server.app, secret: 'another secret' } };
    const pusher = t.pusher(server, { version, backend: await t.backend(liar) });
    await connected(pusher);
    const onConnection = fires(pusher.connection, 'error');
    const refused = fires(pusher.subscribe('private-x'), 'pusher:subscription_error');
    const error = await refused;
    assert.strictEqual(error.type, 'AuthError');
    assert.strictEqual(error.status, 401);
    assert.match(JSON.stringify(await onConnection), /4009/);
    assert.strictEqual(pusher.connection.state, 'connected');
    assert.ok((await subscribed(pusher, 'open')).subscribed);
  });
}

test('a published event reaches the subscribers of all workers', QUICK, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const client of clients) await client.subscribe('orders');
  const bystander = await t.raw(server);
  await bystander.subscribe('order');
  await api.publish(server, 'orders', 'shipped', '{"id":7}');
  for (const client of clients) {
    const frame = await client.event('shipped');
    assert.strictEqual(frame.text, '{"event":"shipped","channel":"orders","data":"{\\"id\\":7}"}');
  }
  await api.publish(server, 'order', 'marker');
  await bystander.event('marker');
  assert.deepStrictEqual(bystander.frames.unread, []);
});

test('subscription_succeeded has "{}" as data', async (t) => {
  const client = await t.raw(await t.server());
  client.sendSubscribe('orders');
  const frame = await client.event('pusher_internal:subscription_succeeded');
  assert.strictEqual(frame.channel, 'orders');
  assert.strictEqual(frame.data, '{}');
});

test('subscribe: auth may be missing, null or empty on public channels', async (t) => {
  const client = await t.raw(await t.server());
  const forms = [
    { channel: 'a' },
    { channel: 'b', auth: null, channel_data: null },
    { channel: 'c', auth: '' },
    '{"channel":"d","auth":""}',
  ];
  for (const data of forms) {
    client.send({ event: 'pusher:subscribe', data });
    await client.event('pusher_internal:subscription_succeeded');
  }
});

const SIGNED = [
  'private-x',
  'private-cache-x',
  'private-encrypted-x',
  'private-encrypted-cache-x',
  'presence-x',
  'presence-cache-x',
];

for (const name of SIGNED) {
  test(
    `${name}: only with a right signature`,
    { workers: [1], quick: name === 'private-x' },
    async (t) => {
      const server = await t.server();
      const client = await t.raw(server);
      const other = await t.raw(server);
      const user = name.startsWith('presence') ? { user: { user_id: '1' } } : {};
      const data = user.user && JSON.stringify(user.user);
      const right = api.channelAuth(server.app, client.socketId, name, data);
      const flipped = right.slice(0, -1) + (right.endsWith('0') ? '1' : '0');
      const wrong = [
        flipped,
        right.replace('app-key', 'app-kez'),
        right.slice('app-key:'.length),
        right.slice(0, 'app-key:'.length) + right.slice('app-key:'.length).toUpperCase(),
        right + '0',
        right.slice(0, -1),
        'app-key:',
        ':',
        '',
        null,
        undefined,
        7,
        {},
        api.channelAuth(server.app, other.socketId, name, data),
        api.channelAuth(server.app, client.socketId, `${name}y`, data),
        api.channelAuth({ key: 'app-key', secret: 'no' }, client.socketId, name, data),
      ];
      for (const auth of wrong) {
        client.sendSubscribe(name, { ...user, auth });
        const first = await client.take(() => true, `answer to auth ${JSON.stringify(auth)}`);
        if (first.event === 'pusher:error' && (auth === 7 || auth?.constructor === Object))
          continue;
        assert.strictEqual(first.event, 'pusher:subscription_error', `${auth}: ${first.text}`);
        assert.strictEqual(first.channel, name);
        assert.strictEqual(first.data.type, 'AuthError');
        assert.strictEqual(first.data.status, 401);
        const second = await client.take(() => true, 'pusher:error');
        assert.strictEqual(second.event, 'pusher:error');
        assert.strictEqual(second.channel, name);
        assert.strictEqual(second.data.code, 4009);
      }
      await client.ping();
      const channels = await api.get(server, '/channels');
      assert.deepStrictEqual(channels, { channels: {} });
      await client.subscribe(name, user);
    },
  );
}

test('a private channel may be signed together with channel_data', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('private-x', { channelData: '{"a":1}' });
  const auth = api.channelAuth(server.app, client.socketId, 'private-y');
  client.send({
    event: 'pusher:subscribe',
    data: { channel: 'private-y', auth, channel_data: '' },
  });
  await client.event('pusher_internal:subscription_succeeded', 'private-y');
});

test('presence without a usable channel_data is refused', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const bad = [
    '',
    'x',
    '[]',
    '"1"',
    'null',
    '{}',
    '{"user_id":null}',
    '{"user_id":{}}',
    '{"user_id":""}',
  ];
  for (const channelData of bad) {
    const error = await client.subscribeRefused('presence-x', { channelData });
    assert.strictEqual(error.data.type, 'AuthError', channelData);
    await client.event('pusher:error');
  }
  client.sendSubscribe('presence-x', {});
  await client.event('pusher:subscription_error');
  client.sendSubscribe('presence-x', { user: { user_id: '1' }, channel_data: { user_id: '1' } });
  await client.take((frame) => /error/.test(frame.event), 'refusal of an object');
  await client.ping();
  assert.deepStrictEqual(await api.get(server, '/channels'), { channels: {} });
});

for (const version of [7, 8]) {
  test(`pusher-js ${version}: encrypted channels, published by the Node SDK`, BOTH, async (t) => {
    const server = await t.server();
    const backend = await t.backend(server);
    const pusher = t.pusher(server, { version, backend, nacl });
    for (const name of ['private-encrypted-vault', 'private-encrypted-cache-vault']) {
      const channel = await subscribed(pusher, name);
      const event = fires(channel, 'secret');
      await sdk(server).trigger(name, 'secret', { pin: 1234 });
      assert.deepStrictEqual(await event, { pin: 1234 });
    }
    const late = t.pusher(server, { version, backend });
    const cached = fires(late.subscribe('private-encrypted-cache-vault'), 'secret');
    assert.deepStrictEqual(await cached, { pin: 1234 });
  });
}

test('encrypted channels: the server passes on ciphertext, nothing else', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('private-encrypted-vault');
  await sdk(server).trigger('private-encrypted-vault', 'secret', { pin: 1234 });
  const frame = await client.event('secret');
  assert.ok(!frame.text.includes('1234'));
  const name = Buffer.from('private-encrypted-vault');
  const master = Buffer.from(MASTER_KEY, 'base64');
  const key = require('node:crypto').createHash('sha256').update(name).update(master).digest();
  const box = Buffer.from(frame.json.ciphertext, 'base64');
  const plain = nacl.secretbox.open(box, Buffer.from(frame.json.nonce, 'base64'), key);
  assert.strictEqual(Buffer.from(plain).toString(), '{"pin":1234}');
});

const CACHES = [
  'cache-btc',
  'private-cache-btc',
  'presence-cache-btc',
  'private-encrypted-cache-btc',
];

for (const name of CACHES) {
  test(
    `${name}: cache_miss, then the last event`,
    { ...BOTH, quick: name === CACHES[0] },
    async (t) => {
      const server = await t.server();
      const user = name.startsWith('presence') ? (n) => ({ user: { user_id: n } }) : () => ({});
      const [first, second] = await t.rawOnEach(server);
      await first.subscribe(name, user('1'));
      const miss = await first.take(() => true, 'cache_miss');
      assert.strictEqual(miss.event, 'pusher:cache_miss');
      assert.strictEqual(miss.channel, name);
      await api.publish(server, name, 'tick', '{"p":1}');
      await api.publish(server, name, 'tock', '{"p":2.0}', { socket_id: first.socketId });
      await first.event('tick');
      await second.subscribe(name, user('2'));
      const hit = await second.take(() => true, 'cached event');
      assert.strictEqual(hit.text, `{"event":"tock","channel":"${name}","data":"{\\"p\\":2.0}"}`);
      await first.close();
      await second.close();
      await server.hasConnections(0);
      const third = await t.raw(server);
      await third.subscribe(name, user('3'));
      assert.strictEqual((await third.take(() => true, 'cached event')).event, 'tock');
    },
  );
}

test('a cache is filled without subscribers, too, and not by client events', async (t) => {
  const server = await t.server();
  await api.publish(server, 'cache-a', 'tick', '1');
  const client = await t.raw(server);
  await client.subscribe('cache-a');
  await client.event('tick');
  const other = await t.raw(server);
  await client.subscribe('private-cache-a');
  await other.subscribe('private-cache-a');
  other.trigger('client-x', 'private-cache-a', {});
  await client.event('client-x');
  const third = await t.raw(server);
  await third.subscribe('private-cache-a');
  await third.event('pusher:cache_miss');
});

test('cache_ttl_s ends a cached event', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.cache_ttl_s': 1 } });
  await api.publish(server, 'cache-a', 'tick', '1');
  const seen = [];
  await poll(async () => {
    const client = await t.raw(server);
    await client.subscribe('cache-a');
    const next = await client.take(() => true, 'event or cache_miss');
    await client.close();
    seen.push(next.event);
    return next.event === 'pusher:cache_miss';
  }, 'cache_miss after the TTL');
  assert.strictEqual(seen[0], 'tick');
});

test('an event and its cached copy never come twice', BOTH, async (t) => {
  const server = await t.server();
  const publisher = (async () => {
    for (let n = 1; n <= 60; n++) await api.publish(server, 'cache-n', 'n', String(n));
  })();
  const joiners = [];
  for (let i = 0; i < 20; i++) {
    const client = await t.raw(server);
    joiners.push(client);
    client.sendSubscribe('cache-n');
  }
  await publisher;
  await api.publish(server, 'cache-n', 'end');
  for (const client of joiners) {
    await client.event('end');
    const numbers = client.frames.all.filter((f) => f.event === 'n').map((f) => f.json);
    for (let i = 1; i < numbers.length; i++) assert.strictEqual(numbers[i], numbers[i - 1] + 1);
    if (numbers.length > 0) assert.strictEqual(numbers.at(-1), 60);
  }
});

test('names decide only by what they begin with', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const open = [
    'my-private-x',
    'xcache-y',
    'privateer',
    'private',
    'presence',
    'cachet',
    'x-presence-y',
  ];
  for (const name of open) {
    await client.subscribe(name);
    await client.ping();
    assert.deepStrictEqual(client.unread(name), []);
  }
});

test('names: what is not allowed is refused and nothing else happens', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const bad = [
    '',
    ' ',
    'a b',
    'a:b',
    'a/b',
    'a#',
    '#a',
    'ä',
    'a\u0000b',
    'a\n',
    'a*',
    'x'.repeat(201),
  ];
  for (const name of bad) {
    client.sendSubscribe(name);
    const answer = await client.take(() => true, `refusal of ${JSON.stringify(name)}`);
    assert.match(answer.event, /^pusher:(subscription_)?error$/, answer.text);
    await client.ping();
    client.frames.unread.splice(0);
  }
  const long = await client.subscribeRefused('x'.repeat(201));
  assert.strictEqual(long.data.type, 'LimitReached');
  assert.strictEqual(long.data.status, 4009);
  assert.match(long.data.error, /200/);
  await client.subscribe('x'.repeat(200));
});

test('strict_channel_names=false allows other characters', async (t) => {
  const server = await t.server({ set: { strict_channel_names: 'false' } });
  const client = await t.raw(server);
  for (const name of ['a b', 'a:b', 'a/b']) await client.subscribe(name);
  await api.publish(server, 'a:b', 'x');
  await client.event('x', 'a:b');
});

test('limits.subscriptions bounds the channels of a connection', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.limits.subscriptions': 3 } });
  const client = await t.raw(server);
  for (const name of ['a', 'b', 'c']) await client.subscribe(name);
  const error = await client.subscribeRefused('d');
  assert.strictEqual(error.data.type, 'LimitReached');
  assert.match(error.data.error, /3/);
  await client.subscribe('a');
  client.unsubscribe('a');
  await client.subscribe('d');
});

test('subscribing again is answered again and counts once', BOTH, async (t) => {
  const server = await t.server();
  const [client, other] = await t.rawOnEach(server);
  await other.subscribe('presence-a', { user: { user_id: '9' } });
  for (let i = 0; i < 3; i++) {
    await client.subscribe('orders');
    await client.subscribe('private-a');
    const snapshot = await client.subscribe('presence-a', { user: { user_id: '1' } });
    assert.deepStrictEqual(snapshot.presence.ids.sort(), ['1', '9']);
  }
  await api.publish(server, ['orders', 'private-a', 'presence-a'], 'once');
  await api.publish(server, ['orders', 'private-a', 'presence-a'], 'end');
  for (const name of ['orders', 'private-a', 'presence-a']) {
    await client.event('end', name);
    await client.event('once', name);
    assert.deepStrictEqual(client.unread(name), []);
  }
  await other.event('end');
  const added = other.frames.all.filter((f) => f.event === 'pusher_internal:member_added');
  assert.strictEqual(added.length, 1);
  const info = { info: 'subscription_count' };
  assert.strictEqual((await api.get(server, '/channels/orders', info)).subscription_count, 1);
  client.sendSubscribe('private-a', { auth: 'app-key:00' });
  await client.event('pusher:subscription_error');
  client.unsubscribe('orders');
  await poll(
    async () => !(await api.get(server, '/channels/orders')).occupied,
    'empty channel after one unsubscribe',
  );
});

test('after unsubscribing nothing comes', BOTH, async (t) => {
  const server = await t.server();
  const [client, other] = await t.rawOnEach(server);
  for (const name of ['a', 'b']) {
    await client.subscribe(name);
    await other.subscribe(name);
  }
  client.unsubscribe('a');
  client.unsubscribe('a');
  client.unsubscribe('never');
  await client.ping();
  await api.publish(server, 'a', 'x');
  await api.publish(server, 'b', 'x');
  await other.event('x', 'a');
  await client.event('x', 'b');
  assert.deepStrictEqual(client.frames.unread, []);
  await client.subscribe('a');
  await api.publish(server, 'a', 'y');
  await client.event('y', 'a');
});

test('subscribe and unsubscribe at once are processed in order', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  for (let i = 0; i < 50; i++) {
    client.sendSubscribe('a');
    client.unsubscribe('a');
  }
  await client.ping();
  const answers = client.unread(
    (frame) => frame.event === 'pusher_internal:subscription_succeeded',
  );
  assert.strictEqual(answers.length, 50);
  assert.strictEqual((await api.get(server, '/channels/a')).occupied, false);
});

const KINDS = ['a', 'private-a', 'presence-a', 'private-encrypted-a'];

for (const how of ['unsubscribe', 'close', 'destroy']) {
  test(`nothing is left behind after ${how}`, BOTH, async (t) => {
    const server = await t.server();
    const clients = await t.rawOnEach(server);
    for (const client of clients) {
      for (const name of KINDS) {
        await client.subscribe(name, {
          user: name.startsWith('presence') ? { user_id: 1 } : undefined,
        });
      }
    }
    assert.deepStrictEqual(Object.keys((await api.get(server, '/channels')).channels).length, 4);
    for (const client of clients) {
      if (how === 'unsubscribe') for (const name of KINDS) client.unsubscribe(name);
      else client[how]();
    }
    await poll(
      async () => Object.keys((await api.get(server, '/channels')).channels).length === 0,
      'empty list of channels',
    );
    await server.hasConnections(how === 'unsubscribe' ? clients.length : 0);
  });
}

test('many channels on many connections', BOTH, async (t) => {
  const server = await t.server();
  const clients = await Promise.all(Array.from({ length: 20 }, () => t.raw(server)));
  const names = Array.from({ length: 50 }, (_, n) => `c${n}`);
  await Promise.all(
    clients.map((client) => Promise.all(names.map((name) => client.subscribe(name)))),
  );
  await Promise.all(names.map((name) => api.publish(server, name, 'x', `"${name}"`)));
  for (const client of clients) {
    for (const name of names) assert.strictEqual((await client.event('x', name)).json, name);
    assert.deepStrictEqual(client.frames.unread, []);
  }
});

test('pusher-js 8: after a disconnect everything is subscribed again', BOTH, async (t) => {
  const server = await t.server();
  const pusher = t.pusher(server, { backend: await t.backend(server) });
  const channels = [await subscribed(pusher, 'a'), await subscribed(pusher, 'private-a')];
  const before = pusher.connection.socket_id;
  pusher.disconnect();
  await inState(pusher, 'disconnected');
  const again = channels.map((channel) => fires(channel, 'pusher:subscription_succeeded'));
  pusher.connect();
  await Promise.all(again);
  assert.notStrictEqual(pusher.connection.socket_id, before);
  const events = channels.map((channel) => fires(channel, 'x'));
  await api.publish(server, ['a', 'private-a'], 'x');
  await Promise.all(events);
});
