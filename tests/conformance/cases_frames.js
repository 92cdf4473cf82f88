// SPDX-License-Identifier: MIT
//
// cases_frames.js: framing, pings, reserved bits, opcodes, fragmentation: in the sense of sections
// 1 to 5 and 10 of the Autobahn TestSuite, whose numbers they have.
'use strict';

const { OP, binary, cont, fragments, frame, ping, pong, split, text } = require('./frames');
const { CLEAN, answer, fails, row } = require('./table');

const { concat } = Buffer;
const ODD = Buffer.from('00fffefdfcfb00ff', 'hex');

// 1: lengths around the borders of the three length fields.
for (const [section, make, name] of [
  ['1.1', text, 'text'],
  ['1.2', binary, 'binary'],
]) {
  const of = (n) => Buffer.alloc(n, section === '1.1' ? '*' : 0xfe);
  [0, 125, 126, 127, 128, 65535, 65536].forEach((n, i) => {
    row(`${section}.${i + 1}`, '5.2, 5.6', `${name} of ${n} bytes`, {
      send: [make(of(n))],
      expect: [answer(name, of(n))],
    });
  });
  row(`${section}.8`, '5.2, 5.6', `${name} of 65536 bytes in pieces of 997`, {
    send: [make(of(65536))],
    expect: [answer(name, of(65536))],
    chop: 997,
  });
}

// 2: pings and pongs.
const full = Buffer.alloc(125, 0xfe);
const ten = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
const tenAnswers = ten.map((one) => answer('pong', one));
const PINGS = [
  ['ping without payload', [ping()], [answer('pong')]],
  ['ping with text', [ping('Hello, world!')], [answer('pong', 'Hello, world!')]],
  ['ping with odd octets', [ping(ODD)], [answer('pong', ODD)]],
  ['ping with 125 octets', [ping(full)], [answer('pong', full)]],
  ['ping with 126 octets', [ping(Buffer.alloc(126, 0xfe))], [], { end: fails(1002) }],
  ['ping with 125 octets, byte by byte', [ping(full)], [answer('pong', full)], { chop: 1 }],
  ['pong that nobody asked for', [pong()], []],
  ['pong with payload that nobody asked for', [pong('unsolicited')], []],
  ['pong, then ping', [pong('unsolicited'), ping('p')], [answer('pong', 'p')]],
  ['ten pings', ten.map((one) => ping(one)), tenAnswers],
  ['ten pings, byte by byte', ten.map((one) => ping(one)), tenAnswers, { chop: 1 }],
];
PINGS.forEach(([title, send, expect, more], i) => {
  row(`2.${i + 1}`, '5.5.2, 5.5.3', title, { send, expect, ...more });
});

// 3: reserved bits without an extension.
const hello = text('Hello');
const seen = [answer('text', 'Hello')];
row('3.1', '5.2', 'RSV 1 in a text', { send: [text('Hello', { rsv: 1 })], end: fails(1002) });
row('3.2', '5.2', 'text, then RSV 2 in a text, then ping', {
  send: [hello, text('Hello', { rsv: 2 }), ping()],
  expect: seen,
  end: fails(1002),
});
row('3.3', '5.2', 'text, then RSV 3 in a text, then ping, frame by frame', {
  send: [concat([hello, text('Hello', { rsv: 3 }), ping()])],
  expect: seen,
  end: fails(1002),
  chop: 11,
});
row('3.4', '5.2', 'text, then RSV 4 in a text, then ping, byte by byte', {
  send: [concat([hello, text('Hello', { rsv: 4 }), ping()])],
  expect: seen,
  end: fails(1002),
  chop: 1,
});
row('3.5', '5.2', 'RSV 5 in a binary', { send: [binary(ODD, { rsv: 5 })], end: fails(1002) });
row('3.6', '5.2', 'RSV 6 in a ping', { send: [ping('', { rsv: 6 })], end: fails(1002) });
row('3.7', '5.2', 'RSV 7 in a close', {
  send: [frame(OP.close, '', { rsv: 7 })],
  end: fails(1002),
});

