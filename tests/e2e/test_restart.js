// SPDX-License-Identifier: MIT
//
// Stopping and coming back: what clients see, and that they return.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { connected, fires, inState, subscribed } = require('./lib/clients');
const { Tcp } = require('./lib/tcp');
const { within } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };

test('SIGTERM closes with 4100 and exits 0', { ...BOTH, quick: true }, async (t) => {
  const server = await t.server();
  const clients = await t.rawOnEach(server);
  for (const client of clients) await client.subscribe('presence-a', { user: { user_id: '1' } });
  const began = Date.now();
  server.signal('SIGTERM');
  for (const client of clients) {
    assert.strictEqual((await client.event('pusher:error')).data.code, 4100);
    assert.strictEqual((await client.closed()).code, 4100);
  }
  await server.ended();
  assert.ok(Date.now() - began < 3000, `took ${Date.now() - began} ms`);
});

test('SIGINT stops as well, and drain_code is what clients get', async (t) => {
  const server = await t.server({ set: { drain_code: 4200 } });
  const client = await t.raw(server);
  server.signal('SIGINT');
  assert.strictEqual((await client.closed()).code, 4200);
  await server.ended();
});

test('drain_ms spreads the closes and keeps serving', { ...BOTH, ms: 20_000 }, async (t) => {
  const server = await t.server({ set: { drain_ms: 1500 } });
  const clients = await Promise.all(Array.from({ length: 20 }, () => t.raw(server)));
  const times = clients.map((client) => client.closed().then(({ code }) => [code, Date.now()]));
  server.signal('SIGTERM');
  await Promise.race(times);
  await api.publish(server, 'a', 'x');
  const all = await Promise.all(times);
  assert.ok(all.every(([code]) => code === 4100));
  const moments = all.map(([, at]) => at);
  const spread = Math.max(...moments) - Math.min(...moments);
  assert.ok(spread > 500, `all closed within ${spread} ms`);
  await server.ended();
});

test('a second signal ends at once', async (t) => {
  const server = await t.server({ set: { drain_ms: 60_000 } });
  const clients = await Promise.all(Array.from({ length: 5 }, () => t.raw(server)));
  server.signal('SIGTERM');
  await Promise.race(clients.map((client) => client.closed(20_000)));
  server.signal('SIGTERM');
  await within(server.exited, 'end after the second signal', 3000);
});

test('a request that has begun is finished', BOTH, async (t) => {
  const server = await t.server();
  const tcp = await Tcp.open(server);
  t.defer(() => tcp.socket.destroy());
  tcp.write('GET /up HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.strictEqual((await tcp.response()).status, 200);
  server.signal('SIGTERM');
  await server.ended();
});

for (const version of [4, 7, 8]) {
  test(
    `pusher-js ${version} is back after a restart on the same port`,
    { ...BOTH, quick: version === 8 },
    async (t) => {
      const server = await t.server();
      const backend = await t.backend(server);
      const user = { user_id: '1', user_info: {} };
      const pusher = t.pusher(server, { version, backend, user });
      await connected(pusher);
      const before = pusher.connection.socket_id;
      const names = ['orders', 'private-a', 'presence-a'];
      const channels = [];
      for (const name of names) channels.push(await subscribed(pusher, name));
      const again = channels.map((channel) => fires(channel, 'pusher:subscription_succeeded'));
      const began = Date.now();
      await server.stop();
      const next = await t.server({ port: server.port });
      assert.strictEqual(next.port, server.port);
      await Promise.all(again);
      assert.ok(Date.now() - began < 4000, `took ${Date.now() - began} ms`);
      assert.notStrictEqual(pusher.connection.socket_id, before);
      for (const channel of channels) {
        const event = fires(channel, 'x');
        await api.publish(next, channel.name, 'x');
        await event;
      }
    },
  );
}

test('killed: the port is free at once, clients come back', { ms: 40_000 }, async (t) => {
  const server = await t.server({ workers: 2 });
  const pusher = t.pusher(server, { activityTimeout: 1000, pongTimeout: 1000 });
  await connected(pusher);
  server.stopping = true;
  server.child.kill('SIGKILL');
  await server.exited;
  const next = await t.server({ workers: 2, port: server.port });
  await inState(pusher, 'connected', 30_000);
  await next.hasConnections(1);
});

test('an address in use is refused with a reason', async (t) => {
  const server = await t.server({ workers: 2 });
  const error = await t.server({ port: server.port }).catch((caught) => caught);
  assert.match(error.message, /exit code/);
  assert.match(error.message, new RegExp(`: listen: Cannot listen on 127.0.0.1:${server.port}: `));
  const set = { 'admin.listen': `127.0.0.1:${server.adminPort}` };
  const admin = await t.server({ set }).catch((caught) => caught);
  assert.match(admin.message, /: admin\.listen: Cannot listen on /);
  await t.raw(server);
});
