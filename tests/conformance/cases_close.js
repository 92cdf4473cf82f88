// SPDX-License-Identifier: MIT
//
// cases_close.js: the closing handshake: in the sense of section 7 of the Autobahn TestSuite, and
// our own: whoever ends it and however, a close frame arrives before the TCP connection goes.
'use strict';

const { OP, close, cont, fragments, frame, hex, ping, text } = require('./frames');
const { answer, closes, fails, own, row } = require('./table');

row('7.1.1', '5.5.1', 'message, then close', {
  send: [text('Hello World!'), close(1000)],
  expect: [answer('text', 'Hello World!')],
  end: closes(1000),
});
row('7.1.2', '5.5.1', 'close twice', { send: [close(1000), close(1000)], end: closes(1000) });
row('7.1.3', '5.5.1', 'ping after close', { send: [close(1000), ping()], end: closes(1000) });
row('7.1.4', '5.5.1', 'text after close', { send: [close(1000), text('x')], end: closes(1000) });
row('7.1.5', '5.5.1', 'close inside of a fragmented message', {
  send: [text('fragment1', { fin: false }), close(1000), cont('fragment2')],
  end: closes(1000),
});
const big = Buffer.alloc(262144, 'B');
row('7.1.6', '5.5.1', '256 KiB, then close, then ping', {
  send: [text(big), close(1000), ping()],
  expect: [answer('text', big)],
  end: closes(1000),
});

row('7.3.1', '5.5.1, 7.1.5', 'close without payload', { send: [close(null)], end: closes(null) });
row('7.3.2', '5.5.1', 'close with one octet', { send: [frame(OP.close, 'a')], end: fails(1002) });
row('7.3.3', '5.5.1', 'close with a code', { send: [close(1000)], end: closes(1000) });
row('7.3.4', '5.5.1, 7.1.6', 'close with a reason', {
  send: [close(1000, 'Hello World!')],
  end: closes(1000),
});
row('7.3.5', '5.5.1', 'close with the longest reason', {
  send: [close(1000, '*'.repeat(123))],
  end: closes(1000),
});
row('7.3.6', '5.5', 'close with a reason that is too long', {
  send: [close(1000, '*'.repeat(124))],
  end: fails(1002),
});
row('7.5.1', '8.1', 'close with a reason that is not UTF-8', {
  send: [close(1000, hex('cebae1bdb9cf83cebcceb5eda080656469746564'))],
  end: fails(1007),
});

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
VALID.forEach((code, i) => {
  row(`7.7.${i + 1}`, '7.4', `close with ${code}`, { send: [close(code)], end: closes(code) });
});
INVALID.forEach((code, i) => {
  row(`7.9.${i + 1}`, '7.4', `close with ${code}`, { send: [close(code)], end: fails(1002) });
});
row('7.13.1', '7.4', 'close with 5000', { send: [close(5000)], end: fails(1002) });
row('7.13.2', '7.4', 'close with 65535', { send: [close(65535)], end: fails(1002) });

// Ours.
for (const code of [1012, 1013, 1014]) {
  row(`C.${code}`, '7.4, IANA', `close with ${code}`, { send: [close(code)], end: closes(code) });
}
for (const code of [1, 1015, 1017, 1999]) {
  row(`C.${code}`, '7.4', `close with ${code}`, { send: [close(code)], end: fails(1002) });
}
row('C.bytes', '5.5.1', 'close byte by byte', {
  send: [close(4000, 'tschüs')],
  end: closes(4000),
  chop: 1,
});
row('C.bad-after-close', '5.5.1', 'frames after close are not judged', {
  send: [close(1000), frame(15, 'x', { rsv: 7, masked: false })],
  end: closes(1000),
});
row('C.flood-after-close', '7.1.1', '4 MiB after close bring no reset', {
  send: [close(1000), () => Buffer.alloc(4 << 20, 0x55)],
  end: closes(1000),
});
row('C.flood-after-failure', '7.1.7', '4 MiB after a failure bring no reset', {
  send: [frame(3), () => Buffer.alloc(4 << 20, 0x55)],
  end: fails(1002),
});
row('C.order', '5.5.1', 'what was sent before the close is answered before it', {
  send: [Buffer.concat([...fragments(OP.text, ['a', 'b']), ping('p'), close(1001)])],
  expect: [answer('text', 'ab'), answer('pong', 'p')],
  end: closes(1001),
});
own(
  'C.half-close',
  '7.1.1',
  'a peer that only ends its stream still gets its echo',
  { opens: true },
  async (client) => {
    client.send(text('last words'));
    client.socket.end();
    const got = await client.frame();
    if (got.name !== 'text' || got.data.toString() !== 'last words') throw new Error(got.name);
    await client.failed(1002);
  },
);
own(
  'C.failure-behind-a-large-echo',
  '7.1.7',
  'a close frame waits for a large echo that is under way',
  { opens: true },
  async (client) => {
    const large = Buffer.alloc(8 << 20, 'L');
    client.socket.pause();
    client.send(text(large));
    client.send(frame(3));
    client.socket.resume();
    const got = await client.frame();
    if (!got.data.equals(large)) throw new Error(`${got.name} of ${got.data.length} bytes`);
    await client.failed(1002);
  },
);
