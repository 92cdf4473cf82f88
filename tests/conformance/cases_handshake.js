// SPDX-License-Identifier: MIT
//
// cases_handshake.js: the opening handshake (RFC 6455 section 4): what is accepted, what is refused
// and with which status, however the bytes arrive. All of them hold for Peal as for ws_echo.
'use strict';

const { ACCEPT, Client, request } = require('./client');
const { ping } = require('./frames');
const { answer, expectFrame, own } = require('./table');

const RFC = '4.2.1';
const both = { forPeal: true };

async function accepted(target, client) {
  const head = await client.head();
  if (head.status !== 101) throw new Error(`${head.first}: ${head.body}`);
  const { headers } = head;
  if (headers['sec-websocket-accept'] !== ACCEPT) throw new Error('wrong accept key');
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw new Error('no Upgrade header');
  if (headers.connection?.toLowerCase() !== 'upgrade') throw new Error('no Connection header');
  if (headers['sec-websocket-extensions']) throw new Error('an extension was chosen');
  if (target.greets) await client.frame();
  client.send(ping('open'));
  await expectFrame(client, answer('pong', 'open'));
  await client.cleanClose();
  return head;
}

async function refused(client, status) {
  const head = await client.head();
  if (head.status !== status) throw new Error(`${head.first}, not ${status}`);
  if (!/close/i.test(head.headers.connection ?? '')) throw new Error('no "Connection: close"');
  await client.end();
  return head;
}

// changes: of the headers; options: line (the request line), chop, status (101).
function handshake(id, title, changes, { rfc = RFC, line, chop, status = 101, look } = {}) {
  own(`H.${id}`, rfc, title, both, async (target) => {
    const client = await Client.connect(target);
    const data = request(target.path, changes, line?.replace('PATH', target.path));
    if (chop) await client.chop(data, chop);
    else client.send(data);
    const head = status === 101 ? await accepted(target, client) : await refused(client, status);
    look?.(head);
  });
}
const refuse = (id, title, changes, status = 400, more = {}) =>
  handshake(id, title, changes, { status, ...more });

// Accepted.
handshake('plain', 'a plain handshake', {});
handshake('bytes', 'byte by byte', {}, { chop: 1 });
handshake('sevens', 'in pieces of seven bytes', {}, { chop: 7 });
handshake('case', 'values in another case', { Upgrade: 'WebSocket', Connection: 'uPGRADE' });
handshake('names', 'header names in another case', {
  Upgrade: null,
  uPGRADE: 'websocket',
  'Sec-WebSocket-Key': null,
  'sec-websocket-KEY': 'dGhlIHNhbXBsZSBub25jZQ==',
});
handshake('list', 'Connection as a list, as Firefox sends it', {
  Connection: 'keep-alive, Upgrade',
});
handshake('lists', 'Connection in two lines', { Connection: ['keep-alive', 'Upgrade'] });
handshake('upgrades', 'Upgrade as a list', { Upgrade: 'foo/1, websocket' });
handshake('space', 'white space around values', { Upgrade: ' \t websocket \t ' });
handshake('extension', 'an extension is not accepted', {
  'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
});
handshake('origin', 'Origin does not matter by default', { Origin: 'https://example.com' });
handshake('query', 'a query in the path', {}, { line: 'GET PATH?a=b&c=%20d HTTP/1.1' });
handshake(
  'more',
  '80 more headers',
  Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`X-More-${i}`, 'value'])),
);
own('H.early', '4.1', 'frames right behind the request, in one write', both, async (target) => {
  const client = await Client.connect(target);
  client.send(Buffer.concat([Buffer.from(request(target.path)), ping('early')]));
  const head = await client.head();
  if (head.status !== 101) throw new Error(head.first);
  const got = [await client.frame()];
  if (target.greets) got.push(await client.frame());
  if (!got.some((one) => one.name === 'pong')) throw new Error('no pong');
  await client.cleanClose();
});
own('H.blank', 'RFC 9112 2.2', 'one empty line before the request', both, async (target) => {
  const client = await Client.connect(target);
  client.send(`\r\n${request(target.path)}`);
  await accepted(target, client);
});

