// SPDX-License-Identifier: MIT
//
// What the dashboard's Live view is drawn from: a sample of each worker once a second.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { subscribed } = require('./lib/clients');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');
const { watcher } = require('./lib/watch');

test('samples come from each worker once a second', { workers: [2] }, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('news');
  const channel = await subscribed(watcher(t, server), 'stats');
  const samples = new Map();
  channel.bind('stats', (sample) => samples.set(sample.worker, sample));
  await api.publish(server, 'news', 'e', '{}');
  const all = () => [...samples.values()];
  const sum = (key) => all().reduce((n, sample) => n + sample[key], 0);
  await poll(() => samples.size === 2 && sum('messages_out') === 1, 'samples of both workers');
  assert.strictEqual(sum('connections'), 1, 'who watches is not counted');
  assert.strictEqual(sum('api_messages'), 1);
  for (const sample of all()) {
    const said = JSON.stringify(sample);
    assert.ok(sample.wall_ns > 500_000_000 && sample.cpu_ns < sample.wall_ns, said);
    assert.strictEqual(sample.workers, 2);
  }
});

test('delivery times and memory by purpose', { workers: [2] }, async (t) => {
  const server = await t.server();
  const [first, second] = await t.rawOnEach(server);
  await first.subscribe('cache-news');
  await second.subscribe('cache-news');
  await second.subscribe('news');
  await api.publish(server, 'cache-news', 'e', JSON.stringify('x'.repeat(5000)));
  await api.publish(server, 'news', 'e', '{}');
  const channel = await subscribed(watcher(t, server), 'stats');
  const samples = new Map();
  channel.bind('stats', (sample) => samples.set(sample.worker, sample));
  await poll(() => samples.size === 2, 'samples of both workers');
  const timed = (worker) => samples.get(worker).delivery_us.reduce((sum, n) => sum + n, 0);
  await poll(() => timed(0) === 1 && timed(1) === 2, 'deliveries of both workers');
  assert.strictEqual(samples.get(1).memory, undefined, 'it is the same for all workers');
  const { resident, heap, connections, output, caches } = samples.get(0).memory;
  const least = heap || resident; // sanitizers have a heap of their own, which tells nothing
  assert.ok(resident > heap && least > connections + output + caches, JSON.stringify(samples.get(0)));
  assert.ok(connections > 2 * 200 && caches >= 5000, JSON.stringify(samples.get(0)));
});
