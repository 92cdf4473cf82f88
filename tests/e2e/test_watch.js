// SPDX-License-Identifier: MIT
//
// The debug console and the explainer, as the dashboard uses them: the live stream with pusher-js,
// and a table of staged mistakes, each made with real clients.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { connected, fires, subscribed } = require('./lib/clients');
const { HASH } = require('./lib/login');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');
const {
  explain,
  facts,
  filterChannel,
  get,
  newest,
  post,
  token,
  watch,
  watcher,
} = require('./lib/watch');

const SHOP = { id: 'shop', key: 'shop-key', secret: 'e2e-shop-secret-x81' };
const BLOG = { id: 'blog', key: 'blog-key', secret: 'e2e-blog-secret-q27' };
const OFF = { id: 'off', key: 'off-key', secret: 'e2e-off-secret-0k3' };

// --- the live stream ---

const type = (name, more = {}) => (event) =>
  event.type === name && Object.entries(more).every(([key, value]) => event[key] === value);

test(
  'the debug console shows what laravel-websockets showed, and more',
  { workers: [1, 2], quick: true },
  async (t) => {
    const server = await t.server();
    const seen = await watch(t, server);
    const take = (name, more) => seen.take(type(name, more), `${name} ${JSON.stringify(more)}`);
    const client = await t.raw(server, { headers: { Origin: 'https://example.com' } });
    const opened = await take('connected');
    assert.strictEqual(opened.app, 'app-id');
    assert.strictEqual(opened.socket_id, client.socketId);
    assert.strictEqual(opened.client, 'js 8.6.0');
    assert.strictEqual(opened.origin, 'https://example.com');
    assert.strictEqual(opened.address, '127.0.0.1');
    assert.ok(Math.abs(opened.time - Date.now()) < 60_000);

    await client.subscribe('presence-room', { user: { user_id: '7' } });
    assert.strictEqual((await take('subscribed')).user_id, '7');
    assert.strictEqual((await take('occupied')).channel, 'presence-room');

    await api.publish(server, 'presence-room', 'App\\Events\\Paid', '{"id":7}');
    const message = await take('api-message');
    assert.deepStrictEqual(
      [message.channel, message.event, message.data, message.subscriptions, message.source],
      ['presence-room', 'App\\Events\\Paid', '{"id":7}', 1, 'api'],
    );
    const told = await take('delivered', { fact: message.fact });
    assert.deepStrictEqual([told.delivered, told.excluded, told.channel], [1, 0, 'presence-room']);

    client.trigger('client-typing', 'presence-room', { who: 7 });
    const whisper = await take('client-message');
    assert.deepStrictEqual(
      [whisper.event, whisper.data, whisper.socket_id],
      ['client-typing', '{"who":7}', client.socketId],
    );
    client.trigger('client-typing', 'nowhere', {});
    const refused = await take('refused');
    assert.strictEqual(refused.kind, 'client-event-refused');
    assert.ok(refused.code && refused.why && refused.fact);

    client.unsubscribe('presence-room');
    await take('unsubscribed', { channel: 'presence-room' });
    await take('vacated', { channel: 'presence-room' });
    await client.close();
    const gone = await take('disconnected', { socket_id: client.socketId });
    assert.strictEqual(gone.code, 1000);
  },
);

test('a filter lets through what it says, from all workers', { workers: [2] }, async (t) => {
  const server = await t.server({ apps: [SHOP, BLOG] });
  const seen = await watch(t, server, { app: 'shop', types: ['api-message'], channel: 'a' });
  for (let i = 0; i < 8; i++) {
    await api.publish(server, ['a', 'b'], 'one', '{}', {}, { app: SHOP });
    await api.publish(server, 'a', 'other', '{}', {}, { app: BLOG });
  }
  for (let i = 0; i < 8; i++) {
    const event = await seen.take(() => true, 'event');
    assert.deepStrictEqual(
      [event.type, event.app, event.channel, event.event],
      ['api-message', 'shop', 'a', 'one'],
    );
  }
});

