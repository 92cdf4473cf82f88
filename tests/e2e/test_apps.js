// SPDX-License-Identifier: MIT
//
// Several apps on one server see nothing of each other; one app may have two secrets.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { test } = require('./lib/suite');

const ONE = { id: '1', key: 'key-one', secret: 'secret-one-Qx81' };
const TWO = { id: '2', key: 'key-two', secret: 'secret-two-Qx82' };
const BOTH = { workers: [1, 2] };

const member = { user: { user_id: 'same' } };

test('apps are isolated: events, members, counts, users', { ...BOTH, quick: true }, async (t) => {
  const server = await t.server({ apps: [ONE, TWO] });
  const a = await t.raw(server, { key: ONE.key, app: ONE });
  const b = await t.raw(server, { key: TWO.key, app: TWO });
  for (const client of [a, b]) {
    for (const name of ['orders', 'private-a', 'cache-a']) await client.subscribe(name);
    const { presence } = await client.subscribe('presence-a', member);
    assert.strictEqual(presence.count, 1);
    await client.signin({ id: '42' });
  }
  await api.publish(
    server,
    ['orders', 'private-a', 'presence-a', 'cache-a'],
    'x',
    '1',
    {},
    { app: ONE },
  );
  await api.publish(server, '#server-to-user-42', 'x', '1', {}, { app: ONE });
  a.trigger('client-x', 'private-a', {});
  for (const name of ['orders', 'private-a', 'presence-a', 'cache-a']) await a.event('x', name);
  await a.event('x', '#server-to-user-42');
  await a.ping();
  await api.publish(server, ['orders', 'private-a'], 'end', '1', {}, { app: TWO });
  await b.event('end', 'private-a');
  assert.deepStrictEqual(
    b.frames.unread.map((frame) => frame.event),
    ['pusher:cache_miss', 'end'],
  );
  for (const app of [ONE, TWO]) {
    const { channels } = await api.get(server, '/channels', {}, { app });
    assert.strictEqual(channels.orders.subscription_count, 1);
    const users = await api.get(server, '/channels/presence-a/users', {}, { app });
    assert.strictEqual(users.users.length, 1);
    assert.deepStrictEqual(await api.get(server, '/connections', {}, { app }), { connections: 1 });
    assert.strictEqual((await server.connections(app.id)).length, 1);
  }
  const body = {};
  await api.ok(server, 'POST', '/users/42/terminate_connections', { body, app: ONE });
  assert.strictEqual((await a.closed()).code, 4009);
  await b.ping();
});

test('signatures of one app do not work in another', BOTH, async (t) => {
  const server = await t.server({ apps: [ONE, TWO] });
  const client = await t.raw(server, { key: ONE.key, app: TWO });
  await client.subscribeRefused('private-a');
  const mixed = [
    { id: ONE.id, key: TWO.key, secret: TWO.secret },
    { id: ONE.id, key: ONE.key, secret: TWO.secret },
    { id: ONE.id, key: TWO.key, secret: ONE.secret },
  ];
  for (const app of mixed) {
    assert.strictEqual((await api.call(server, 'GET', '/channels', { app })).status, 401);
  }
  const { status } = await api.call(server, 'GET', '/channels', { app: { ...ONE, id: '3' } });
  assert.strictEqual(status, 404);
});

test('ids are text: 7 is not 007', async (t) => {
  const seven = { id: '7', key: 'seven', secret: 'secret-seven-Qx83' };
  const agent = { id: '007', key: 'agent', secret: 'secret-agent-Qx84' };
  const server = await t.server({ apps: [seven, agent] });
  await api.get(server, '/channels', {}, { app: seven });
  await api.get(server, '/channels', {}, { app: agent });
  const { status } = await api.call(server, 'GET', '/channels', { app: { ...seven, id: '07' } });
  assert.strictEqual(status, 404);
});

test('two secrets: both verify while they are being changed', BOTH, async (t) => {
  const fresh = 'e2e-secret-new-93';
  const server = await t.server({
    apps: [],
    secrets: [fresh, 'e2e-secret-old-92'],
    config: `
apps:
  - id: app-id
    key: app-key
    secrets: [${fresh}, e2e-secret-old-92]
`,
  });
  for (const secret of [fresh, 'e2e-secret-old-92']) {
    const app = { id: 'app-id', key: 'app-key', secret };
    const client = await t.raw(server, { key: app.key, app });
    await client.subscribe('private-a');
    await client.subscribe('presence-a', member);
    await client.signin({ id: '1' });
    await api.publish(server, 'private-a', 'x', '1', {}, { app });
    await client.event('x');
  }
  const wrong = { id: 'app-id', key: 'app-key', secret: 'neither' };
  assert.strictEqual((await api.call(server, 'GET', '/channels', { app: wrong })).status, 401);
});
