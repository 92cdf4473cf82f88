// SPDX-License-Identifier: MIT
//
// HTTP/1.1 on the wire: what proxies, curl and connection pools do, byte by byte.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { Tcp } = require('./lib/tcp');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };
const QUICK = { ...BOTH, quick: true };

const EVENT = JSON.stringify({ name: 'x', channels: ['a'], data: '1' });

async function open(t, server) {
  const tcp = await Tcp.open(server);
  t.defer(() => tcp.socket.destroy());
  return tcp;
}

// The target of a signed request.
function target(server, method, path, body = '') {
  const full = `/apps/${server.app.id}${path}`;
  return `${full}?${api.encode(api.signedQuery(server.app, method, full, { body }))}`;
}

function post(server, { body = EVENT, version = '1.1', headers = [], length = true } = {}) {
  const lines = [
    `POST ${target(server, 'POST', '/events', body)} HTTP/${version}`,
    'Host: x',
    ...headers,
  ];
  if (length) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const get = (server, path, headers = [], version = '1.1') =>
  [`GET ${target(server, 'GET', path)} HTTP/${version}`, 'Host: x', ...headers, '', ''].join(
    '\r\n',
  );

test('keep-alive: many requests on one connection', QUICK, async (t) => {
  const server = await t.server();
  const tcp = await open(t, server);
  for (let n = 0; n < 20; n++) {
    tcp.write(post(server) + EVENT);
    const { first, status, headers, body } = await tcp.response();
    assert.strictEqual(status, 200, body);
    assert.match(first, /^HTTP\/1\.1 200 /);
    assert.strictEqual(headers['content-length'], '2');
    assert.notStrictEqual(headers.connection?.toLowerCase(), 'close');
    assert.strictEqual(body, '{}');
  }
});

test('pipelining: answers come in order', BOTH, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  const tcp = await open(t, server);
  const bodies = Array.from({ length: 20 }, (_, n) =>
    JSON.stringify({ name: 'x', channels: ['a'], data: String(n) }),
  );
  tcp.write(
    bodies.map((body) => post(server, { body }) + body + get(server, '/channels/a')).join(''),
  );
  for (let n = 0; n < 20; n++) {
    assert.strictEqual((await tcp.response()).body, '{}');
    assert.match((await tcp.response()).body, /"occupied":true/);
    assert.strictEqual((await client.event('x')).json, n);
  }
});

test('a request in single bytes, and one in two halves', async (t) => {
  const server = await t.server();
  const tcp = await open(t, server);
  tcp.socket.setNoDelay(true);
  const bytes = Buffer.from(post(server) + EVENT);
  for (const byte of bytes) {
    tcp.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.strictEqual((await tcp.response()).status, 200);
  tcp.write(bytes.subarray(0, 100));
  await new Promise(setImmediate);
  tcp.write(bytes.subarray(100));
  assert.strictEqual((await tcp.response()).status, 200);
});

test('HTTP/1.0 and Connection: close end the connection', async (t) => {
  const server = await t.server();
  for (const text of [
    get(server, '/channels', [], '1.0'),
    get(server, '/channels', ['Connection: close']),
  ]) {
    const tcp = await open(t, server);
    tcp.write(text);
    assert.strictEqual((await tcp.response()).status, 200);
    assert.strictEqual((await tcp.closed()).length, 0);
  }
  const kept = await open(t, server);
  for (let n = 0; n < 2; n++) {
    kept.write(get(server, '/channels', ['Connection: keep-alive'], '1.0'));
    const { status, headers } = await kept.response();
    assert.strictEqual(status, 200);
    if (headers.connection?.toLowerCase() !== 'keep-alive') return;
  }
});

test('chunked bodies', QUICK, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('a');
  const tcp = await open(t, server);
  const headers = ['Transfer-Encoding: chunked'];
  const chunk = (text, more = '') => `${text.length.toString(16)}${more}\r\n${text}\r\n`;
  const head = post(server, { headers, length: false });
  const [left, right] = [EVENT.slice(0, 10), EVENT.slice(10)];
  const forms = [
    `${chunk(EVENT)}0\r\n\r\n`,
    `${chunk(left)}${chunk(right)}0\r\n\r\n`,
    `${chunk(left, ';name="value"')}${chunk(right)}0\r\nX-Trailer: 1\r\n\r\n`,
    `${[...EVENT].map((c) => chunk(c)).join('')}0\r\n\r\n`,
  ];
  for (const form of forms) {
    tcp.write(head);
    tcp.write(form);
    const { status, body } = await tcp.response();
    assert.strictEqual(status, 200, body);
    await client.event('x');
  }
});

test('Expect: 100-continue is answered before the body', async (t) => {
  const server = await t.server();
  const tcp = await open(t, server);
  tcp.write(post(server, { headers: ['Expect: 100-continue'] }));
  assert.strictEqual((await tcp.response()).status, 100);
  tcp.write(EVENT);
  assert.strictEqual((await tcp.response()).status, 200);
  // Who is refused may be told at once, and need not send the body then.
  const wrong = { ...server, app: { ...server.app, secret: 'no' } };
  tcp.write(post(wrong, { headers: ['Expect: 100-continue'] }));
  let answer = await tcp.response();
  if (answer.status === 100) {
    tcp.write(EVENT);
    answer = await tcp.response();
  }
  assert.strictEqual(answer.status, 401);
});

