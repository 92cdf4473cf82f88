// SPDX-License-Identifier: MIT
//
// The HTTP API by hand-made requests: publishing, questions, signatures, refusals.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

// A refusal: the status, a JSON body with both members, and in its text all of `words`.
async function refused(server, method, path, options, status, ...words) {
  const answer = await api.call(server, method, path, options);
  const what = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`;
  assert.strictEqual(answer.status, status, what);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/, what);
  assert.strictEqual(answer.json?.code, status, what);
  assert.strictEqual(typeof answer.json.error, 'string', what);
  for (const word of words) assert.ok(answer.json.error.includes(String(word)), `${word}? ${what}`);
  return answer;
}

const refusedEvent = (server, body, status, ...words) =>
  refused(server, 'POST', '/events', { body }, status, ...words);

const app = (options) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [`apps.app-id.${name}`, value]),
  );

test('events: channels, channel, a string in channels, both', QUICK, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  for (const name of ['a', 'b', 'c']) await client.subscribe(name);
  const post = (body) =>
    api.ok(server, 'POST', '/events', { body: { name: 'x', data: '1', ...body } });
  assert.deepStrictEqual(await post({ channels: ['a', 'b'] }), {});
  await client.event('x', 'a');
  await client.event('x', 'b');
  assert.deepStrictEqual(await post({ channel: 'a' }), {});
  await client.event('x', 'a');
  assert.deepStrictEqual(await post({ channels: 'b' }), {});
  await client.event('x', 'b');
  assert.deepStrictEqual(await post({ channels: ['c'], channel: 'a' }), {});
  await client.event('x', 'c');
  await post({ channels: ['a', 'a', 'b', 'a', 'b'] });
  await post({ channels: ['a', 'b', 'nobody'] });
  await client.event('x', 'b');
  await client.event('x', 'b');
  assert.strictEqual(client.unread('a').length, 2);
  assert.strictEqual(client.frames.unread.length, 2);
});

test('events: data that is no string is passed on as it is', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  for (const token of ['{"a":{"b":1.0}}', '[1,2]', '5', 'true', '""', '"null"', '"{}"']) {
    const body = `{"name":"x","channels":["a"],"data":${token}}`;
    await api.ok(server, 'POST', '/events', { body });
    const frame = await client.event('x');
    assert.strictEqual(frame.text, `{"event":"x","channel":"a","data":${token}}`);
  }
});

test('events: socket_id is left out, on whatever worker it is', QUICK, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const client of clients) await client.subscribe('a');
  for (const left of clients) {
    // Several connections, so that both workers publish.
    for (let n = 0; n < 6; n++)
      await api.publish(server, 'a', 'x', '1', { socket_id: left.socketId });
    await api.publish(server, 'a', 'end', '1', { socket_id: null });
    for (const client of clients) {
      await client.event('end');
      assert.strictEqual(client.unread('a').length, client === left ? 0 : 6);
      client.frames.unread.splice(0);
    }
  }
  await api.publish(server, 'a', 'y', '1', { socket_id: '1.1' });
  await api.publish(server, 'a', 'y', '1', { socket_id: '99999999999.99999999999' });
  for (const client of clients) for (let n = 0; n < 2; n++) await client.event('y');
  for (const bad of ['', 'x', '1', '1.', '.1', '1.2.3', '1.2 ', '-1.2', 7, {}, []]) {
    const body = { name: 'x', channels: ['a'], data: '1', socket_id: bad };
    await refusedEvent(server, body, 400);
  }
});

test('events: info tells counts', BOTH, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const [n, client] of clients.entries()) {
    await client.subscribe('orders');
    await client.subscribe('presence-a', { user: { user_id: String(n) } });
  }
  const channels = ['orders', 'presence-a', 'empty'];
  const body = { name: 'x', channels, data: '1', info: 'subscription_count,user_count' };
  const answer = await api.ok(server, 'POST', '/events', { body });
  assert.strictEqual(answer.channels.orders.subscription_count, 2);
  assert.strictEqual(answer.channels.orders.user_count, undefined);
  assert.strictEqual(answer.channels['presence-a'].user_count, 2);
  assert.deepStrictEqual(answer.channels.empty, {});
});

test('events: what is malformed is refused with 400', QUICK, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  const good = { name: 'x', channels: ['a'], data: '1' };
  const bad = [
    { ...good, name: undefined },
    { ...good, name: '' },
    { ...good, name: 7 },
    { ...good, name: null },
    { ...good, data: undefined },
    { ...good, channels: undefined },
    { ...good, channels: [] },
    { ...good, channels: ['a', 7] },
    { ...good, channels: {} },
    { ...good, channels: ['a', 'not allowed'] },
    { ...good, channels: ['a', ''] },
    { ...good, channels: ['a', 'x'.repeat(201)] },
    { ...good, info: 7 },
    { ...good, name: 'pusher:error' },
    { ...good, name: 'pusher_internal:member_added' },
  ];
  for (const body of bad) await refusedEvent(server, body, 400);
  for (const body of [
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{"name":"x"}}',
    '{"a":1,}',
    "{'a':1}",
    '\u0000',
  ]) {
    await refused(server, 'POST', '/events', { body }, 400);
  }
  await refused(server, 'POST', '/events', { body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400);
  await refused(server, 'POST', '/events', { body: '['.repeat(100_000) }, 400);
  await api.publish(server, 'a', 'end');
  await client.event('end');
  assert.deepStrictEqual(client.frames.unread, []);
});

test('refusals name what was measured, the limit and the option', QUICK, async (t) => {
  const server = await t.server({
    set: app({
      'limits.message_bytes': 1000,
      'limits.channels_per_publish': 5,
      'limits.event_name': 30,
      'limits.batch': 3,
      'limits.channel_name': 40,
    }),
  });
  const good = { name: 'x', channels: ['a'], data: '1' };
  const big = { ...good, data: 'x'.repeat(1001) };
  await refusedEvent(server, big, 413, 1001, 1000, 'limits.message_bytes');
  const many = { ...good, channels: ['a', 'b', 'c', 'd', 'e', 'f'] };
  await refusedEvent(server, many, 400, 6, 5, 'limits.channels_per_publish');
  const named = { ...good, name: 'n'.repeat(31) };
  await refusedEvent(server, named, 400, 31, 30, 'limits.event_name');
  const long = { ...good, channels: ['c'.repeat(41)] };
  await refusedEvent(server, long, 400, 41, 40, 'limits.channel_name');
  const batch = Array(4).fill({ name: 'x', channel: 'a', data: '1' });
  const options = { body: { batch } };
  await refused(server, 'POST', '/batch_events', options, 400, 4, 3, 'limits.batch');
  for (const data of ['x'.repeat(1000), '"'.repeat(1000), '\u0001'.repeat(1000), 'ä'.repeat(500)]) {
    await api.publish(server, ['a', 'b', 'c', 'd', 'e'], 'n'.repeat(30), data);
  }
});

test('events: a large body is taken, a much too large one is refused', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  const data = 'x'.repeat(262_144);
  await api.publish(server, 'a', 'big', data);
  assert.strictEqual((await client.event('big')).data, data);
  await refusedEvent(server, { name: 'x', channels: ['a'], data: `${data}x` }, 413, 262145, 262144);
  await refusedEvent(
    server,
    { name: 'x', channels: ['a'], data: 'x'.repeat(20_000_000) },
    413,
  ).catch((error) => {
    // The server may hang up on a body that it will not read.
    if (!/ECONNRESET|EPIPE|socket hang up/.test(error.message)) throw error;
  });
  await client.ping();
});

test('batch_events: all or nothing, info aligned, socket_id per item', QUICK, async (t) => {
  const server = await t.server();
  const [first, second] = await t.rawOnEach(server);
  for (const client of [first, second]) for (const name of ['a', 'b']) await client.subscribe(name);
  const item = (channel, more) => ({ name: 'x', channel, data: '1', ...more });
  const post = (batch) => api.ok(server, 'POST', '/batch_events', { body: { batch } });
  assert.deepStrictEqual(await post([item('a'), item('b', { socket_id: first.socketId })]), {});
  await first.event('x', 'a');
  await second.event('x', 'a');
  await second.event('x', 'b');
  const info = { info: 'subscription_count' };
  const answer = await post([item('a', info), item('b'), item('nobody', info)]);
  assert.deepStrictEqual(answer.batch[0], { subscription_count: 2 });
  assert.deepStrictEqual(answer.batch[1], {});
  assert.strictEqual(answer.batch.length, 3);
  for (const client of [first, second])
    for (const name of ['a', 'b']) await client.event('x', name);
  const bad = [
    { channel: 'a', data: '1' },
    { name: 'x', data: '1' },
    { name: 'x', channel: 'a' },
    { name: 'x', channel: 'no good', data: '1' },
    { name: 'x', channel: 'a', data: '1', socket_id: 'x' },
    7,
  ];
  for (const wrong of bad) {
    const body = { batch: [item('a'), wrong, item('b')] };
    await refused(server, 'POST', '/batch_events', { body }, 400);
  }
  for (const body of [{}, { batch: {} }, { batch: null }, []]) {
    await refused(server, 'POST', '/batch_events', { body }, 400);
  }
  await refused(
    server,
    'POST',
    '/batch_events',
    { body: { batch: Array(11).fill(item('a')) } },
    400,
  );
  await post(Array(10).fill(item('a', { name: 'ten' })));
  for (const client of [first, second]) {
    for (let n = 0; n < 10; n++) await client.event('ten', 'a');
    assert.deepStrictEqual(client.frames.unread, []);
  }
});

test('channels: occupied ones, sorted, by prefix, with counts', BOTH, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  const names = ['b', 'a', 'private-b', 'presence-b', 'presence-a', 'B'];
  for (const [n, client] of clients.entries()) {
    for (const name of names) {
      const user = name.startsWith('presence') ? { user: { user_id: String(n) } } : {};
      await client.subscribe(name, user);
    }
  }
  const { channels } = await api.get(server, '/channels');
  assert.deepStrictEqual(Object.keys(channels), [...names].sort());
  assert.strictEqual(channels.a.subscription_count, 2);
  assert.strictEqual(channels.a.occupied, true);
  const query = { filter_by_prefix: 'presence-', info: 'user_count' };
  const presence = await api.get(server, '/channels', query);
  assert.deepStrictEqual(Object.keys(presence.channels), ['presence-a', 'presence-b']);
  assert.strictEqual(presence.channels['presence-a'].user_count, 2);
  const none = await api.get(server, '/channels', { filter_by_prefix: 'nothing' });
  assert.deepStrictEqual(none, { channels: {} });
  for (const client of clients) await client.close();
  const empty = async () => Object.keys((await api.get(server, '/channels')).channels).length === 0;
  await poll(empty, 'empty list');
  assert.strictEqual((await api.call(server, 'GET', '/channels')).text, '{"channels":{}}');
});

test('channels/{name}: occupied, counts, cache', QUICK, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const client of clients) {
    await client.subscribe('orders');
    await client.subscribe('presence-a', { user: { user_id: 'same' } });
  }
  const channel = (name, info) => api.get(server, `/channels/${name}`, info ? { info } : {});
  assert.strictEqual((await channel('orders')).occupied, true);
  assert.strictEqual((await channel('orders', 'subscription_count')).subscription_count, 2);
  assert.strictEqual((await channel('presence-a', 'user_count')).user_count, 1);
  assert.deepStrictEqual(await channel('nobody', 'subscription_count'), { occupied: false });
  await refused(server, 'GET', '/channels/orders', { query: { info: 'user_count' } }, 400);
  assert.strictEqual((await channel('cache-a', 'cache')).cache, null);
  await api.publish(server, 'cache-a', 'tick', '{"p":1}');
  const { cache } = await channel('cache-a', 'cache');
  assert.strictEqual(cache.data, '{"p":1}');
  assert.ok(cache.ttl > 1700 && cache.ttl <= 1800, `ttl ${cache.ttl}`);
});

test('channels/{name}: names with special characters, encoded and not', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const name = 'private-a@b;c=d,e.f_g-h';
  await client.subscribe(name);
  const raw = await api.get(server, `/channels/${name}`);
  assert.strictEqual(raw.occupied, true);
  const encoded = encodeURIComponent(name);
  assert.strictEqual((await api.get(server, `/channels/${encoded}`)).occupied, true);
  const signedPath = `/apps/app-id/channels/${name}`;
  assert.strictEqual(
    (await api.get(server, `/channels/${encoded}`, {}, { signedPath })).occupied,
    true,
  );
});

test('channels/{name}/users: presence only', BOTH, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const [n, client] of clients.entries()) {
    await client.subscribe('presence-a', { user: { user_id: n } });
    await client.subscribe('presence-b', { user: { user_id: 'same' } });
  }
  const users = (name) => api.get(server, `/channels/${name}/users`);
  const ids = (await users('presence-a')).users.map(({ id }) => String(id)).sort();
  assert.deepStrictEqual(ids, ['0', '1']);
  assert.deepStrictEqual(await users('presence-b'), { users: [{ id: 'same' }] });
  assert.deepStrictEqual(await users('presence-nobody'), { users: [] });
  await refused(server, 'GET', '/channels/orders/users', {}, 400, 'presence');
});

test('connections counts sockets', BOTH, async (t) => {
  const server = await t.server();
  assert.deepStrictEqual(await api.get(server, '/connections'), { connections: 0 });
  const clients = await t.rawOnEach(server);
  const total = async () => (await api.get(server, '/connections')).connections;
  await clients[0].subscribe('a');
  await clients[0].subscribe('b');
  await poll(async () => (await total()) === 2, 'two connections');
  clients[0].destroy();
  await poll(async () => (await total()) === 1, 'one connection');
});

test('authentication: each part must be there and right', QUICK, async (t) => {
  const server = await t.server();
  const post = { body: { name: 'x', channels: ['a'], data: '1' } };
  const now = Math.floor(Date.now() / 1000);
  const wrong = [
    { auth: { auth_key: undefined } },
    { auth: { auth_key: 'other' } },
    { auth: { auth_timestamp: undefined } },
    { auth: { auth_timestamp: 'soon' } },
    { auth: { auth_timestamp: '' } },
    { auth: { auth_timestamp: String(now - 660) } },
    { auth: { auth_timestamp: String(now + 660) } },
    { auth: { auth_timestamp: '99999999999999999999999' } },
    { auth: { auth_version: undefined } },
    { auth: { auth_version: '2.0' } },
    { auth: { body_md5: undefined } },
    { auth: { body_md5: '0'.repeat(32) } },
    { signature: '0'.repeat(64) },
    { signature: '' },
    { signature: 'x' },
    { app: { ...server.app, secret: 'wrong' } },
    { signedPath: '/apps/app-id/event' },
  ];
  for (const options of wrong) {
    await refused(server, 'POST', '/events', { ...post, ...options }, 401).catch((error) => {
      throw new Error(`${JSON.stringify(options)}: ${error.message}`);
    });
  }
  const plain = await api.send(server, { target: '/apps/app-id/channels' });
  assert.strictEqual(plain.status, 401);
  for (const shift of [-540, 540]) {
    await api.ok(server, 'POST', '/events', {
      ...post,
      auth: { auth_timestamp: String(now + shift) },
    });
  }
  const upper = api.hmac(server.app.secret, 'x').toUpperCase();
  await refused(server, 'POST', '/events', { ...post, signature: upper }, 401);
});

test('auth_timestamp_window_s=0 takes any time', async (t) => {
  const server = await t.server({ set: { auth_timestamp_window_s: 0 } });
  await api.get(server, '/channels', {}, { auth: { auth_timestamp: '1353088179' } });
});

test('signatures: the ways in which libraries encode queries', async (t) => {
  const server = await t.server();
  const query = { filter_by_prefix: 'presence-', info: 'user_count,subscription_count' };
  const rawQuery = (params) =>
    Object.entries(params)
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
  await api.get(server, '/channels', query);
  await api.get(server, '/channels', query, { encode: rawQuery });
  const upside = (params) => rawQuery(Object.fromEntries(Object.entries(params).reverse()));
  await api.get(server, '/channels', query, { encode: upside });
  await api.get(server, '/channels', { filter_by_prefix: 'a b' });
  await api.get(server, '/channels', { filter_by_prefix: 'a%2Cb' }, { encode: rawQuery });
  await api.get(server, '/channels', { filter_by_prefix: 'a+b' }, { encode: rawQuery });
  await api.get(server, '/channels', { Filter: 'UPPER' });
  // PHP: arrays are signed as name=x,y and sent as name[0]=x&name[1]=y.
  const arrays = (params) =>
    rawQuery(params).replace('list=x,y', `${encodeURIComponent('list[0]')}=x&list%5B1%5D=y`);
  await api.get(server, '/channels', { list: 'x,y' }, { encode: arrays });
  const md5 = { auth: { body_md5: 'd41d8cd98f00b204e9800998ecf8427e' } };
  await api.get(server, '/channels', {}, md5);
});

test('requests as pusher-php-server 7 makes them', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.signin({ id: '42' });
  for (const name of ['presence-a', 'orders']) {
    await client.subscribe(name, name === 'orders' ? {} : { user: { user_id: '42' } });
  }
  const headers = {
    'Content-Type': 'application/json',
    'X-Pusher-Library': 'pusher-http-php 7.2.4',
  };
  const post = (path, body) => api.ok(server, 'POST', path, { body, headers });
  const ask = (path, query) => api.get(server, path, query, { headers });
  await post('/events', '{"name":"x","data":"{\\"id\\":7}","channel":"orders"}');
  assert.deepStrictEqual((await client.event('x', 'orders')).json, { id: 7 });
  await post('/events', '{"name":"y","data":"[]","channels":["orders","presence-a"]}');
  await client.event('y', 'presence-a');
  await post('/events', '{"name":"z","data":"1","channel":"#server-to-user-42"}');
  await client.event('z', '#server-to-user-42');
  const query = { info: 'user_count,subscription_count', filter_by_prefix: 'presence-' };
  assert.strictEqual((await ask('/channels', query)).channels['presence-a'].user_count, 1);
  assert.deepStrictEqual(await ask('/channels/presence-a/users', {}), { users: [{ id: '42' }] });
  assert.deepStrictEqual(await post('/users/42/terminate_connections', '{}'), {});
  assert.strictEqual((await client.closed()).code, 4009);
});

test('statuses: 403, 404, 405', QUICK, async (t) => {
  const server = await t.server();
  await refused(server, 'GET', '/channels', { app: { ...server.app, id: 'nope' } }, 404, 'nope');
  for (const path of ['', '/', '/nothing', '/channels/a/b/c', '/users', '/users/1/x']) {
    await refused(server, 'GET', path, {}, 404);
  }
  const unknown = await api.send(server, { target: '/nothing' });
  assert.strictEqual(unknown.status, 404);
  const wrong = [
    ['GET', '/events', 'POST'],
    ['DELETE', '/channels', 'GET'],
    ['PUT', '/batch_events', 'POST'],
    ['POST', '/channels', 'GET'],
    ['GET', '/users/1/terminate_connections', 'POST'],
  ];
  for (const [method, path, allow] of wrong) {
    const answer = await refused(server, method, path, {}, 405);
    assert.ok(answer.headers.allow?.includes(allow), `Allow: ${answer.headers.allow}`);
  }
  const off = await t.server({ set: app({ enabled: false }) });
  await refused(off, 'GET', '/channels', {}, 403);
});

test('publishes_per_second: 429 with Retry-After, until the second is over', BOTH, async (t) => {
  const server = await t.server({ set: app({ 'limits.publishes_per_second': 3 }) });
  const body = { name: 'x', channels: ['a'], data: '1' };
  const answers = [];
  for (let n = 0; n < 12; n++) answers.push(await api.call(server, 'POST', '/events', { body }));
  const late = answers.filter(({ status }) => status === 429);
  assert.ok(late.length >= 5, `${late.length} of 12 refused`);
  assert.strictEqual(answers[0].status, 200);
  assert.ok(Number(late[0].headers['retry-after']) > 0);
  assert.strictEqual(late[0].headers['x-ratelimit-limit'], '3');
  assert.strictEqual(late[0].json.code, 429);
  const again = async () => (await api.call(server, 'POST', '/events', { body })).status === 200;
  await poll(again, 'publish that is not refused');
});

test('HEAD answers as GET without a body', async (t) => {
  const server = await t.server();
  for (const path of ['/channels', '/channels/a', '/connections']) {
    const got = await api.call(server, 'GET', path);
    const head = await api.call(server, 'HEAD', path);
    assert.strictEqual(head.status, 200, path);
    assert.strictEqual(head.text, '');
    assert.strictEqual(head.headers['content-length'], got.headers['content-length']);
  }
  const up = await api.send(server, { method: 'HEAD', target: '/up' });
  assert.strictEqual(up.status, 200);
});

test('CORS: preflight and the header on answers', async (t) => {
  const server = await t.server();
  const headers = {
    Origin: 'https://shop.example.com',
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type',
  };
  const target = '/apps/app-id/events';
  const preflight = await api.send(server, { method: 'OPTIONS', target, headers });
  assert.ok([200, 204].includes(preflight.status), `${preflight.status}`);
  assert.ok(['*', headers.Origin].includes(preflight.headers['access-control-allow-origin']));
  assert.match(preflight.headers['access-control-allow-methods'], /POST/);
  assert.match(preflight.headers['access-control-allow-headers'], /content-type/i);
  const answer = await api.call(server, 'GET', '/channels', {
    headers: { Origin: headers.Origin },
  });
  assert.ok(answer.headers['access-control-allow-origin']);
  const error = await api.send(server, { target: '/apps/app-id/channels', headers });
  assert.ok(error.headers['access-control-allow-origin']);
});

test('health: / and /up, without a signature', QUICK, async (t) => {
  const server = await t.server();
  assert.strictEqual((await api.send(server, { target: '/' })).status, 200);
  const up = await api.send(server, { target: '/up' });
  assert.strictEqual(up.status, 200);
  assert.match(up.text, /OK/i);
});

test('admin: workers and connections', BOTH, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  const list = await server.connections();
  assert.strictEqual(list.length, clients.length);
  for (const client of clients) {
    const { worker } = list.find((entry) => entry.socket_id === client.socketId);
    assert.ok(Number.isInteger(worker) && worker >= 0 && worker < server.workers);
  }
  const workers = await server.admin('/admin/workers');
  assert.strictEqual((workers.workers ?? workers).length, server.workers);
});

test('the admin routes are not on the main listener', async (t) => {
  const server = await t.server();
  for (const target of ['/admin/workers', '/admin/connections?app=app-id', '/metrics', '/live']) {
    assert.strictEqual((await api.send(server, { target })).status, 404, target);
  }
});
