// SPDX-License-Identifier: MIT
//
// Connecting: the handshake, what comes first, keep-alive, and all reasons to refuse.
'use strict';

const assert = require('node:assert');
const { connected, fires, inState } = require('./lib/clients');
const { call, ok, send } = require('./lib/api');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

for (const version of [4, 7, 8]) {
  const workers = version === 8 ? [1, 2] : [1];
  test(`pusher-js ${version} connects and disconnects`, { workers, quick: true }, async (t) => {
    const server = await t.server();
    const pusher = t.pusher(server, { version });
    const states = [];
    pusher.connection.bind('state_change', ({ current }) => states.push(current));
    await connected(pusher);
    assert.match(pusher.connection.socket_id, /^\d+\.\d+$/);
    assert.deepStrictEqual(states, ['connecting', 'connected'].slice(-states.length));
    await server.hasConnections(1);
    pusher.disconnect();
    await inState(pusher, 'disconnected');
    await server.hasConnections(0);
  });

  test(`pusher-js ${version} stops at an unknown key (4001)`, async (t) => {
    const server = await t.server();
    const pusher = t.pusher(server, { version, key: 'no-such-key' });
    const error = await fires(pusher.connection, 'error');
    assert.match(JSON.stringify(error), /4001/);
    await inState(pusher, 'disconnected');
  });
}

test('the first frame is connection_established, as a string', { workers: [1, 2] }, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const text = client.established.text;
  const data = `{"socket_id":"${client.socketId}","activity_timeout":30}`;
  const frame = { event: 'pusher:connection_established', data };
  assert.strictEqual(text, JSON.stringify(frame));
  assert.match(client.socketId, /^\d+\.\d+$/);
  assert.ok(client.socketId.length <= 32);
});

test('socket ids differ', async (t) => {
  const server = await t.server();
  const clients = await Promise.all(Array.from({ length: 50 }, () => t.raw(server)));
  assert.strictEqual(new Set(clients.map((client) => client.socketId)).size, 50);
});

test('activity_timeout_s is what clients are told', async (t) => {
  const server = await t.server({
    set: { 'apps.app-id.activity_timeout_s': 110, 'apps.app-id.ping_interval_s': 120 },
  });
  const client = await t.raw(server);
  assert.strictEqual(client.established.json.activity_timeout, 110);
});

test('pusher:ping is answered in all its forms', async (t) => {
  const client = await t.raw(await t.server());
  const pings = [
    '{"event":"pusher:ping"}',
    '{"event":"pusher:ping","data":{}}',
    '{"event":"pusher:ping","data":"{}"}',
    '{"event":"pusher:ping","data":[]}',
    '{"event":"pusher:ping","data":""}',
    '{"event":"pusher:ping","data":null}',
  ];
  for (const ping of pings) {
    client.send(ping);
    const pong = await client.event('pusher:pong');
    assert.strictEqual(pong.text, '{"event":"pusher:pong","data":"{}"}');
  }
  assert.deepStrictEqual(client.frames.unread, []);
});

test('a WebSocket ping gets a pong with the same payload', async (t) => {
  const client = await t.raw(await t.server());
  for (const payload of ['', 'hello', 'x'.repeat(125)]) {
    const pong = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping(payload);
    assert.strictEqual((await pong).toString(), payload);
  }
});

for (const version of [4, 7, 8]) {
  test(`pusher-js ${version} pings when it is quiet, and stays`, async (t) => {
    const server = await t.server();
    const pusher = t.pusher(server, { version, activityTimeout: 300, pongTimeout: 5000 });
    await connected(pusher);
    const socketId = pusher.connection.socket_id;
    for (let i = 0; i < 2; i++) {
      await fires(pusher.connection, 'message', { match: ({ event }) => event === 'pusher:pong' });
    }
    assert.strictEqual(pusher.connection.state, 'connected');
    assert.strictEqual(pusher.connection.socket_id, socketId);
  });
}

test(
  'a silent client is pinged, and closed with 4201 when it stays silent',
  { ms: 60_000 },
  async (t) => {
    const server = await t.server({
      set: {
        'apps.app-id.activity_timeout_s': 1,
        'apps.app-id.ping_interval_s': 1,
        'apps.app-id.pong_timeout_s': 30,
      },
    });
    const dead = await t.raw(server, { ws: { autoPong: false } });
    const alive = await t.raw(server);
    await poll(() => dead.pings.length > 0 && alive.pings.length > 0, 'pings of the server');
    const error = await dead.event('pusher:error', undefined, 50_000);
    assert.strictEqual(error.data.code, 4201);
    assert.strictEqual((await dead.closed()).code, 4201);
    await alive.ping();
  },
);

test('an unknown key gets an error frame, then close 4001', { workers: [1, 2] }, async (t) => {
  const server = await t.server();
  const client = t.rawUnsure(server, { key: 'no%20such%2Fkey' });
  const first = await client.take(() => true, 'first frame');
  assert.strictEqual(first.event, 'pusher:error');
  assert.strictEqual(first.data.code, 4001);
  assert.match(first.data.message, /no such\/key/);
  assert.strictEqual((await client.closed()).code, 4001);
  assert.strictEqual(client.frames.all.length, 1);
});