test('a body over 16 KiB with a bad signature is refused before it is read', async (t) => {
  const server = await t.server();
  const tcp = await open(t, server);
  const body = JSON.stringify({ name: 'x', channels: ['a'], data: 'x'.repeat(100_000) });
  tcp.write(post({ ...server, app: { ...server.app, secret: 'no' } }, { body }));
  assert.strictEqual((await tcp.response()).status, 401);
});

test('framing that could be read in two ways is refused', QUICK, async (t) => {
  const server = await t.server();
  const n = Buffer.byteLength(EVENT);
  const heads = [
    ['Transfer-Encoding: chunked', `Content-Length: ${n}`],
    [`Content-Length: ${n}`, `Content-Length: ${n + 1}`],
    [`Content-Length: +${n}`],
    [`Content-Length: -1`],
    [`Content-Length: ${n}x`],
    ['Content-Length: 99999999999999999999999999'],
    ['Transfer-Encoding: gzip, chunked, x'],
    [`Content-Length : ${n}`],
    ['X: a', ' folded: b', `Content-Length: ${n}`],
    ['No colon here'],
    ['X: a\u0000b'],
  ];
  for (const headers of heads) {
    const tcp = await open(t, server);
    tcp.write(post(server, { headers, length: false }) + EVENT);
    const { status } = await tcp.response();
    assert.ok(status >= 400 && status < 600, `${headers}: ${status}`);
    await tcp.closed();
  }
});

