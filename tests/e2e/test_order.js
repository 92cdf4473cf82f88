// SPDX-License-Identifier: MIT
//
// One order for everybody: many publishers at once, subscribers on all workers.
'use strict';

const assert = require('node:assert');
const http = require('node:http');
const api = require('./lib/api');
const { onEachWorker } = require('./lib/clients');
const { test } = require('./lib/suite');

const PUBLISHERS = 6;

// Each publisher sends its numbers one after the other over a connection of its own.
async function publishAll(t, server, channel, total) {
  const each = Math.ceil(total / PUBLISHERS);
  const publisher = async (p) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.defer(() => agent.destroy());
    for (let n = 0; n < each; n++)
      await api.publish(server, channel, 'm', `${p}.${n}`, {}, { agent });
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, (_, p) => publisher(p)));
  await api.publish(server, channel, 'end');
  return each;
}

const messages = (client) => client.frames.all.filter((f) => f.event === 'm').map((f) => f.data);

function checkPublisherOrder(order, each) {
  const next = Array(PUBLISHERS).fill(0);
  for (const message of order) {
    const [p, n] = message.split('.').map(Number);
    assert.strictEqual(n, next[p], `publisher ${p}`);
    next[p] += 1;
  }
  assert.deepStrictEqual(next, Array(PUBLISHERS).fill(each));
}

for (const channel of ['orders', 'cache-orders']) {
  const options = { workers: [1, 2], ms: 120_000, quick: channel === 'orders' };
  test(
    `10,000 messages on ${channel}: same order for all, none lost, none twice`,
    options,
    async (t) => {
      const server = await t.server();
      const subscribers = [];
      for (let n = 0; n < 2; n++) {
        subscribers.push(...(await onEachWorker(server, () => t.raw(server))));
      }
      for (const client of subscribers) await client.subscribe(channel);
      const each = await publishAll(t, server, channel, t.quick ? 1_000 : 10_000);
      for (const client of subscribers) await client.event('end', channel, 60_000);
      const order = messages(subscribers[0]);
      checkPublisherOrder(order, each);
      for (const client of subscribers) assert.deepStrictEqual(messages(client), order);
    },
  );
}

test(
  'who joins in the middle sees the rest of the same order',
  { workers: [1, 2], ms: 60_000 },
  async (t) => {
    const server = await t.server();
    const first = await t.raw(server);
    await first.subscribe('orders');
    const publishing = publishAll(t, server, 'orders', 1_500);
    const joiners = [];
    while (joiners.length < 12) {
      const client = await t.raw(server);
      joiners.push(client);
      await client.subscribe('orders');
    }
    const leaver = await t.raw(server);
    for (let n = 0; n < 10; n++) {
      await leaver.subscribe('orders');
      leaver.unsubscribe('orders');
    }
    await leaver.subscribe('orders');
    checkPublisherOrder(
      await publishing.then(() => first.event('end')).then(() => messages(first)),
      250,
    );
    const order = messages(first);
    for (const client of joiners) {
      await client.event('end');
      const seen = messages(client);
      assert.deepStrictEqual(seen, order.slice(order.length - seen.length));
    }
    await leaver.event('end');
    const seen = messages(leaver);
    assert.strictEqual(new Set(seen).size, seen.length);
    const places = seen.map((message) => order.indexOf(message));
    assert.deepStrictEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
  },
);

test(
  'client events, publishes, joins and leaves stand in one order',
  { workers: [1, 2] },
  async (t) => {
    const server = await t.server({ set: { 'apps.app-id.limits.client_events_per_second': 0 } });
    const watchers = await t.rawOnEach(server);
    for (const [n, client] of watchers.entries()) {
      await client.subscribe('presence-a', { user: { user_id: `w${n}` } });
    }
    const actor = await t.raw(server);
    const busy = async () => {
      for (let n = 0; n < 40; n++) {
        await actor.subscribe('presence-a', { user: { user_id: 'actor' } });
        actor.trigger('client-x', 'presence-a', n);
        actor.unsubscribe('presence-a');
      }
      await actor.ping();
    };
    const publish = async () => {
      for (let n = 0; n < 40; n++) await api.publish(server, 'presence-a', 'm', String(n));
    };
    await Promise.all([busy(), publish()]);
    await api.publish(server, 'presence-a', 'end');
    const seen = [];
    for (const client of watchers) {
      await client.event('end');
      const all = client.frames.all.filter((f) => f.channel === 'presence-a' && !/w1/.test(f.text));
      seen.push(all.slice(all.findIndex((f) => /actor|"m"/.test(f.text))).map((f) => f.text));
    }
    assert.deepStrictEqual(seen[1], seen[0]);
    assert.strictEqual(seen[0].filter((text) => /member_added/.test(text)).length, 40);
    const actorOnly = seen[0]
      .filter((text) => /actor/.test(text))
      .map((text) => JSON.parse(text).event);
    for (let n = 0; n < 120; n += 3) {
      assert.deepStrictEqual(actorOnly.slice(n, n + 3), [
        'pusher_internal:member_added',
        'client-x',
        'pusher_internal:member_removed',
      ]);
    }
  },
);