test('what is no filter is refused, and so are other channels', async (t) => {
  const server = await t.server();
  const pusher = watcher(t, server);
  await connected(pusher);
  for (const name of ['watch-!', filterChannel({ types: ['nothing'] }), 'orders']) {
    const error = await fires(pusher.subscribe(name), 'pusher:subscription_error');
    assert.ok(error.error.length > 10, `${name}: ${JSON.stringify(error)}`);
  }
});

test('sixteen filters at a time, and a place is free when its last watcher has gone', async (t) => {
  const server = await t.server({ args: ['--workers', '2'] });
  const held = watcher(t, server);
  await connected(held);
  const places = Array.from({ length: 16 }, (_, n) => filterChannel({ event: `e${n}` }));
  for (const name of places) await subscribed(held, name);
  const other = watcher(t, server);
  await connected(other);
  let n = 0;
  // Whether there is room for one more filter, each time another one.
  const fits = () => {
    const channel = other.subscribe(filterChannel({ event: `more${n++}` }));
    return Promise.race([
      fires(channel, 'pusher:subscription_succeeded').then(() => true),
      fires(channel, 'pusher:subscription_error').then(({ error }) => !/filters/.test(error)),
    ]);
  };
  assert.ok(!(await fits()));
  await subscribed(other, places[3]);
  held.unsubscribe(places[3]);
  await subscribed(held, places[0]);
  assert.ok(!(await fits()), 'somebody else has it still');
  held.unsubscribe(places[4]);
  await poll(fits, 'the place of the filter that nobody has any more');
  assert.ok(!(await fits()), 'it is taken');
});

test('a flood of strangers does not push out what the app should know', async (t) => {
  const server = await t.server();
  await api.publish(server, 'order', 'lost');
  const client = await t.raw(server);
  for (let n = 0; n < 1200; n++) client.trigger('client-x', 'nowhere', {});
  const wrong = { ...server.app, secret: 'wrong' };
  for (let n = 0; n < 300; n++) {
    const body = { name: 'e', channels: ['c'], data: '{}' };
    const answer = await api.call(server, 'POST', '/events', { app: wrong, body });
    assert.strictEqual(answer.status, 401);
  }
  const known = await facts(server, { failed: 1, limit: 1000 });
  assert.ok(known.some((fact) => fact.event === 'lost'), 'the publish that nobody got');
  assert.ok(known.some((fact) => fact.status === 401), 'and the newest of the others');
});

test('the event creator measures data as the API does', async (t) => {
  const server = await t.server({ args: ['--set', 'app_defaults.limits.message_bytes=100'] });
  const send = (data) =>
    post(server, '/admin/publish', { app: 'app-id', channel: 'orders', name: 'paid', data });
  const text = '"'.repeat(100);
  assert.strictEqual((await send(text)).status, 200, 'escapes do not count');
  const more = await send(`${text}x`);
  assert.strictEqual(more.status, 400);
  assert.match(more.json.error, /101 bytes.*limits\.message_bytes allows 100/);
});

test('the app of the stream is in no list and no count, and no API reaches it', async (t) => {
  const server = await t.server();
  await watch(t, server);
  assert.deepStrictEqual(
    (await get(server, '/admin/apps')).map((app) => app.id),
    ['app-id'],
  );
  const workers = await get(server, '/admin/workers');
  const { websockets, opened, messages_in: texts } = workers[0];
  assert.deepStrictEqual([websockets, opened, texts], [0, 0, 0]);
  for (const app of ['peal-internal', 'app-id']) {
    const answer = await api.call(server, 'POST', '/events', {
      app: { ...server.app, id: app },
      body: { name: 'e', channels: ['watch'], data: '{}' },
    });
    assert.strictEqual(answer.status, app === 'app-id' ? 200 : 404);
  }
  const stranger = t.rawUnsure(server, { key: 'peal-internal' });
  assert.strictEqual((await stranger.closed()).code, 4001, 'the main listener does not know it');
  assert.deepStrictEqual(await facts(server, { app: 'peal-internal', kind: 'publish' }), []);
});

