// SPDX-License-Identifier: MIT
//
// cases_utf8.js: text that is UTF-8 and text that is not: in the sense of section 6 of the
// Autobahn TestSuite, and our own: the refusal comes at the first wrong octet.
'use strict';

const { OP, cont, fragments, hex, ping, split, text } = require('./frames');
const { answer, fails, own, row } = require('./table');

const RFC = '8.1';
const HELLO = 'Hello-µ@ßöäüàá-UTF-8!!';
const KOSME = hex('cebae1bdb9cf83cebcceb5'); // Greek, with a character of three octets
const SURROGATE = hex('cebae1bdb9cf83cebcceb5 eda080 656469746564');

const good = (id, title, send, data, more) =>
  row(id, RFC, title, { send, expect: [answer('text', data)], ...more });
const bad = (id, title, send, more) => row(id, RFC, title, { send, end: fails(1007), ...more });

good('6.1.1', 'empty text', [text('')], '');
good('6.1.2', 'three empty fragments', fragments(OP.text, ['', '', '']), '');
good('6.1.3', 'a fragment between two empty ones', fragments(OP.text, ['', 'm', '']), 'm');
good('6.2.1', 'valid text', [text(HELLO)], HELLO);
good(
  '6.2.2',
  'valid text, cut between characters',
  fragments(OP.text, ['Hello-µ@ßöä', 'üàá-UTF-8!!']),
  HELLO,
);
good('6.2.3', 'valid text, a fragment per octet', fragments(OP.text, split(HELLO, 1)), HELLO);
good('6.2.4', 'Greek, a fragment per octet', fragments(OP.text, split(KOSME, 1)), KOSME);
bad('6.3.1', 'a surrogate in the text', [text(SURROGATE)]);
bad('6.3.2', 'a surrogate, a fragment per octet', fragments(OP.text, split(SURROGATE, 1)));

// Fail fast: what would come after the wrong octet is never sent, and the refusal must come.
const beyond = hex('f4908080'); // U+110000
const open = text(KOSME, { fin: false });
bad('6.4.1', 'wrong octets in an unfinished message', [open, cont(beyond, { fin: false })]);
bad('6.4.2', 'the wrong octet is the last that came', [
  open,
  cont(hex('f4'), { fin: false }),
  cont(hex('90'), { fin: false }),
]);
const unfinished = (data, length) => {
  const all = text(Buffer.concat([data, Buffer.alloc(length - data.length, 'x')]));
  return all.subarray(0, all.length - (length - data.length));
};
bad('6.4.3', 'wrong octets in an unfinished frame', [
  unfinished(Buffer.concat([KOSME, beyond]), 40),
]);
bad('6.4.4', 'the wrong octet is the last that came of a frame', [
  unfinished(Buffer.concat([KOSME, hex('f490')]), 40),
]);