test('start lines and headers that are no HTTP are refused', QUICK, async (t) => {
  const server = await t.server();
  const texts = [
    'GARBAGE\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1 \r\nHost: x\r\n\r\n',
    'get / http/1.1\r\nHost: x\r\n\r\n',
    'G\u0000T / HTTP/1.1\r\nHost: x\r\n\r\n',
    `${'\u0000'.repeat(100)}\r\n\r\n`,
    '\u00ff'.repeat(100) + '\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ];
  for (const text of texts) {
    const tcp = await open(t, server);
    tcp.write(text);
    const rest = (await tcp.closed()).toString('latin1');
    assert.ok(
      rest === '' || /^HTTP\/1\.[01] [45]\d\d /.test(rest),
      `${text.slice(0, 40)}: ${rest}`,
    );
  }
  assert.strictEqual((await api.send(server, { target: '/up' })).status, 200);
});

test('blank lines before a request, bare LF, mixed case', async (t) => {
  const server = await t.server();
  const tcp = await open(t, server);
  tcp.write(`\r\n${get(server, '/channels')}`);
  assert.strictEqual((await tcp.response()).status, 200);
  const lf = await open(t, server);
  lf.write(get(server, '/channels').replaceAll('\r\n', '\n'));
  lf.end();
  await lf.closed();
  const mixed = await open(t, server);
  mixed.write(
    post(server, { length: false, headers: [`cOnTeNt-LeNgTh:${EVENT.length}  `] }) + EVENT,
  );
  assert.strictEqual((await mixed.response()).status, 200);
});

test('absolute targets and odd paths do not confuse', async (t) => {
  const server = await t.server();
  const targets = [
    'http://x/up',
    '*',
    '/../../etc/passwd',
    '/%00',
    '/%zz',
    '/up%',
    '/apps/%2e%2e/x',
    '/?',
    '/#x',
  ];
  for (const path of targets) {
    const tcp = await open(t, server);
    tcp.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answer = (await tcp.closed()).toString('latin1');
    assert.match(answer, /^HTTP\/1\.1 [2345]\d\d /, path);
    assert.ok(!answer.includes('root:'), path);
  }
});

test('slow headers run into handshake_timeout_ms', { ms: 20_000 }, async (t) => {
  const server = await t.server({ set: { handshake_timeout_ms: 700 } });
  const alive = await t.raw(server);
  const silent = await open(t, server);
  const slow = await open(t, server);
  slow.write('GET /app/app-key HTTP/1.1\r\n');
  const drip = setInterval(() => slow.socket.writable && slow.write('X: y\r\n'), 100);
  t.defer(() => clearInterval(drip));
  for (const tcp of [silent, slow]) {
    const rest = (await tcp.closed()).toString('latin1');
    assert.ok(rest === '' || rest.startsWith('HTTP/1.1 408 '), rest);
  }
  await alive.ping();
});

test('a body that does not come runs into body_timeout_ms', { ms: 20_000 }, async (t) => {
  const server = await t.server({ set: { body_timeout_ms: 700 } });
  const tcp = await open(t, server);
  tcp.write(post(server) + EVENT.slice(0, 5));
  const rest = (await tcp.closed()).toString('latin1');
  assert.ok(rest === '' || rest.startsWith('HTTP/1.1 408 '), rest);
});

test(
  'an idle keep-alive connection is closed after keepalive_timeout_ms',
  { ms: 20_000 },
  async (t) => {
    const server = await t.server({ set: { keepalive_timeout_ms: 700 } });
    const tcp = await open(t, server);
    tcp.write(get(server, '/channels'));
    assert.strictEqual((await tcp.response()).status, 200);
    await tcp.closed();
  },
);

test('a client that goes away in the middle of a request leaves nothing', async (t) => {
  const server = await t.server();
  for (const cut of [1, 20, 100]) {
    const tcp = await open(t, server);
    tcp.write(post(server).slice(0, cut));
    tcp.socket.destroy();
  }
  const half = await open(t, server);
  half.write(post(server) + EVENT.slice(0, 5));
  half.end();
  await half.closed();
  assert.strictEqual((await api.send(server, { target: '/up' })).status, 200);
});

test('a WebSocket handshake as proxies rewrite it', async (t) => {
  const server = await t.server();
  const forms = [
    ['connection: keep-alive, Upgrade', 'uPgRaDe: WebSocket'],
    ['Connection: upgrade', 'Upgrade: foo, websocket'],
    [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Extensions: permessage-deflate; x, y',
    ],
  ];
  for (const headers of forms) {
    const tcp = await open(t, server);
    const lines = [
      'GET /app/app-key?protocol=7 HTTP/1.1',
      'Host: x',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...headers,
    ];
    tcp.write(`${lines.join('\r\n')}\r\n\r\n`);
    const { status, headers: answer } = await tcp.response();
    assert.strictEqual(status, 101, headers.join());
    assert.strictEqual(answer['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.strictEqual(answer['sec-websocket-protocol'], undefined);
    assert.match((await tcp.frame()).payload.toString(), /connection_established/);
  }
});

test('WebSocket handshakes that are wrong are refused with HTTP', async (t) => {
  const server = await t.server();
  const good = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
  };
  const wrong = [
    { ...good, 'Sec-WebSocket-Version': '8' },
    { ...good, 'Sec-WebSocket-Key': undefined },
    { ...good, 'Sec-WebSocket-Key': 'short' },
    { ...good, 'Sec-WebSocket-Version': undefined },
    { ...good, Connection: 'keep-alive' },
    { ...good, Upgrade: 'h2c' },
  ];
  for (const headers of wrong) {
    const tcp = await open(t, server);
    const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    tcp.write(`GET /app/app-key HTTP/1.1\r\nHost: x\r\n${text}\r\n`);
    const { status, headers: answer } = await tcp.response();
    assert.ok([400, 426].includes(status), `${text}: ${status}`);
    if (headers['Sec-WebSocket-Version'] === '8')
      assert.strictEqual(answer['sec-websocket-version'], '13');
  }
});

test('what is no request is answered as the others are: JSON, readable for scripts', async (t) => {
  const server = await t.server({ set: { handshake_timeout_ms: 200 } });
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const version = 'Sec-WebSocket-Version: 13\r\n';
  const head = (method, more) => `${method} /app/app-key HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const cases = [
    [head('GET', upgrade + version), 400, /Sec-WebSocket-Key header is missing/],
    [head('POST', upgrade + key + version), 405, /is a GET request/, { allow: 'GET' }],
    [
      head('GET', `${upgrade}${key}Sec-WebSocket-Version: 8\r\n`),
      426,
      /Only version 13/,
      { upgrade: 'websocket', 'sec-websocket-version': '13' },
    ],
    [head('GET', 'no header\r\n'), 400, /./],
    ['GET /up HTTP/3.0\r\n\r\n', 505, /./],
    [`GET /${'x'.repeat(20000)} HTTP/1.1\r\n\r\n`, 414, /too long/],
    ['GET /up HTTP/1.1\r\nHost', 408, /did not arrive within 200 ms \(handshake_timeout_ms\)/],
  ];
  for (const [text, status, pattern, more = {}] of cases) {
    const tcp = await open(t, server);
    tcp.write(text);
    const answer = await tcp.response();
    assert.strictEqual(answer.status, status, `${text}: ${answer.body}`);
    assert.strictEqual(answer.headers['content-type'], 'application/json', text);
    assert.strictEqual(answer.headers['access-control-allow-origin'], '*', text);
    assert.strictEqual(answer.headers.connection, 'close', text);
    for (const [name, value] of Object.entries(more))
      assert.strictEqual(answer.headers[name], value, text);
    const { error, code } = JSON.parse(answer.body);
    assert.match(error, pattern);
    assert.strictEqual(code, status);
  }
});

test('the admin listener is no place for scripts of other origins', async (t) => {
  const server = await t.server();
  const tcp = await open(t, { host: server.adminHost, port: server.adminPort });
  tcp.write('GET /live HTTP/1.1\r\nno header\r\n\r\n');
  const answer = await tcp.response();
  assert.strictEqual(answer.status, 400);
  assert.strictEqual(answer.headers['access-control-allow-origin'], undefined);
});
