// SPDX-License-Identifier: MIT
//
// vectors.js: reads tests/vectors/*.txt, and makes more of them by seeded small changes.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

// newline: the character that stands for CR LF, or null. See the head of json.txt.
function decode(text, newline) {
  const parts = [];
  for (let at = 0; at < text.length;) {
    const repeat = /^%\((\d+)\*([^)]*)\)/.exec(text.slice(at));
    if (repeat) {
      const one = decode(repeat[2], newline);
      for (let i = 0; i < Number(repeat[1]); i++) parts.push(one);
      at += repeat[0].length;
    } else if (text[at] === '%') {
      parts.push(Buffer.from(text.slice(at + 1, at + 3), 'hex'));
      at += 3;
    } else {
      const end = text.slice(at + 1).search(newline ? /[%|]/ : /%/);
      const plain = end < 0 ? text.slice(at) : text.slice(at, at + 1 + end);
      if (newline && plain[0] === newline) parts.push(Buffer.from(`\r\n${plain.slice(1)}`));
      else parts.push(Buffer.from(plain));
      at += plain.length;
    }
  }
  return Buffer.concat(parts);
}

// [{ kind, name, data }]
function read(name, newline = null) {
  const file = path.join(__dirname, '..', 'vectors', name);
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [, kind, title, text] = /^(\S+) +(\S+)(?: (.*))?$/.exec(line);
      return { kind, name: title, data: decode(text ?? '', newline) };
    });
}

// xorshift32: the same numbers for the same seed.
function random(seed) {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function change(data, other, next, octets) {
  const at = next(data.length + 1);
  const n = 1 + next(4);
  const head = data.subarray(0, at);
  switch (next(6)) {
    case 0: // another octet
      return Buffer.concat([head, octets[next(octets.length)], data.subarray(at + 1)]);
    case 1: // one more
      return Buffer.concat([head, octets[next(octets.length)], data.subarray(at)]);
    case 2: // some less
      return Buffer.concat([head, data.subarray(at + n)]);
    case 3: // some twice
      return Buffer.concat([head, data.subarray(at, at + n), data.subarray(at)]);
    case 4: // the end missing
      return head;
    default: // a part of another one
      return Buffer.concat([head, other.subarray(next(other.length + 1))]);
  }
}

// `count` variants of the vectors, short ones only.
function vary(vectors, count, seed, octets) {
  const next = random(seed);
  const short = vectors.filter((one) => one.data.length < 600);
  const pieces = octets.map((one) => Buffer.from(one, 'latin1'));
  const result = [];
  for (let i = 0; i < count; i++) {
    const from = short[next(short.length)];
    let { data } = from;
    const times = 1 + next(3);
    for (let t = 0; t < times; t++)
      data = change(data, short[next(short.length)].data, next, pieces);
    result.push({ kind: '?', name: `${from.name}~${i}`, data });
  }
  return result;
}

module.exports = { read, vary };