test('a busy server tells watchers what it left out, and publishes on', async (t) => {
  const server = await t.server();
  const channel = await subscribed(watcher(t, server), 'watch');
  let skipped = 0;
  let events = 0;
  channel.bind('watch', (batch) => {
    skipped += batch.skipped;
    events += batch.events.length;
  });
  const channels = Array.from({ length: 100 }, (_, i) => `c${i}`);
  const body = { name: 'e', channels, data: 'x'.repeat(4000) };
  for (let i = 0; i < 6; i++) await api.ok(server, 'POST', '/events', { body });
  await poll(() => events + skipped === 600, 'all 600 told or counted');
  assert.ok(skipped > 0, 'nothing was left out');
});

// --- what is remembered ---

test('failures are found behind what went well', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  await api.publish(server, 'order', 'lost');
  for (let n = 0; n < 5; n++) await api.publish(server, 'orders', 'well');
  const names = async (params) => (await facts(server, params)).map((fact) => fact.event);
  assert.deepStrictEqual(await names({ limit: 3 }), ['well', 'well', 'well']);
  assert.deepStrictEqual(await names({ limit: 3, failed: 1 }), ['lost']);
});

// --- tokens over the main listener ---

test('with a token one app can be watched over the main listener', async (t) => {
  const server = await t.server({
    apps: [SHOP, BLOG],
    set: { 'dashboard.expose': 'true', 'dashboard.password_hash': HASH },
    secrets: [HASH],
  });
  const at = { host: server.host, port: server.port };
  const key = `peal-internal?token=${token(SHOP)}&`;
  const seen = await watch(t, server, { app: 'shop' }, { key, at });
  await api.publish(server, 'b', 'other', '{}', {}, { app: BLOG });
  await api.publish(server, 'a', 'mine', '{}', {}, { app: SHOP });
  assert.strictEqual((await seen.take(() => true, 'event')).event, 'mine');
  const pusher = watcher(t, server, { key, at });
  for (const name of ['watch', 'stats', filterChannel({ app: 'blog' })]) {
    const error = await fires(pusher.subscribe(name), 'pusher:subscription_error');
    assert.match(error.error, /token/i);
  }
  const bad = [
    'peal-internal',
    'peal-internal?token=x&',
    `peal-internal?token=${token({ ...SHOP, secret: 'wrong' })}&`,
    `peal-internal?token=${token(SHOP, Math.floor(Date.now() / 1000) - 1)}&`,
    `peal-internal?token=${token(SHOP, Math.floor(Date.now() / 1000) + 7200)}&`,
  ];
  for (const one of bad) {
    const client = t.rawUnsure(server, { path: `/app/${one}protocol=7` });
    assert.strictEqual((await client.closed()).code, one === 'peal-internal' ? 4001 : 4009, one);
  }
});

test('a stream ends with its token', async (t) => {
  const server = await t.server({
    apps: [SHOP],
    set: { 'dashboard.expose': 'true', 'dashboard.password_hash': HASH },
    secrets: [HASH],
  });
  const soon = token(SHOP, Math.floor(Date.now() / 1000) + 3);
  const path = `/app/peal-internal?token=${soon}&protocol=7`;
  const client = t.rawUnsure(server, { path });
  const end = await client.closed();
  assert.strictEqual(end.code, 4009);
  assert.match(String(end.reason), /token/);
});

// --- the explainer ---

// Publishes and returns the explanation.
async function told(server, channels, name = 'paid', extra = {}, options = {}) {
  await api.call(server, 'POST', '/events', {
    app: SHOP,
    body: { name, channels: [].concat(channels), data: '{}', ...extra },
    ...options,
  });
  const fact = await newest(server);
  return explain(server, fact.id);
}

