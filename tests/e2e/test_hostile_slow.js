// SPDX-License-Identifier: MIT
//
// Hostile neighbours, the slow ones: clients that send an octet now and then, and clients that read
// slowly or not at all.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp, makeFrame } = require('./lib/tcp');
const { Witness, attack, base64, measured, textFrame, upgradeText } = require('./lib/attack');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2], ms: 60_000 };
const N = 300;

test('slowloris: heads that never end get 408', BOTH, async (t) => {
  const server = await t.server({ set: { handshake_timeout_ms: 1000 } });
  const witness = await Witness.start(t, server);
  await measured(server, 'slow heads', 16, async () => {
    const plan = { connections: N, first: 'GET /up HTTP/1.1\r\nHost: x\r\nA: ', everyMs: 50 };
    const slow = await attack(t, server, { ...plan, again: base64(Buffer.from('b')) });
    await slow.until((seen) => seen.closed === N, 'end of all slow heads');
    assert.strictEqual((await slow.seen()).statuses[408], N);
  });
  assert.match(server.stderr, /request timed out .*part="head".*option="handshake_timeout_ms"/);
  await witness.more(10);
  await witness.good();
});

test('slowloris: clients that say nothing are closed', async (t) => {
  const server = await t.server({ set: { handshake_timeout_ms: 1000 } });
  const witness = await Witness.start(t, server);
  const silent = await attack(t, server, { connections: N });
  await silent.until((seen) => seen.closed === N, 'end of all silent ones');
  await witness.good();
});

test('slowloris: bodies that never end get 408', BOTH, async (t) => {
  const server = await t.server({ set: { body_timeout_ms: 1000 } });
  const witness = await Witness.start(t, server);
  const query = api.signedQuery(server.app, 'POST', '/apps/app-id/events', {
    body: 'x',
  });
  const head = (target, length) =>
    `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  const target = `/apps/app-id/events?${api.encode(query)}`;
  await measured(server, 'slow bodies', 24, async () => {
    for (const first of [head(target, 100_000), head('/apps/app-id/events', 16_000)]) {
      const plan = { connections: N, first, everyMs: 50, again: base64(Buffer.from('x')) };
      const slow = await attack(t, server, plan);
      await slow.until((seen) => seen.closed === N, 'end of all slow bodies');
      const { statuses } = await slow.seen();
      assert.strictEqual(statuses[408], N, JSON.stringify(statuses));
    }
  });
  await witness.good();
});

test('slowloris: a frame octet by octet costs nobody anything', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  await measured(server, 'slow frames', 32, async () => {
    const slow = await attack(t, server, {
      connections: N,
      first: upgradeText(server),
      frames: 1,
      once: base64(makeFrame('{"event":"', { first: 0x82, length: 200_000 })),
      again: base64(Buffer.from('x')),
      everyMs: 20,
    });
    await slow.until((seen) => seen.sent > 20 * N, 'octets of slow frames');
    await slow.stop();
  });
  await server.hasConnections(1);
  await witness.good();
});

// Announced sizes cost no memory before the octets are there.
test('absurd lengths are not allocated', async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  await measured(server, 'announced lengths', 16, async () => {
    const plan = { connections: N, first: upgradeText(server), frames: 1 };
    const big = makeFrame('', { length: 1_500_000 });
    const some = await attack(t, server, { ...plan, once: base64(big) });
    await witness.more(5);
    await some.stop();
    const absurd = makeFrame('', { length: 2 ** 52 });
    const more = await attack(t, server, { ...plan, once: base64(absurd) });
    await more.until((seen) => seen.codes[1009] === N, 'close 1009 for all');
    await more.stop();
  });
  await witness.good();
});

test(
  'readers that stop, and slow ones, beside fast ones',
  { ...BOTH, ms: 90_000 },
  async (t) => {
    const server = await t.server({
      set: { 'limits.pending_bytes': 65536, slow_consumer_grace_ms: 1000 },
    });
    const witness = await Witness.start(t, server);
    const fast = await t.rawOnEach(server);
    for (const client of fast) await client.subscribe('flood');
    const slow = await Tcp.open(server);
    t.defer(() => slow.socket.destroy());
    await slow.upgrade(server);
    slow.write(textFrame({ event: 'pusher:subscribe', data: { channel: 'flood' } }));
    assert.match((await slow.frame()).payload.toString(), /subscription_succeeded/);
    await measured(server, 'stopped readers', 96, async () => {
      const stopped = await attack(t, server, {
        connections: 50,
        first: upgradeText(server),
        frames: 1,
        once: base64(textFrame({ event: 'pusher:subscribe', data: { channel: 'flood' } })),
        stopReading: true,
      });
      const others = fast.length + 2;
      const data = JSON.stringify('x'.repeat(50_000));
      let sent = 0;
      await poll(
        async () => {
          await api.publish(server, 'flood', 'x', data);
          sent += 1;
          return (await server.connections()).length <= others;
        },
        'end of the stopped readers',
        60_000,
      );
      await api.publish(server, 'flood', 'end');
      for (const client of fast) {
        await client.event('end');
        assert.strictEqual(client.unread('flood').length, sent);
      }
      await stopped.stop();
    });
    assert.match(server.stderr, /slow consumer cut .*option="(limits.pending_bytes|slow_)/);
    await witness.good();
  },
);
