// SPDX-License-Identifier: MIT
//
// Hostile neighbours: clients who begin and do not finish, and clients who say much at once.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp, makeFrame } = require('./lib/tcp');
const { Witness, attack, base64, measured, textFrame, upgradeText } = require('./lib/attack');
const { pause } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2], ms: 90_000 };

// A signed publish to a channel that nobody listens to.
function publishText(server, data = 'x'.repeat(40_000)) {
  const body = JSON.stringify({ name: 'e', channels: ['nobody'], data });
  const query = api.encode(api.signedQuery(server.app, 'POST', '/apps/app-id/events', { body }));
  return (
    `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

// Publishes as one whose packets are lost now and then: in two pieces, cut anywhere.
async function publishInPieces(server, times) {
  for (let n = 0; n < times; n++) {
    const text = publishText(server);
    const tcp = await Tcp.open(server);
    const at = Math.floor((text.length * (n + 1)) / (times + 1));
    tcp.write(text.slice(0, at));
    await pause(20);
    tcp.write(text.slice(at));
    const { status, body } = await tcp.response();
    assert.strictEqual(status, 200, `cut at ${at}: ${status} ${body}`);
    tcp.end();
  }
}

test('unfinished messages of many clients refuse no publisher', BOTH, async (t) => {
  const set = { 'limits.request_total_bytes': 32 << 20 };
  const server = await t.server({ set });
  const witness = await Witness.start(t, server);
  const begin = makeFrame('{', { first: 0x01 });
  const piece = makeFrame('x'.repeat(60_000), { first: 0x00 });
  const plan = { first: upgradeText(server), frames: 1 };
  const large = base64(begin, ...Array.from({ length: 20 }, () => piece));
  const small = base64(begin, makeFrame('x'.repeat(1000), { first: 0x00 }));
  await measured(server, 'unfinished messages', 64, async () => {
    // They hold as much as they may, and small ones fill what is left of it.
    const stay = await attack(t, server, { ...plan, connections: 100, once: large });
    const fill = await attack(t, server, { ...plan, connections: 300, once: small, reconnect: true });
    await stay.until((seen) => (seen.codes[4100] ?? 0) > 20, 'holders who were let go');
    await publishInPieces(server, 30);
    const again = await attack(t, server, {
      ...plan,
      connections: 100,
      once: large,
      reconnect: true,
    });
    await again.until((seen) => (seen.codes[4100] ?? 0) > 50, 'holders who came again');
    await publishInPieces(server, 30);
    for (const one of [stay, fill, again]) await one.stop();
  });
  assert.match(server.stderr, /refused for memory .*option="limits.request_total_bytes"/);
  await server.hasConnections(1);
  await witness.good();
});

test('unfinished heads and bodies without a signature refuse no publisher', BOTH, async (t) => {
  const set = { 'limits.request_total_bytes': 4 << 20, 'app_defaults.limits.message_bytes': 50_000 };
  const server = await t.server({ set });
  const witness = await Witness.start(t, server);
  const body = 'POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n';
  const head = 'GET / HTTP/1.1\r\nHost: x\r\nA: ';
  const plan = { connections: 200, times: 1, again: base64(Buffer.alloc(15_000, 'x')) };
  await measured(server, 'unfinished requests that come again', 24, async () => {
    const holders = [];
    for (const first of [body, head])
      holders.push(await attack(t, server, { ...plan, first, reconnect: true }));
    for (const one of holders)
      await one.until((seen) => (seen.statuses[503] ?? 0) > 50, 'requests that were let go');
    await publishInPieces(server, 60);
    for (const one of holders) await one.stop();
  });
  await server.hasConnections(1);
  await witness.good();
});

test('a message that does not end is closed after body_timeout_ms', BOTH, async (t) => {
  const server = await t.server({ set: { body_timeout_ms: 1000 } });
  const witness = await Witness.start(t, server);
  const N = 200;
  const slow = await attack(t, server, {
    connections: N,
    first: upgradeText(server),
    frames: 1,
    once: base64(makeFrame('{"event":"', { first: 0x82, length: 200_000 })),
    again: base64(Buffer.from('x')),
    everyMs: 50,
  });
  await slow.until((seen) => seen.closed === N, 'end of all slow messages');
  assert.strictEqual((await slow.seen()).codes[4100], N);
  await slow.stop();
  assert.match(server.stderr, /message timed out .*option="body_timeout_ms" limit=1000/);
  await server.hasConnections(1);
  await witness.good();
});

test('one who sends publishes without a pause does not hold up the others', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  const many = Array.from({ length: 100 }, () => publishText(server, 'x'));
  await measured(server, 'publishes in the pipeline', 48, async () => {
    const flood = await attack(t, server, {
      connections: 4,
      again: base64(Buffer.from(many.join(''))),
    });
    await witness.more(60);
    const seen = await flood.seen();
    assert.ok(seen.received > 100_000, JSON.stringify(seen));
    await flood.stop();
  });
  await server.hasConnections(1);
  await witness.good();
});

test('small messages without a pause do not hold up the others', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  const ping = textFrame({ event: 'pusher:ping' });
  await measured(server, 'small messages', 64, async () => {
    const flood = await attack(t, server, {
      connections: 40,
      first: upgradeText(server),
      frames: 1,
      again: base64(...Array.from({ length: 2000 }, () => ping)),
    });
    await witness.more(60);
    await flood.stop();
  });
  await server.hasConnections(1);
  await witness.good();
});