// 6.5 to 6.23: sequences, each alone in a message.
const world = (middle) => `hello${middle}world`;
const prefixes = Array.from({ length: KOSME.length }, (_, i) => KOSME.subarray(0, i + 1));
const spread = (from, to) => {
  const all = [];
  for (let octet = from; octet <= to; octet++) all.push(octet, 0x20);
  return Buffer.from(all);
};
const continuations = Buffer.from(Array.from({ length: 64 }, (_, i) => 0x80 + i));
const LAST_MISSING = 'c0|e080|f08080|f8808080|fc80808080|df|efbf|f7bfbf|fbbfbfbf|fdbfbfbfbf'.split(
  '|',
);
const nonCharacters = ['efbfbe', 'efbfbf'];
for (let plane = 1; plane <= 16; plane++) {
  for (const last of [0xfffe, 0xffff]) {
    nonCharacters.push(Buffer.from(String.fromCodePoint(plane * 0x10000 + last)).toString('hex'));
  }
}
const SEQUENCES = [
  ['6.5', 'valid text', ['$', '¢', '€', '𤭢'].map(world).concat(KOSME)],
  ['6.6', 'prefix of valid text', prefixes],
  ['6.7', 'first of its length', '00|c280|e0a080|f0908080'],
  ['6.8', 'first of five and six octets', 'f888808080|fc8480808080'],
  ['6.9', 'last of its length', '7f|dfbf|efbfbf|f48fbfbf'],
  ['6.10', 'last of four, five and six octets', 'f7bfbfbf|fbbfbfbfbf|fdbfbfbfbfbf'],
  ['6.11', 'at a border', 'ed9fbf|ee8080|efbfbd|f48fbfbf|f4908080'],
  [
    '6.12',
    'continuation octets alone',
    ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', continuations],
  ],
  [
    '6.13',
    'first octets alone',
    [spread(0xc0, 0xdf), spread(0xe0, 0xef), spread(0xf0, 0xf7), spread(0xf8, 0xfb), 'fc20fd20'],
  ],
  ['6.14', 'last octet missing', LAST_MISSING],
  ['6.15', 'unfinished sequences in a row', [LAST_MISSING.join('')]],
  ['6.16', 'octets that never occur', 'fe|ff|fefeffff'],
  ['6.17', 'overlong slash', 'c0af|e080af|f08080af|f8808080af|fc80808080af'],
  ['6.18', 'longest overlong', 'c1bf|e09fbf|f08fbfbf|f887bfbfbf|fc83bfbfbfbf'],
  ['6.19', 'overlong NUL', 'c080|e08080|f0808080|f880808080|fc8080808080'],
  ['6.20', 'a surrogate', 'eda080|edadbf|edae80|edafbf|edb080|edbe80|edbfbf'],
  [
    '6.21',
    'two surrogates',
    'eda080edb080|eda080edbfbf|edadbfedb080|edadbfedbfbf|' +
      'edae80edb080|edae80edbfbf|edafbfedb080|edafbfedbfbf',
  ],
  ['6.22', 'no character, but valid', nonCharacters],
  ['6.23', 'special', 'efbfb9|efbfba|efbfbb|efbfbc|efbfbd|efbfbe|efbfbf'],
];
// The judge is Node's own decoder, so a wrong row in the table above shows.
const VALID = new Set(['6.5', '6.7', '6.9', '6.22', '6.23']);
const MIXED = { 6.6: '01001010101', 6.11: '11110' };
for (const [section, title, list] of SEQUENCES) {
  const all = typeof list === 'string' ? list.split('|') : list;
  all.forEach((one, i) => {
    const isHex = typeof one === 'string' && section !== '6.5';
    const data = isHex ? hex(one) : Buffer.from(one);
    const valid = MIXED[section] ? MIXED[section][i] === '1' : VALID.has(section);
    if (valid !== data.equals(Buffer.from(data.toString()))) throw new Error(`${section} ${i}`);
    const name = `${title}: ${data.length > 12 ? `${data.length} octets` : data.toString('hex')}`;
    if (valid) good(`${section}.${i + 1}`, name, [text(data)], data);
    else bad(`${section}.${i + 1}`, name, [text(data)]);
  });
}

// Ours: each way to be wrong, cut after each octet up to the wrong one. Before that octet came the
// connection must be alive (it answers a ping), and with it, it must fail.
const WRONG = {
  'a lonely continuation': '80',
  'an octet that never occurs': 'ff',
  'an overlong second octet': 'c0',
  'an overlong third octet': 'e09f',
  'a surrogate': 'eda0',
  'an overlong fourth octet': 'f08f',
  'beyond U+10FFFF': 'f490',
  'five octets': 'f8',
  'ASCII inside of a sequence': 'e28241',
  'a new sequence inside of one': 'f09f98c3',
};
for (const [title, digits] of Object.entries(WRONG)) {
  const data = hex(digits);
  const head = data.subarray(0, -1);
  own(
    `U.${digits}`,
    RFC,
    `${title}: refused with that octet, not before`,
    { opens: true, forPeal: true },
    async (client) => {
      client.send(text(Buffer.concat([KOSME, head]), { fin: false }));
      client.send(ping('alive'));
      const got = await client.frame();
      if (got.name !== 'pong') throw new Error(`${got.name} ${got.code} before the wrong octet`);
      const last = cont(Buffer.concat([data.subarray(-1), Buffer.alloc(100)]));
      client.send(last.subarray(0, last.length - 100));
      await client.failed(1007);
    },
  );
  bad(`U.${digits}.whole`, `${title}, as a whole message`, [text(data)]);
}
good(
  'U.cut',
  'a character cut by frames, pings and writes',
  [
    Buffer.concat([
      text(hex('f09f'), { fin: false }),
      ping('p'),
      cont(hex('98'), { fin: false }),
      cont('', { fin: false }),
      cont(hex('80')),
    ]),
  ],
  '😀',
  { expect: [answer('pong', 'p'), answer('text', '😀')], chop: 1 },
);
