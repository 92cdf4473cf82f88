// SPDX-License-Identifier: MIT
//
// Hostile neighbours, the fast ones: clients that send frames as fast as they can.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp, makeFrame } = require('./lib/tcp');
const { Witness, attack, base64, measured, textFrame, upgradeText } = require('./lib/attack');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2], ms: 60_000 };

// Attackers who repeat one thing; a witness beside them, which must get `events` events meanwhile.
async function flood(t, { name, mostMiB = 48, server: options, connections = 8, events = 40, ...plan }) {
  const server = await t.server(options);
  const witness = await Witness.start(t, server);
  const seen = await measured(server, name, mostMiB, async () => {
    const attacker = await attack(t, server, {
      connections,
      first: upgradeText(server),
      frames: 1,
      ...plan,
    });
    await witness.more(events);
    const last = await attacker.seen();
    await attacker.stop();
    return last;
  });
  await server.hasConnections(1);
  await witness.good();
  // What is written for it does not grow with the attack: 20 lines a second for each kind.
  assert.ok(server.stderr.length < 300_000, `${server.stderr.length} octets in the log`);
  return { server, seen };
}

const subscribe = (channel, data) =>
  textFrame({ event: 'pusher:subscribe', data: { channel, ...data } });
const unsubscribe = (channel) => textFrame({ event: 'pusher:unsubscribe', data: { channel } });
const repeat = (n, make) => Array.from({ length: n }, (_, index) => make(index));

test('a flood of client events', BOTH, async (t) => {
  const set = { 'apps.app-id.client_events_on_public_channels': true };
  const event = textFrame({ event: 'client-x', channel: 'flood', data: { a: 'b'.repeat(100) } });
  const { server, seen } = await flood(t, {
    name: 'client events',
    server: { set },
    once: base64(subscribe('flood')),
    again: base64(...repeat(100, () => event)),
  });
  assert.ok(seen.sent > 1_000_000, `${seen.sent} octets were sent`);
  assert.match(server.stderr, /limits\.client_events_per_second of app app-id allows 10/);
  assert.match(server.stderr, /suppressed=\d+/);
});

test('a flood of subscribes and unsubscribes', BOTH, async (t) => {
  const both = repeat(50, (n) => Buffer.concat([subscribe(`c${n}`), unsubscribe(`c${n}`)]));
  const { server } = await flood(t, { name: 'subscribe and unsubscribe', again: base64(...both) });
  const { channels } = await api.get(server, '/channels');
  assert.deepStrictEqual(Object.keys(channels), ['witness']);
});

test('a flood of channels: limits.subscriptions holds', BOTH, async (t) => {
  const names = repeat(3000, (n) => subscribe(`channel-${n}`));
  const { server } = await flood(t, { name: 'many channels', again: base64(...names), mostMiB: 64 });
  assert.match(server.stderr, /limits\.subscriptions of app app-id allows 1000/);
});

test('repeated subscribes of a large presence channel', { ...BOTH, ms: 90_000 }, async (t) => {
  const server = await t.server();
  const members = 300;
  const crowd = [];
  for (let n = 0; n < members; n++) {
    const client = await t.raw(server);
    const user = { user_id: `u${n}`, user_info: { name: 'n'.repeat(500) } };
    crowd.push(client.subscribe('presence-crowd', { user }));
  }
  await Promise.all(crowd);
  const witness = await Witness.start(t, server);
  await measured(server, 'presence snapshots', 128, async () => {
    // The signature holds for one socket id only, so this one floods from here.
    const client = await t.raw(server);
    const user = { user_id: 'again', user_info: { name: 'n'.repeat(500) } };
    await client.subscribe('presence-crowd', { user });
    const end = witness.sentAt.length + 40;
    while (witness.sentAt.length < end && client.socket.readyState === 1) {
      for (let n = 0; n < 20; n++) client.sendSubscribe('presence-crowd', { user });
      await witness.more(1);
    }
    client.destroy();
  });
  await witness.good();
});