// Each row: what somebody does wrong, what he is told first.
const MISTAKES = [
  {
    mistake: 'a public channel instead of the private one',
    hint: 'other-kind',
    words: /private-orders\.7 has 1 subscription/,
    make: (server) => told(server, 'orders.7'),
  },
  {
    mistake: 'private instead of presence',
    hint: 'other-kind',
    words: /presence-room has 1/,
    make: (server) => told(server, 'private-room'),
  },
  {
    mistake: 'a letter of the channel is wrong',
    hint: 'near-channel',
    words: /private-orders\.7, with 1/,
    make: (server) => told(server, 'private-order.7'),
  },
  {
    mistake: 'the back end publishes to another app',
    hint: 'other-app',
    words: /The app shop has 1 subscription of private-orders\.7/,
    make: async (server) => {
      await api.publish(server, 'private-orders.7', 'e', '{}', {}, { app: BLOG });
      return explain(server, (await newest(server)).id);
    },
  },
  {
    mistake: 'sent before anybody subscribed',
    hint: 'before-subscribe',
    words: /began after the event/,
    make: async (server, { client }) => {
      await api.publish(server, 'late', 'e', '{}', {}, { app: SHOP });
      await client.subscribe('late');
      return explain(server, (await newest(server, { channel: 'late' })).id);
    },
  },
  {
    mistake: 'the subscription was refused for its signature',
    hint: 'subscribe-refused',
    words: /private-mine was refused/,
    make: async (server, { client }) => {
      client.send({
        event: 'pusher:subscribe',
        data: { channel: 'private-mine', auth: `shop-key:${'0'.repeat(64)}` },
      });
      await client.event('pusher:subscription_error', 'private-mine');
      await told(server, 'private-mine');
      // Not just the newest: the refusal, on another worker, may be of the same millisecond.
      return explain(server, (await newest(server, { event: 'paid' })).id);
    },
  },
  {
    mistake: 'the user is not signed in',
    hint: 'user-offline',
    words: /signed in nowhere/,
    make: async (server) => {
      await api.ok(server, 'POST', '/users/99/events', {
        app: SHOP,
        body: { name: 'e', data: '{}' },
      });
      return explain(server, (await newest(server, { user: '99' })).id);
    },
  },
  {
    mistake: 'toOthers() where nobody else is',
    hint: 'excluded-only',
    words: /was the only subscription/,
    make: (server, { client }) =>
      told(server, 'private-orders.7', 'paid', { socket_id: client.socketId }),
  },
  {
    mistake: 'an old socket_id is excluded',
    hint: 'excluded-ended',
    words: /whose connection has ended/,
    make: async (server, { t }) => {
      const old = await t.raw(server, { key: SHOP.key, app: SHOP });
      await old.close();
      await server.hasConnections(1, 'shop');
      return told(server, 'private-orders.7', 'paid', { socket_id: old.socketId });
    },
  },
  {
    mistake: 'an unknown socket_id is excluded',
    hint: 'excluded-unknown',
    words: /which no connection has/,
    make: (server) => told(server, 'private-orders.7', 'paid', { socket_id: '1.2' }),
  },
  {
    mistake: 'the event name lacks its namespace',
    hint: 'namespace',
    words: /App\\Events\\OrderShipped 3 times/,
    make: async (server) => {
      const name = 'App\\Events\\OrderShipped';
      for (let i = 0; i < 3; i++) await told(server, 'private-orders.7', name);
      return told(server, 'private-orders.7', 'OrderShipped');
    },
  },
  {
    mistake: 'the event name begins with a dot',
    hint: 'leading-dot',
    words: /without the dot/,
    make: (server) => told(server, 'private-orders.7', '.order.shipped'),
  },
  {
    mistake: 'nothing is wrong but what the page listens for',
    hint: 'listen-name',
    words: /listen\('\.order\.paid'\)/,
    make: (server) => told(server, 'private-orders.7', 'order.paid'),
  },
  {
    mistake: 'the wrong secret',
    hint: 'signature',
    words: /secret differs/,
    make: (server) =>
      told(server, 'orders', 'paid', {}, { app: { ...SHOP, secret: 'not the secret' } }),
  },
  {
    mistake: 'the key of another app',
    hint: 'wrong-key',
    words: /PUSHER_APP_KEY/,
    make: (server) => told(server, 'orders', 'paid', {}, { app: { ...SHOP, key: BLOG.key } }),
  },
  {
    mistake: 'a clock that is an hour late',
    hint: 'clock',
    words: /NTP/,
    make: (server) =>
      told(server, 'orders', 'paid', {}, {
        auth: { auth_timestamp: String(Math.floor(Date.now() / 1000) - 3600) },
      }),
  },
  {
    mistake: 'a body that was changed on the way',
    hint: 'body-md5',
    words: /proxy/,
    make: (server) =>
      told(server, 'orders', 'paid', {}, { auth: { body_md5: api.md5('something else') } }),
  },
  {
    mistake: 'an app id that is none',
    hint: 'unknown-app',
    words: /The app shop is there/,
    make: (server) => told(server, 'orders', 'paid', {}, { app: { ...SHOP, id: 'shopp' } }),
  },
  {
    mistake: 'the key where the id belongs',
    hint: 'unknown-app',
    words: /mixed up/,
    make: (server) => told(server, 'orders', 'paid', {}, { app: { ...SHOP, id: 'shop-key' } }),
  },
  {
    mistake: 'an app that is disabled',
    hint: 'app-disabled',
    words: /enabled is false/,
    make: (server) => told(server, 'orders', 'paid', {}, { app: OFF }),
  },
  {
    mistake: 'too much data',
    hint: 'too-big',
    words: /limits\.message_bytes/,
    make: (server) => told(server, 'orders', 'paid', { data: 'x'.repeat(300_000) }),
  },
  {
    mistake: 'a space in the name of the channel',
    hint: 'bad-channel',
    words: /strict_channel_names/,
    make: (server) => told(server, 'my orders'),
  },
  {
    mistake: "an event of the protocol's own",
    hint: 'bad-event',
    words: /pusher:/,
    make: (server) => told(server, 'orders', 'pusher:ping'),
  },
  {
    mistake: 'data is missing',
    hint: 'bad-json',
    words: /one JSON object/,
    make: (server) => told(server, 'orders', 'paid', { data: undefined }),
  },
  {
    mistake: 'a path that a proxy has changed',
    hint: 'route',
    words: /path_prefix/,
    make: async (server) => {
      await api.send(server, { method: 'POST', target: '/api/apps/shop/events', body: '{}' });
      return explain(server, (await newest(server)).id);
    },
  },
  {
    mistake: 'a client event without being on the channel',
    hint: 'not-member',
    words: /subscription_succeeded/,
    make: async (server, { client }) => {
      client.trigger('client-x', 'private-else', {});
      return explain(server, (await newest(server, { kind: 'client-event-refused' })).id);
    },
  },
  {
    mistake: 'a client event on a public channel',
    hint: 'client-events-off',
    words: /client_events_on_public_channels/,
    make: async (server, { client }) => {
      await client.subscribe('open');
      client.trigger('client-x', 'open', {});
      const params = { kind: 'client-event-refused', channel: 'open' };
      return explain(server, (await newest(server, params)).id);
    },
  },
  {
    mistake: 'a browser with a key that is none',
    hint: 'unknown-app',
    words: /No app has the key nobody/,
    make: async (server, { t }) => {
      await t.rawUnsure(server, { key: 'nobody' }).closed();
      return explain(server, (await newest(server, { kind: 'connect-refused' })).id);
    },
  },
  {
    mistake: 'a page of an origin that is not allowed',
    hint: 'origin',
    words: /allowed_origins/,
    make: async (server, { t }) => {
      const headers = { Origin: 'https://elsewhere.example' };
      await t.rawUnsure(server, { key: BLOG.key, headers }).closed();
      const params = { kind: 'connect-refused', app: 'blog' };
      return explain(server, (await newest(server, params)).id);
    },
  },
];

