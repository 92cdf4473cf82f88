// SPDX-License-Identifier: MIT
//
// Wrong input on WebSockets: the connection gets what the protocol says; another one on the same
// server must not notice anything.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp, makeFrame } = require('./lib/tcp');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

const PING = '{"event":"pusher:ping"}';
const subscribe = (channel) => JSON.stringify({ event: 'pusher:subscribe', data: { channel } });

// A server with a connection that must not notice: at the end it must have got each marker, and
// nothing besides.
async function world(t, options) {
  const server = await t.server(options);
  const witness = await t.raw(server);
  await witness.subscribe('witness');
  const unharmed = async () => {
    await api.publish(server, 'witness', 'marker');
    await witness.event('marker');
    await witness.ping();
    assert.deepStrictEqual(witness.frames.unread, []);
  };
  return { server, unharmed };
}

async function upgraded(t, server) {
  const tcp = await Tcp.open(server);
  t.defer(() => tcp.socket.destroy());
  await tcp.upgrade(server);
  return tcp;
}

// Sends `bytes`; the server must close with this code.
async function closesWith(t, server, code, bytes, what) {
  const tcp = await upgraded(t, server);
  tcp.write(bytes);
  const close = await tcp.next((buffer) => {
    // Error frames may come first.
    for (let at = 0; at + 2 <= buffer.length;) {
      const length = buffer[at + 1];
      if ((buffer[at] & 0x0f) === 8) {
        if (buffer.length < at + 2 + length) return null;
        return [length >= 2 ? buffer.readUInt16BE(at + 2) : 1005, buffer.length];
      }
      if (length >= 126) at += 4 + buffer.readUInt16BE(at + 2);
      else at += 2 + length;
    }
    return null;
  }, `close frame after ${what}`);
  assert.strictEqual(close, code, what);
  await tcp.closed();
}

test('malformed JSON: error 4200, the connection stays', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const client = await t.raw(server);
  const texts = [
    '',
    ' ',
    'x',
    '{',
    '}',
    '[]',
    '[[]]',
    'null',
    '"pusher:ping"',
    '7',
    '{}',
    '{"event":}',
    '{"event":7}',
    '{"event":null}',
    '{"event":["pusher:ping"]}',
    '{"event":"pusher:ping",}',
    '{"event":"pusher:ping"} x',
    '{"event":"pusher:ping"',
    "{'event':'pusher:ping'}",
    '{"event":"\\x"}',
    '{"event":"\\u12"}',
    '{"event":"a\nb"}',
    '{"event":"a\u0000b"}',
    '\ufeff{"event":"pusher:ping"}',
    '{"event":"client-x","channel":7,"data":1}',
    '{"event":"client-x","data":1}',
    '{"event":"pusher:nothing","data":{}}',
    '{"event":"pusher:subscribe"}',
    '{"event":"pusher:subscribe","data":7}',
    '{"event":"pusher:subscribe","data":{}}',
    '{"event":"pusher:subscribe","data":{"channel":7}}',
    '{"event":"pusher:subscribe","data":"{"}',
    '{"event":"pusher:unsubscribe","data":[]}',
    '{"event":"pusher:signin"}',
    '{"event":"pusher:signin","data":{"auth":7,"user_data":{}}}',
    '{"event":"pusher:ping","data":01}',
    '{"event":"pusher:ping","data":1.}',
    '{"event":"pusher:ping","data":NaN}',
    '{"event":"pusher:ping","data":+1}',
  ];
  for (const text of texts) {
    client.send(text);
    const frame = await client.take(() => true, `answer to ${JSON.stringify(text)}`);
    assert.match(frame.event, /^pusher:(subscription_)?error$/, `${text}: ${frame.text}`);
    assert.ok((frame.data.code ?? frame.data.status) >= 400, `${text}: ${frame.text}`);
    await client.ping();
    client.frames.unread.splice(0);
  }
  for (const text of ['x', '{}', '{"event":"pusher:nothing"}']) {
    client.send(text);
    assert.strictEqual((await client.event('pusher:error')).data.code, 4200);
  }
  for (const event of ['anything', 'pusher_internal:x']) client.trigger(event, 'a', {});
  await client.ping();
  assert.deepStrictEqual(client.frames.unread, []);
  await unharmed();
});