// 64 KiB of each of these would ask for some 60 MB of snapshots.
const IN_ONE_PIECE = {
  'repeated subscribes': (again) => Buffer.concat(repeat(200, () => again)),
  'subscribes and unsubscribes': (again) =>
    Buffer.concat(repeat(200, () => Buffer.concat([unsubscribe('presence-crowd'), again]))),
};
for (const [what, make] of Object.entries(IN_ONE_PIECE)) {
  test(`snapshots asked for in one piece: ${what}`, { ...BOTH, ms: 90_000 }, async (t) => {
    const server = await t.server();
    const user = (id) => ({ user_id: id, user_info: { name: 'n'.repeat(1000) } });
    const crowd = Array.from({ length: 300 }, async (_, n) => {
      const client = await t.raw(server);
      await client.subscribe('presence-crowd', { user: user(`u${n}`) });
    });
    await Promise.all(crowd);
    const witness = await Witness.start(t, server);
    await measured(server, what, 32, async () => {
      for (let round = 0; round < 4; round++) {
        const tcp = await Tcp.open(server);
        const channel = 'presence-crowd';
        const socketId = await tcp.upgrade(server);
        const channelData = JSON.stringify({ user_id: `x${round}` });
        const auth = api.channelAuth(server.app, socketId, channel, channelData);
        tcp.socket.pause();
        tcp.write(make(subscribe(channel, { auth, channel_data: channelData })));
        await witness.more(10);
        tcp.socket.destroy();
      }
    });
    await server.hasConnections(301);
    await witness.good();
  });
}

test('a flood of pings and pongs', BOTH, async (t) => {
  const both = [
    makeFrame('x'.repeat(125), { first: 0x89 }),
    makeFrame('', { first: 0x8a }),
    textFrame({ event: 'pusher:ping', data: {} }),
  ];
  await flood(t, { name: 'pings', again: base64(...repeat(50, () => Buffer.concat(both))) });
});

test('pings of clients that do not read', BOTH, async (t) => {
  const ping = makeFrame('x'.repeat(125), { first: 0x89 });
  await flood(t, {
    name: 'pings without reading',
    connections: 30,
    mostMiB: 96,
    stopReading: true,
    again: base64(...repeat(100, () => ping)),
  });
});

test('tiny fragments, and far too many', BOTH, async (t) => {
  const tiny = [makeFrame('{', { first: 0x01 }), ...repeat(500, () => makeFrame(' ', { first: 0 }))];
  const end = makeFrame('}', { first: 0x80 });
  await flood(t, { name: 'tiny fragments', again: base64(...tiny, end) });
  const { seen, server } = await flood(t, {
    name: 'endless fragments',
    once: base64(makeFrame('{', { first: 0x01 })),
    again: base64(...repeat(200, () => makeFrame('', { first: 0 }))),
  });
  assert.strictEqual(seen.codes[1008], 8, JSON.stringify(seen));
  assert.match(server.stderr, /frames refused .*Too many fragments/);
});

test('messages that never end: limits.request_total_bytes holds', BOTH, async (t) => {
  const piece = makeFrame('x'.repeat(60_000), { first: 0x00 });
  const { server, seen } = await flood(t, {
    name: 'unfinished messages',
    connections: 100,
    mostMiB: 64,
    server: { set: { 'limits.request_total_bytes': 8 << 20 } },
    once: base64(makeFrame('{', { first: 0x01 }), ...repeat(20, () => piece)),
  });
  assert.ok((seen.codes[4100] ?? 0) > 0, JSON.stringify(seen));
  assert.match(server.stderr, /refused for memory .*option="limits.request_total_bytes"/);
});

test('nonsense as fast as it goes', BOTH, async (t) => {
  const { server, seen } = await flood(t, {
    name: 'wrong messages',
    again: base64(...repeat(100, (n) => textFrame(`{"event":"pusher:x${n}","data":`))),
  });
  assert.ok(seen.received > 0);
  assert.match(server.stderr, /suppressed=\d+/);
});

test('connects that come and go', BOTH, async (t) => {
  await flood(t, { name: 'resets', connections: 100, resetAfterMs: 30, reconnect: true });
});

test('wrong upgrades, over and over: the log stays small', BOTH, async (t) => {
  const server = await t.server({ args: ['--log-format', 'json', '--log-level', 'debug'] });
  const witness = await Witness.start(t, server);
  const nobody = { ...server, app: { key: 'nobody', secret: 'x' } };
  const plan = { connections: 50, first: upgradeText(nobody), reconnect: true };
  const refused = await attack(t, server, { ...plan, wait: false });
  await refused.until((seen) => (seen.codes[4001] ?? 0) > 2000, '2,000 refused clients');
  await refused.stop();
  await witness.good();
  const told = () => /"client not admitted","suppressed":\d+/.test(server.stderr);
  await poll(async () => {
    await t.rawUnsure(server, { key: 'nobody' }).closed();
    return told();
  }, 'number of lines that were left out');
  await server.stop();
  const lines = server.stderr.trimEnd().split('\n');
  for (const line of lines) JSON.parse(line);
  assert.ok(lines.length < 1500, `${lines.length} lines`);
});