test(
  `the explainer knows the cause of ${MISTAKES.length} staged mistakes`,
  { workers: [1, 2], quick: true, ms: 60_000 },
  async (t) => {
    const config = [
      'apps:',
      `  - { id: shop, key: ${SHOP.key}, secret: ${SHOP.secret} }`,
      `  - { id: blog, key: ${BLOG.key}, secret: ${BLOG.secret},`,
      '      allowed_origins: ["https://blog.example"] }',
      `  - { id: 'off', key: ${OFF.key}, secret: ${OFF.secret}, enabled: false }`,
    ].join('\n');
    for (const row of MISTAKES) {
      const server = await t.server({ apps: [], app: SHOP, config, secrets: [SHOP.secret] });
      const client = await t.raw(server, { app: SHOP });
      await client.subscribe('private-orders.7');
      await client.subscribe('presence-room', { user: { user_id: '7' } });
      const said = await row.make(server, { t, client });
      const first = said.hints[0];
      const where = `${row.mistake}: ${JSON.stringify(said)}`;
      assert.strictEqual(first?.code, row.hint, where);
      assert.match(first.text, row.words, where);
      assert.ok(said.summary.length > 10 && said.steps.length > 0, where);
      await client.close();
      await server.stop();
    }
  },
);

test('a subscriber that was too slow is found beside the event that he lost', async (t) => {
  const server = await t.server({
    set: { 'limits.pending_bytes': '65536', slow_consumer_grace_ms: '100' },
  });
  const client = await t.raw(server);
  await client.subscribe('news');
  client.socket.pause();
  const data = 'x'.repeat(100_000);
  await api.publish(server, 'news', 'first', '{}');
  const published = await newest(server, { event: 'first' });
  await poll(async () => {
    await api.publish(server, 'news', 'flood', data);
    return (await facts(server, { kind: 'cut' })).length > 0;
  }, 'the cut of the slow client');
  const [cut] = await facts(server, { kind: 'cut' });
  assert.deepStrictEqual([cut.channels, cut.channel, cut.code], [['news'], null, 4100]);
  assert.ok(cut.data_bytes > 0);
  const said = await explain(server, published.id);
  assert.ok(
    said.hints.some((hint) => hint.code === 'slow'),
    JSON.stringify(said.hints),
  );
  const ended = await explain(server, published.id, { socket: client.socketId });
  assert.strictEqual(ended.hints[0].code, 'socket-absent');
  assert.match(ended.hints[0].text, /after the event, with code 4100/);
});

