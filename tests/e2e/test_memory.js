// SPDX-License-Identifier: MIT
//
// What connections cost comes back: the same again and again needs no more than the first time.
'use strict';

const assert = require('node:assert');
const { attack, base64, readMemory, isSanitized, textFrame, upgradeText } = require('./lib/attack');
const { test } = require('./lib/suite');

const N = 3000;

test(`what ${N} connections cost comes back`, { workers: [2], ms: 90_000 }, async (t) => {
  const server = await t.server();
  const subscribe = (channel) => textFrame({ event: 'pusher:subscribe', data: { channel } });
  const channels = Array.from({ length: 10 }, (_, n) => subscribe(`room-${n}`));
  const afterMiB = [];
  for (let round = 0; round < 4; round++) {
    const crowd = await attack(t, server, {
      connections: N,
      first: upgradeText(server),
      frames: 1,
      once: base64(...channels),
      resetAfterMs: round % 2 ? 60_000 : undefined,
    });
    const heard = (seen) => seen.received > N * 10 * 60; // ten answers each
    await crowd.until(heard, 'answers to all subscribes', 60_000);
    await crowd.stop();
    await server.hasConnections(0);
    afterMiB.push(readMemory(server).now / 1024);
  }
  console.log(`     resident after each round: ${afterMiB.map((n) => n.toFixed(1)).join(', ')} MiB`);
  if (!isSanitized(server)) // 1 MiB is less than 120 octets a connection in three rounds
    assert.ok(afterMiB[3] < afterMiB[0] + 1, `${afterMiB.join(', ')} MiB`);
});
