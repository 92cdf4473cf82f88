// SPDX-License-Identifier: MIT
//
// Hostile neighbours, the many ones: thousands of connects at once, and all descriptors taken.
'use strict';

const assert = require('node:assert');
const { Witness, attack, measured, upgradeText } = require('./lib/attack');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const kilo = (n) => n.toLocaleString('en');

async function connectsAtOnce(t, connections, withinMs) {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  await measured(server, `${kilo(connections)} connects at once`, 8 + connections / 100, async () => {
    const began = Date.now();
    const crowd = await attack(t, server, {
      connections,
      perTurn: connections,
      first: upgradeText(server),
      frames: 1,
      wait: false,
    });
    await crowd.ready(60_000);
    console.log(`     ${kilo(connections)} connects: ${Date.now() - began} ms`);
    const seen = await crowd.seen();
    assert.strictEqual(seen.statuses[101], connections, JSON.stringify(seen));
    assert.strictEqual(seen.closed, 0, JSON.stringify(seen));
    await server.hasConnections(connections + 1);
    await crowd.stop();
    await poll(async () => (await server.connections()).length === 1, 'end of the crowd', 30_000);
  });
  await witness.more(5);
  await witness.good({ withinMs });
}

test('1,000 connects at once', { workers: [1, 2], ms: 60_000 }, (t) =>
  connectsAtOnce(t, 1000, 3000),
);

test('10,000 connects at once', { workers: [1, 2], ms: 120_000, full: true }, (t) =>
  connectsAtOnce(t, 10_000, 5000),
);

// As many as the process may open, and then some; publishers come with a new connection each time.
test(
  'all descriptors taken by silent connections: the publisher is served',
  { workers: [1, 2, 4], ms: 60_000 },
  async (t) => {
    const server = await t.server({ nofile: 500, set: { 'limits.reserved_descriptors': 40 } });
    const witness = await Witness.start(t, server);
    await measured(server, 'descriptors taken', 16, async () => {
      const silent = await attack(t, server, { connections: 600, reconnect: true, wait: false });
      await silent.until((seen) => seen.opened >= 3000, '3,000 silent connects');
      await witness.more(30);
      await silent.stop();
    });
    assert.match(server.stderr, /oldest request dropped .*why="descriptors are short"/);
    assert.strictEqual((await server.admin('/ready')).ready, true);
    await witness.good();
  },
);

test(
  'all descriptors taken by sockets: newcomers get 4100, the publisher is served',
  { workers: [1, 4], ms: 60_000 },
  async (t) => {
    const server = await t.server({ nofile: 500, set: { 'limits.reserved_descriptors': 120 } });
    const witness = await Witness.start(t, server);
    const first = upgradeText(server);
    const plan = { connections: 450, first, frames: 1, reconnect: true, wait: false };
    const sockets = await attack(t, server, plan);
    await sockets.until((seen) => (seen.codes[4100] ?? 0) > 500, '500 refused sockets');
    await witness.more(30);
    await sockets.stop();
    assert.match(server.stderr, /limits\.reserved_descriptors/);
    await server.hasConnections(1);
    await t.raw(server);
    await witness.good();
  },
);