test('deep nesting, duplicate members, huge numbers', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const client = await t.raw(server);
  await client.subscribe('private-a');
  for (const deep of [50_000, 100_000]) {
    client.send(
      `{"event":"client-x","channel":"private-a","data":${'['.repeat(deep)}${']'.repeat(deep)}}`,
    );
    client.send(`{"event":"client-x","channel":"private-a","data":${'{"a":'.repeat(30_000)}`);
  }
  await client.ping();
  client.frames.unread.splice(0);
  const harmless = [
    '{"event":"pusher:nothing","event":"pusher:ping"}',
    '{"event":"pusher:ping","event":"pusher:nothing"}',
    '{"event":"pusher:subscribe","data":{"channel":"b","channel":"c"}}',
    '{"event":"pusher:subscribe","data":{"channel":"b"},"data":{"channel":"c"}}',
    `{"event":"pusher:ping","data":${'9'.repeat(100_000)}}`,
    `{"event":"pusher:ping","data":1e${'9'.repeat(1000)}}`,
    `{"event":"pusher:ping","data":-0.${'0'.repeat(100_000)}1}`,
    `{"event":"pusher:ping",${'"x":1,'.repeat(20_000)}"y":2}`,
    `{"event":"${'x'.repeat(200_000)}"}`,
  ];
  for (const text of harmless) client.send(text);
  await client.ping();
  await unharmed();
});

test('too large: close 1009, whatever the pieces', QUICK, async (t) => {
  const { server, unharmed } = await world(t, {
    set: { 'apps.app-id.limits.message_bytes': 1000 },
  });
  const huge = 'x'.repeat(400_000);
  const full = makeFrame(huge);
  await closesWith(t, server, 1009, full, 'one large frame');
  await closesWith(
    t,
    server,
    1009,
    makeFrame('x', { length: 2 ** 40 }),
    'a header that claims 1 TiB',
  );
  await closesWith(t, server, 1009, makeFrame('', { length: 400_000 }), 'a header alone');
  const pieces = [makeFrame('x'.repeat(9000), { first: 0x01 })];
  for (let n = 0; n < 60; n++) pieces.push(makeFrame('x'.repeat(9000), { first: 0x00 }));
  await closesWith(t, server, 1009, Buffer.concat(pieces), 'many fragments');
  await unharmed();
});

test('frames that break RFC 6455: close 1002', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const wrong = {
    'no mask': makeFrame(PING, { masked: false }),
    RSV1: makeFrame(PING, { first: 0xc1 }),
    RSV2: makeFrame(PING, { first: 0xa1 }),
    RSV3: makeFrame(PING, { first: 0x91 }),
    'opcode 3': makeFrame(PING, { first: 0x83 }),
    'opcode 7': makeFrame(PING, { first: 0x87 }),
    'opcode 11': makeFrame(PING, { first: 0x8b }),
    'opcode 15': makeFrame(PING, { first: 0x8f }),
    'fragmented ping': makeFrame('', { first: 0x09 }),
    'long ping': makeFrame('x'.repeat(126), { first: 0x89 }),
    'continuation of nothing': makeFrame(PING, { first: 0x80 }),
    'text inside of a fragmented text': Buffer.concat([
      makeFrame('{"a"', { first: 0x01 }),
      makeFrame(PING),
    ]),
    'a close of one byte': makeFrame('x', { first: 0x88 }),
    'a length with the top bit': Buffer.from('81ff800000000000000000000000', 'hex'),
  };
  for (const [what, bytes] of Object.entries(wrong)) await closesWith(t, server, 1002, bytes, what);
  await unharmed();
});

test('invalid UTF-8: close 1007', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const wrong = ['ff', 'c0af', 'e28228', 'eda080', 'f4908080', 'f8888080', '80', 'c3', 'e282'];
  for (const hex of wrong) {
    const payload = Buffer.concat([
      Buffer.from('{"event":"client-x","channel":"a","data":"'),
      Buffer.from(hex, 'hex'),
      Buffer.from('"}'),
    ]);
    await closesWith(t, server, 1007, makeFrame(payload), hex);
  }
  const cut = Buffer.concat([
    makeFrame(Buffer.from('7b22c3', 'hex'), { first: 0x01 }),
    makeFrame(Buffer.from('22', 'hex'), { first: 0x80 }),
  ]);
  await closesWith(t, server, 1007, cut, 'cut character over two fragments');
  await unharmed();
});

test('fragments, pings between them, binary JSON', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const tcp = await upgraded(t, server);
  const text = Buffer.from(subscribe('fragments'));
  tcp.write(
    Buffer.concat([
      makeFrame(text.subarray(0, 3), { first: 0x01 }),
      makeFrame('mid', { first: 0x89 }),
      makeFrame('', { first: 0x00 }),
      makeFrame(text.subarray(3, 20), { first: 0x00 }),
      makeFrame('late', { first: 0x8a }),
      makeFrame(text.subarray(20), { first: 0x80 }),
    ]),
  );
  const pong = await tcp.frame();
  assert.deepStrictEqual([pong.opcode, pong.payload.toString()], [10, 'mid']);
  assert.match((await tcp.frame()).payload.toString(), /subscription_succeeded/);
  tcp.write(makeFrame(PING, { first: 0x82 }));
  assert.match((await tcp.frame()).payload.toString(), /pusher:pong/);
  tcp.write(makeFrame(Buffer.from([0, 1, 2, 255]), { first: 0x82 }));
  assert.match((await tcp.frame()).payload.toString(), /4200/);
  // A character in two fragments, and a frame in single bytes.
  const split = Buffer.from('{"event":"pusher:ping","data":"ë"}');
  const at = split.indexOf(0xab);
  tcp.write(makeFrame(split.subarray(0, at), { first: 0x01 }));
  tcp.write(makeFrame(split.subarray(at), { first: 0x80 }));
  assert.match((await tcp.frame()).payload.toString(), /pusher:pong/);
  tcp.socket.setNoDelay(true);
  for (const byte of makeFrame(PING)) {
    tcp.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.match((await tcp.frame()).payload.toString(), /pusher:pong/);
  await unharmed();
});