// Refused.
const keyed = (value) => ({ 'Sec-WebSocket-Key': value });
const version = (value) => ({ 'Sec-WebSocket-Version': value });
refuse('no-connection', 'no Connection header', { Connection: null });
refuse('wrong-connection', 'Connection without upgrade', { Connection: 'keep-alive' });
refuse('part-connection', 'upgrade as a part of a word only', { Connection: 'no-upgrade' });
refuse('no-key', 'no key', keyed(null));
refuse('empty-key', 'an empty key', keyed(''));
refuse('short-key', 'a key of 15 octets', keyed('AAAAAAAAAAAAAAAAAAAA'));
refuse('long-key', 'a key of 17 octets', keyed('AAAAAAAAAAAAAAAAAAAAAAA='));
refuse('unpadded-key', 'a key without padding', keyed('dGhlIHNhbXBsZSBub25jZQ'));
refuse('odd-key', 'a key with other characters', keyed('dGhlIHNhbXBsZSBub25j*Q=='));
refuse('bits-key', 'a key with stray bits', keyed('dGhlIHNhbXBsZSBub25jZR=='));
refuse('two-keys', 'two keys', keyed(['dGhlIHNhbXBsZSBub25jZQ==', 'AQIDBAUGBwgJCgsMDQ4PEA==']));
refuse('same-keys', 'the same key twice', keyed(Array(2).fill('dGhlIHNhbXBsZSBub25jZQ==')));
refuse('key-list', 'a list of keys', keyed('dGhlIHNhbXBsZSBub25jZQ==, AQIDBAUGBwgJCgsMDQ4PEA=='));
refuse('no-version', 'no version', version(null));
refuse('two-versions', 'the version twice', version(['13', '13']));
const asks = {
  rfc: '4.2.2, 4.4',
  look: (head) => {
    if (head.headers['sec-websocket-version'] !== '13') throw new Error('says no version');
    if (!/websocket/i.test(head.headers.upgrade ?? '')) throw new Error('426 without Upgrade');
  },
};
for (const wrong of ['8', '7', '0', '12', '14', '013', '13, 8', 'thirteen', '-13', '']) {
  refuse(`version.${wrong || 'empty'}`, `version "${wrong}": 426`, version(wrong), 426, asks);
}
refuse('post', 'POST', { 'Content-Length': '0' }, 405, { line: 'POST PATH HTTP/1.1' });
refuse('http10', 'HTTP/1.0', {}, 400, { line: 'GET PATH HTTP/1.0' });
refuse('http09', 'no version at all', {}, 400, { line: 'GET PATH' });
refuse('http20', 'HTTP/2.0', {}, 505, { line: 'GET PATH HTTP/2.0' });

// Requests that are no HTTP: shapes that a proxy might read in another way.
const shaped = { rfc: 'RFC 9112' };
refuse('no-host', 'no Host', { Host: null }, 400, shaped);
refuse('two-hosts', 'two Hosts', { Host: ['a', 'b'] }, 400, shaped);
refuse('folded', 'a folded header', { Upgrade: 'websocket\r\n more' }, 400, shaped);
refuse('folded-tab', 'a header folded with a tab', { 'X-Other': 'a\r\n\tb' }, 400, shaped);
refuse('space-name', 'a space before the colon', { 'Upgrade ': 'websocket' }, 400, shaped);
refuse('nul', 'NUL in a value', { Origin: 'a\0b' }, 400, shaped);
refuse('cr', 'a bare CR in a value', { Origin: 'a\rb' }, 400, shaped);
refuse('lf', 'a bare LF as the end of a line', { Origin: 'a\nX-Other: b' }, 400, shaped);
refuse('two-lengths', 'two lengths', { 'Content-Length': ['0', '0'] }, 400, shaped);
refuse(
  'two-framings',
  'two framings',
  {
    'Content-Length': '0',
    'Transfer-Encoding': 'chunked',
  },
  400,
  shaped,
);
const limits = { rfc: '10.4' };
refuse('long-line', 'a request line of 10 KiB', {}, 414, {
  line: `GET PATH?${'x'.repeat(10240)} HTTP/1.1`,
  ...limits,
});
refuse('long-header', 'a header of 20 KiB', { Cookie: 'x'.repeat(20480) }, 431, limits);
refuse(
  'many-headers',
  '120 headers',
  Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`X-More-${i}`, 'value'])),
  431,
  limits,
);
own('H.endless', '10.4', 'a header without end is refused while it comes', both, async (target) => {
  const client = await Client.connect(target);
  client.send(`GET ${target.path} HTTP/1.1\r\nHost: localhost\r\nCookie: `);
  client.send('x'.repeat(1 << 20)); // far more than the limit: it may not reset what it answered
  await refused(client, 431);
});
own('H.garbage', RFC, 'garbage is refused', both, async (target) => {
  const client = await Client.connect(target);
  client.send('\x01\x02\x03 not HTTP\r\n\r\n');
  await refused(client, 400);
});
own('H.half', RFC, 'a peer that ends within the request is let go', both, async (target) => {
  const client = await Client.connect(target);
  client.send(`GET ${target.path} HTTP/1.1\r\nHost: loc`);
  client.socket.end();
  await client.end();
});