test('rates and batches are remembered as what they are', async (t) => {
  const server = await t.server({ set: { 'app_defaults.limits.publishes_per_second': '3' } });
  const batch = [1, 2, 3].map((n) => ({ name: `e${n}`, channel: 'c', data: '{}' }));
  await api.ok(server, 'POST', '/batch_events', { body: { batch } });
  const list = await facts(server);
  assert.deepStrictEqual(
    list.map((fact) => [fact.source, fact.event, fact.of, fact.request]),
    [
      ['batch', 'e3', 3, list[2].id],
      ['batch', 'e2', 3, list[2].id],
      ['batch', 'e1', 3, list[2].id],
    ],
  );
  const body = { name: 'e', channels: ['a'], data: '{}' };
  assert.strictEqual((await api.call(server, 'POST', '/events', { body })).status, 429);
  const said = await explain(server, (await newest(server)).id);
  assert.strictEqual(said.hints[0].code, 'rate');
  const never = { name: 'e', channels: ['a', 'b', 'c', 'd'], data: '{}' };
  assert.strictEqual((await api.call(server, 'POST', '/events', { body: never })).status, 400);
  const likewise = await explain(server, (await newest(server)).id);
  assert.strictEqual(likewise.hints[0].code, 'rate');
});

test('the event creator says at once who got it', { workers: [2] }, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const client of clients) await client.subscribe('news');
  for (let i = 0; i < 20; i++) {
    const answer = await post(server, '/admin/publish', {
      app: 'app-id',
      channel: 'news',
      name: 'said',
      data: { n: i },
      socket_id: clients[0].socketId,
    });
    assert.strictEqual(answer.status, 200, answer.text);
    const { fact, verdict, workers } = answer.json;
    assert.deepStrictEqual(
      [verdict, fact.source, fact.delivered, fact.excluded, fact.done, workers.length],
      ['delivered', 'admin', 1, 1, true, 2],
      answer.text,
    );
    assert.deepStrictEqual((await clients[1].event('said')).json, { n: i });
  }
  const wrong = [
    [{ app: 'nobody', channel: 'c', name: 'n' }, 404],
    [{ app: 'app-id', channel: 'a b', name: 'n' }, 400],
    [{ app: 'app-id', channel: 'c', name: 'pusher:x' }, 400],
    [{ app: 'app-id', channel: 'c', name: 'n', socket_id: 'x' }, 400],
    [[], 400],
  ];
  for (const [body, status] of wrong)
    assert.strictEqual((await post(server, '/admin/publish', body)).status, status);
});