test('closing: the close frame is answered', async (t) => {
  const { server, unharmed } = await world(t);
  const code = (n, reason = '') => {
    const payload = Buffer.from(`xx${reason}`);
    payload.writeUInt16BE(n, 0);
    return makeFrame(payload, { first: 0x88 });
  };
  const normal = await upgraded(t, server);
  normal.write(code(1000, 'bye'));
  const answer = await normal.frame();
  assert.strictEqual(answer.opcode, 8);
  assert.strictEqual(answer.masked, 0);
  assert.ok([1000, undefined].includes(answer.code));
  await normal.closed();
  const empty = await upgraded(t, server);
  empty.write(makeFrame('', { first: 0x88 }));
  assert.strictEqual((await empty.frame()).opcode, 8);
  await empty.closed();
  for (const bad of [0, 999, 1004, 1005, 1006, 1015, 2999]) {
    await closesWith(t, server, 1002, code(bad), `close code ${bad}`);
  }
  const reason = makeFrame(Buffer.from('03e8ff', 'hex'), { first: 0x88 });
  await closesWith(t, server, 1007, reason, 'a reason that is no UTF-8');
  const after = await upgraded(t, server);
  after.write(Buffer.concat([code(1000), makeFrame(PING)]));
  assert.strictEqual((await after.frame()).opcode, 8);
  assert.strictEqual((await after.closed()).length, 0);
  await unharmed();
});

test('TLS on the plain port is refused, with a line in the log', QUICK, async (t) => {
  const { server, unharmed } = await world(t);
  const tcp = await Tcp.open(server);
  const hello = '16030100750100007103030000000000000000000000000000000000000000';
  tcp.write(Buffer.concat([Buffer.from(hello, 'hex'), Buffer.alloc(80)]));
  const rest = await tcp.closed();
  assert.ok(
    rest.length === 0 || rest[0] === 0x15 || rest.toString('latin1').startsWith('HTTP/1.1 4'),
  );
  await poll(() => /tls/i.test(server.stderr), 'line about TLS in the log');
  await unharmed();
});

test('cut off at each point', async (t) => {
  const { server, unharmed } = await world(t);
  const frame = makeFrame(subscribe('a'));
  for (let cut = 0; cut < frame.length; cut += 3) {
    const tcp = await upgraded(t, server);
    tcp.write(frame.subarray(0, cut));
    if (cut % 2) tcp.end();
    else tcp.socket.resetAndDestroy();
  }
  await server.hasConnections(1);
  await unharmed();
});

test('random bytes', BOTH, async (t) => {
  const { server, unharmed } = await world(t);
  let seed = 12345;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
  for (let n = 0; n < 60; n++) {
    const tcp = n % 2 ? await upgraded(t, server) : await Tcp.open(server);
    const bytes = Buffer.from(
      Array.from({ length: 1 + (random() % 400) }, () => (random() >> 8) & 255),
    );
    tcp.write(bytes);
    tcp.end();
    await tcp.closed();
  }
  await server.hasConnections(1);
  await unharmed();
});

test(
  'a subscriber that does not read is dropped, others get everything',
  { ...BOTH, ms: 60_000 },
  async (t) => {
    const { server, unharmed } = await world(t, {
      set: { 'limits.pending_bytes': 65536, slow_consumer_grace_ms: 500 },
    });
    const slow = await upgraded(t, server);
    slow.write(makeFrame(subscribe('flood')));
    assert.match((await slow.frame()).payload.toString(), /subscription_succeeded/);
    slow.socket.pause();
    const reader = await t.raw(server);
    await reader.subscribe('flood');
    const data = JSON.stringify('x'.repeat(100_000));
    let sent = 0;
    await poll(
      async () => {
        await api.publish(server, 'flood', 'x', data);
        sent += 1;
        return (await server.connections()).length === 2;
      },
      'end of the slow connection',
      40_000,
    );
    await api.publish(server, 'flood', 'end');
    await reader.event('end');
    assert.strictEqual(reader.unread('flood').length, sent);
    await poll(() => /pending|slow/i.test(server.stderr), 'reason in the log');
    await unharmed();
  },
);