test('a key may be percent-encoded', async (t) => {
  const server = await t.server();
  await t.raw(server, { key: '%61pp-k%65y' });
});

test('a disabled app is refused with 4003', async (t) => {
  const server = await t.server({ set: { 'apps.app-id.enabled': 'false' } });
  const client = t.rawUnsure(server);
  const error = await client.event('pusher:error');
  assert.strictEqual(error.data.code, 4003);
  assert.strictEqual((await client.closed()).code, 4003);
  const pusher = t.pusher(server);
  await inState(pusher, 'disconnected');
});

test(
  'over limits.connections: 4100, and the client comes in later',
  { workers: [1, 2] },
  async (t) => {
    const server = await t.server({ set: { 'apps.app-id.limits.connections': 2 } });
    const first = await t.raw(server);
    await t.raw(server);
    const refused = t.rawUnsure(server);
    const error = await refused.event('pusher:error');
    assert.strictEqual(error.data.code, 4100);
    assert.match(error.data.message, /quota|limit/i);
    assert.strictEqual((await refused.closed()).code, 4100);
    const pusher = t.pusher(server);
    await fires(pusher.connection, 'error');
    assert.notStrictEqual(pusher.connection.state, 'disconnected');
    await first.close();
    await connected(pusher);
  },
);

test('over limits.connections with connection_limit_code=4004: the client gives up', async (t) => {
  const server = await t.server({
    set: {
      'apps.app-id.limits.connections': 1,
      'apps.app-id.connection_limit_code': 4004,
    },
  });
  await t.raw(server);
  const refused = t.rawUnsure(server);
  assert.strictEqual((await refused.event('pusher:error')).data.code, 4004);
  assert.strictEqual((await refused.closed()).code, 4004);
  const pusher = t.pusher(server);
  await inState(pusher, 'disconnected');
});

const ORIGINS = `
apps:
  - id: app-id
    key: app-key
    secret: e2e-secret-7Hc2
    allowed_origins: ["https://shop.example.com", "*.example.org", "example.net"]
`;

test('origins: who is not on the list is refused with 4009', async (t) => {
  const server = await t.server({ config: ORIGINS });
  const origins = [
    undefined,
    'https://evil.example.com',
    'http://shop.example.com',
    'https://shop.example.com.evil.net',
    'https://evilexample.net',
    'null',
  ];
  for (const origin of origins) {
    const client = t.rawUnsure(server, { headers: origin ? { Origin: origin } : {} });
    const first = await client.take(() => true, 'first frame');
    assert.strictEqual(first.data?.code, 4009, `${origin}: ${first.text}`);
    assert.strictEqual((await client.closed()).code, 4009);
  }
});

test('origins: who is on the list comes in', async (t) => {
  const server = await t.server({ config: ORIGINS });
  const origins = [
    'https://shop.example.com',
    'https://SHOP.example.com',
    'https://a.example.org',
    'http://a.b.example.org:8080',
    'https://example.net',
    'http://example.net:3000',
  ];
  for (const origin of origins) await t.raw(server, { headers: { Origin: origin } });
});

test('path_prefix: WebSocket and API live under it', { workers: [1, 2] }, async (t) => {
  const server = await t.server({ set: { path_prefix: '/ws' } });
  const pusher = t.pusher(server, { wsPath: '/ws' });
  await connected(pusher);
  await t.raw(server, { path: '/ws//app/app-key?protocol=7' });
  const without = t.rawUnsure(server, { path: '/app/app-key?protocol=7' });
  await without.closed();
  assert.match(String(without.error), /404/);
  // Libraries sign /apps/... whether or not they know the prefix.
  await ok(server, 'GET', '/channels', { prefix: '/ws' });
  await ok(server, 'GET', '/channels', { prefix: '/ws', signedPath: '/ws/apps/app-id/channels' });
  assert.strictEqual((await call(server, 'GET', '/channels')).status, 404);
});

test('the handshake is generous: queries, protocols, extensions, header forms', async (t) => {
  const server = await t.server();
  for (const query of [
    '',
    'protocol=5',
    'protocol=x',
    'protocol=2&client=&version=',
    'a=b&c&=&%00',
  ]) {
    await t.raw(server, { query });
  }
  const client = await t.raw(server, { protocols: ['v1.mqtt', 'other'] });
  assert.strictEqual(client.socket.protocol, 'v1.mqtt');
  await t.raw(server, { ws: { perMessageDeflate: true } });
  await t.raw(server, { path: '//app//app-key' });
  const headers = { 'X-Forwarded-For': '203.0.113.9, 10.0.0.1', Cookie: 'a=b', 'User-Agent': '' };
  await t.raw(server, { headers });
});

test('what is no WebSocket on /app/{key} gets an HTTP answer', async (t) => {
  const server = await t.server();
  const plain = await send(server, { target: '/app/app-key?protocol=7' });
  assert.ok([400, 426].includes(plain.status), `status ${plain.status}`);
  for (const path of ['/', '/app', '/app/', '/nothing/here']) {
    const client = t.rawUnsure(server, { path });
    const { code } = await client.closed();
    assert.ok(client.error || code === 4005 || code === 4001, `${path}: ${code}`);
  }
  await t.raw(server);
});