test('channels, members, connections; and their end', { workers: [2] }, async (t) => {
  const server = await t.server();
  const [one, two] = await t.rawOnEach(server);
  await one.subscribe('presence-room', { user: { user_id: '7', user_info: { name: 'Ann' } } });
  await two.subscribe('presence-room', { user: { user_id: 8 } });
  await two.subscribe('private-encrypted-x');
  const channels = await get(server, '/admin/channels?app=app-id');
  assert.deepStrictEqual(channels, [
    {
      name: 'presence-room',
      kind: 'presence',
      encrypted: false,
      cache: false,
      subscriptions: 2,
      users: 2,
    },
    {
      name: 'private-encrypted-x',
      kind: 'private',
      encrypted: true,
      cache: false,
      subscriptions: 1,
      users: null,
    },
  ]);
  const room = await get(server, '/admin/channel?app=app-id&name=presence-room');
  assert.deepStrictEqual(
    room.members.sort((a, b) => (a.id < b.id ? -1 : 1)),
    [
      { id: '7', info: { name: 'Ann' } },
      { id: '8', info: null },
    ],
  );
  assert.deepStrictEqual(
    room.connections.map((c) => c.socket_id).sort(),
    [one.socketId, two.socketId].sort(),
  );
  const found = await get(server, `/admin/connection?socket_id=${two.socketId}`);
  assert.deepStrictEqual(
    [found.app, found.client, found.pending_bytes, found.subscriptions.map((s) => s.name).sort()],
    ['app-id', 'js 8.6.0', 0, ['presence-room', 'private-encrypted-x']],
  );
  assert.ok(found.since <= found.seen && Math.abs(found.since - Date.now()) < 60_000);

  const end = await post(server, '/admin/disconnect', { socket_id: two.socketId, code: 4100 });
  assert.deepStrictEqual(end.json, { disconnected: 1 });
  assert.strictEqual((await two.closed()).code, 4100);
  const again = await post(server, '/admin/disconnect', { socket_id: two.socketId });
  assert.strictEqual(again.status, 404);
  await poll(async () => {
    const answer = await fetch(
      `http://${server.adminHost}:${server.adminPort}/admin/connection?socket_id=${two.socketId}`,
    );
    const { ended } = await answer.json();
    return answer.status === 404 && ended?.code === 4100 && ended.by === 'server';
  }, 'how the connection ended');
  await one.signin({ id: '7' });
  const user = await post(server, '/admin/disconnect', { app: 'app-id', user_id: '7' });
  assert.deepStrictEqual(user.json, { disconnected: 1 });
  assert.strictEqual((await one.closed()).code, 4009);
});