// 4: reserved opcodes.
for (const [section, first] of [
  ['4.1', 3],
  ['4.2', 11],
]) {
  for (let i = 0; i < 5; i++) {
    const op = first + i;
    const bad = frame(op, i === 1 || i === 4 ? 'reserved opcode payload' : '');
    const after = i >= 2;
    row(`${section}.${i + 1}`, '5.2', `opcode ${op}${after ? ' after a text, then a ping' : ''}`, {
      send: after ? [hello, bad, ping()] : [bad],
      expect: after ? seen : [],
      end: fails(1002),
      chop: i === 4 ? 1 : 0,
    });
  }
}

// 5: fragmentation.
const two = fragments(OP.text, ['fragment1', 'fragment2']);
const whole = answer('text', 'fragment1fragment2');
const between = [two[0], ping('ping payload'), two[1]];
const betweenAnswers = [answer('pong', 'ping payload'), whole];
const piled = (payload, fin) => [cont(payload, { fin }), text('Hello, world!')];
const lost = (fin, chop) => ({
  send: [concat(piled('non-continuation payload', fin))],
  end: fails(1002),
  chop,
});
const again = (fin) => ({
  send: [cont('fragment1', { fin }), text('fragment2', { fin: false }), cont('fragment3')],
  end: fails(1002),
});
const five = [
  text('fragment1', { fin: false }),
  cont('fragment2', { fin: false }),
  ping('ping1'),
  cont('fragment3', { fin: false }),
  cont('fragment4', { fin: false }),
  ping('ping2'),
  cont('fragment5'),
];
const fiveAnswers = [
  answer('pong', 'ping1'),
  answer('pong', 'ping2'),
  answer('text', 'fragment1fragment2fragment3fragment4fragment5'),
];
const FRAGMENTS = [
  ['ping in two fragments', { send: fragments(OP.ping, ['fr', 'ag']), end: fails(1002) }],
  ['pong in two fragments', { send: fragments(OP.pong, ['fr', 'ag']), end: fails(1002) }],
  ['text in two fragments', { send: two, expect: [whole] }],
  ['text in two fragments, at once', { send: [concat(two)], expect: [whole] }],
  ['text in two fragments, byte by byte', { send: two, expect: [whole], chop: 1 }],
  ['ping between two fragments', { send: between, expect: betweenAnswers }],
  ['ping between two fragments, at once', { send: [concat(between)], expect: betweenAnswers }],
  ['ping between two fragments, byte by byte', { send: between, expect: betweenAnswers, chop: 1 }],
  ['last fragment without a first', lost(true, 0)],
  ['last fragment without a first, in pieces', lost(true, 10)],
  ['last fragment without a first, byte by byte', lost(true, 1)],
  ['middle fragment without a first', lost(false, 0)],
  ['middle fragment without a first, in pieces', lost(false, 10)],
  ['middle fragment without a first, byte by byte', lost(false, 1)],
  [
    'middle fragment after the last',
    { send: [...two, ...piled('fragment3', false)], expect: [whole], end: fails(1002) },
  ],
  ['middle fragment, then a fragmented text', again(false)],
  ['last fragment, then a fragmented text', again(true)],
  [
    'text inside a fragmented text',
    { send: [text('fragment1', { fin: false }), text('fragment2')], end: fails(1002) },
  ],
  ['pings between five fragments', { send: five, expect: fiveAnswers, chop: 23 }],
  ['pings between five fragments, at once', { send: [concat(five)], expect: fiveAnswers }],
];
FRAGMENTS.forEach(([title, options], i) => row(`5.${i + 1}`, '5.4', title, options));

// 10: a message that is cut into many frames by its sender.
const big = Buffer.alloc(65536, '*');
row('10.1.1', '5.4', 'text of 65536 bytes in frames of 1300', {
  send: fragments(OP.text, split(big, 1300)),
  expect: [answer('text', big)],
  end: CLEAN,
});
