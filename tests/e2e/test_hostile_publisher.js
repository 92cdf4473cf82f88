// SPDX-License-Identifier: MIT
//
// Hostile neighbours: back ends that send garbage, and clients who play one.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp } = require('./lib/tcp');
const { Witness, attack, base64, measured } = require('./lib/attack');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2], ms: 60_000 };

const good = { name: 'x', channels: ['witness-not'], data: '{}' };
const without = (name) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

const BODIES = [
  '',
  'x',
  '{',
  '[]',
  'null',
  '7',
  '{}',
  '"text"',
  '{"name":"x"',
  '{"name":"x","channels":["a"],"data":"{}"}}',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `{"name":"x","channels":["a"],"data":"${'\\u0000'.repeat(10)}`,
  Buffer.from('7b226e616d65223a22ff222c226368616e6e656c73223a5b2261225d2c2264617461223a2222207d', 'hex'),
  JSON.stringify(without('name')),
  JSON.stringify(without('channels')),
  JSON.stringify(without('data')),
  JSON.stringify({ ...good, name: 7 }),
  JSON.stringify({ ...good, name: '' }),
  JSON.stringify({ ...good, name: 'n'.repeat(201) }),
  JSON.stringify({ ...good, name: 'pusher:fake' }),
  JSON.stringify({ ...good, channels: 'witness' + '!' }),
  JSON.stringify({ ...good, channels: [] }),
  JSON.stringify({ ...good, channels: [7] }),
  JSON.stringify({ ...good, channels: ['a b'] }),
  JSON.stringify({ ...good, channels: ['c'.repeat(201)] }),
  JSON.stringify({ ...good, channels: Array.from({ length: 101 }, (_, n) => `c${n}`) }),
  JSON.stringify({ ...good, data: 'd'.repeat(262_145) }),
  JSON.stringify({ ...good, socket_id: 'me' }),
];

test('signed garbage is refused with a reason, and nobody notices', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  await measured(server, 'signed garbage', 32, async () => {
    for (let round = 0; round < 3; round++) {
      for (const body of BODIES) {
        const answer = await api.call(server, 'POST', '/events', { body });
        const what = `${String(body).slice(0, 60)}: ${answer.status} ${answer.text}`;
        assert.ok(answer.status >= 400 && answer.status < 500, what);
        assert.ok(answer.json.error.length > 20, what);
      }
    }
  });
  await witness.good();
});

test('random octets, and requests cut anywhere', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  const query = api.encode(
    api.signedQuery(server.app, 'POST', '/apps/app-id/events', { body: JSON.stringify(good) }),
  );
  const body = JSON.stringify(good);
  const request =
    `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  let seed = 4711;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8;
  for (let n = 0; n < 150; n++) {
    const tcp = await Tcp.open(server);
    const bytes = Buffer.from(request, 'latin1');
    for (let k = 0; k < 1 + (n % 5); k++) bytes[random() % bytes.length] = random() & 255;
    tcp.write(n % 3 ? bytes : bytes.subarray(0, random() % bytes.length));
    if (n % 2) tcp.end();
    else tcp.socket.resetAndDestroy();
    await tcp.closed();
  }
  await witness.good();
});

test('unsigned requests in a flood: refused early, few lines, no secrets', BOTH, async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  const wrong = { ...server.app, secret: 'not-the-secret' };
  const query = api.encode(api.signedQuery(wrong, 'GET', '/apps/app-id/channels'));
  const request = `GET /apps/app-id/channels?${query} HTTP/1.1\r\nHost: x\r\n\r\n`;
  await measured(server, 'wrong signatures', 48, async () => {
    const flood = await attack(t, server, {
      connections: 8,
      again: base64(Buffer.from(request.repeat(50))),
    });
    await witness.more(40);
    const seen = await flood.seen();
    assert.ok(seen.received > 100_000, JSON.stringify(seen));
    await flood.stop();
  });
  assert.match(server.stderr, /api refused .*status=401 .*app="app-id" why="The secret auth/);
  assert.ok(server.stderr.length < 300_000, `${server.stderr.length} octets in the log`);
  assert.ok(!server.stderr.includes('auth_signature='), 'a signature in the log');
  await witness.good();
});

test('large bodies without a signature are not read', async (t) => {
  const server = await t.server();
  const witness = await Witness.start(t, server);
  await measured(server, 'large unsigned bodies', 24, async () => {
    const flood = await attack(t, server, {
      connections: 100,
      first: 'POST /apps/app-id/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n',
      again: base64(Buffer.alloc(65536, 'x')),
      times: 200,
      reconnect: true,
    });
    await witness.more(20);
    assert.ok((await flood.seen()).statuses[401] >= 100);
    await flood.stop();
  });
  await witness.good();
});

test('large signed bodies that stop short: limits.request_total_bytes holds', async (t) => {
  const server = await t.server({ set: { 'limits.request_total_bytes': 16 << 20 } });
  const witness = await Witness.start(t, server, { everyMs: 50 });
  const query = api.encode(api.signedQuery(server.app, 'POST', '/apps/app-id/events', { body: 'x' }));
  await measured(server, 'unfinished signed bodies', 96, async () => {
    const flood = await attack(t, server, {
      connections: 100,
      first: `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: 1500000\r\n\r\n`,
      again: base64(Buffer.alloc(65536, 'x')),
      times: 20,
    });
    await flood.until((seen) => seen.statuses[503] > 0, 'answers 503');
    await flood.stop();
  });
  assert.match(server.stderr, /refused for memory .*option="limits.request_total_bytes"/);
  await witness.more(5);
  await witness.good();
});
