// SPDX-License-Identifier: MIT
//
// frames.js: WebSocket frames as a client writes them, right and wrong, and a reader of the
// server's frames that takes nothing that RFC 6455 section 5 forbids a server to send.
'use strict';

const crypto = require('node:crypto');

const OP = { cont: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const NAMES = { 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' };

const bytes = (data) => (Buffer.isBuffer(data) ? data : Buffer.from(data, 'utf8'));
const hex = (digits) => Buffer.from(digits.replace(/ /g, ''), 'hex');

// The length field and what follows it. form: 7, 16 or 64 bits; without it the shortest one.
function lengthField(n, form) {
  if (!form) form = n < 126 ? 7 : n < 65536 ? 16 : 64;
  if (form === 7) return Buffer.from([n]);
  const field = Buffer.alloc(form === 16 ? 3 : 9);
  field[0] = form === 16 ? 126 : 127;
  if (form === 16) field.writeUInt16BE(Number(n), 1);
  else field.writeBigUInt64BE(BigInt(n), 1);
  return field;
}

// options: fin (true), rsv (0 to 7), masked (true), mask (4 bytes), length (what the header says
// instead of the truth), form (see above).
function frame(op, data = '', options = {}) {
  const { fin = true, rsv = 0, masked = true, form } = options;
  const payload = bytes(data);
  const field = lengthField(options.length ?? payload.length, form);
  if (masked) field[0] |= 0x80;
  const head = [Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | op]), field];
  if (!masked) return Buffer.concat([...head, payload]);
  const mask = options.mask ?? crypto.randomBytes(4);
  const body = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < body.length; i++) body[i] = payload[i] ^ mask[i & 3];
  return Buffer.concat([...head, mask, body]);
}

const text = (data, options) => frame(OP.text, data, options);
const binary = (data, options) => frame(OP.binary, data, options);
const cont = (data, options) => frame(OP.cont, data, options);
const ping = (data, options) => frame(OP.ping, data, options);
const pong = (data, options) => frame(OP.pong, data, options);

// code null: no payload at all.
function close(code = 1000, reason = '', options) {
  if (code === null) return frame(OP.close, '', options);
  const head = Buffer.from([code >> 8, code & 0xff]);
  return frame(OP.close, Buffer.concat([head, bytes(reason)]), options);
}

// One message in frames of the given payloads.
function fragments(op, parts) {
  const last = parts.length - 1;
  return parts.map((part, i) => frame(i === 0 ? op : OP.cont, part, { fin: i === last }));
}

function split(data, size) {
  const all = bytes(data);
  const parts = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.subarray(at, at + size));
  return parts;
}

const isUtf8 = (data) => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
};

function checkServerFrame(found) {
  const { fin, rsv, op, masked, field, payload } = found;
  const wrong = (what) => {
    throw new Error(`the server sent ${what}`);
  };
  if (rsv) wrong(`reserved bits ${rsv}`);
  if (masked) wrong('a masked frame');
  if (!NAMES[op]) wrong(`opcode ${op}`);
  if (!fin) wrong('a fragment');
  if (field === 126 && payload.length < 126) wrong('a length that is not in its shortest form');
  if (field === 127 && payload.length < 65536) wrong('a length that is not in its shortest form');
  if (op >= 8 && payload.length > 125) wrong('a control frame that is too long');
  if (op === OP.text && !isUtf8(payload)) wrong('text that is not UTF-8');
  if (op === OP.close) {
    if (payload.length === 1) wrong('a close frame with half a code');
    if (!isUtf8(payload.subarray(2))) wrong('a close reason that is not UTF-8');
  }
}

// The first frame in `data`: { name, data, code, reason, size }; null: it is not complete.
function readFrame(data) {
  if (data.length < 2) return null;
  const field = data[1] & 0x7f;
  const head = field === 126 ? 4 : field === 127 ? 10 : 2;
  if (data.length < head) return null;
  let length = field;
  if (field === 126) length = data.readUInt16BE(2);
  if (field === 127) length = Number(data.readBigUInt64BE(2));
  if (data.length < head + length) return null;
  const payload = data.subarray(head, head + length);
  const found = {
    fin: data[0] >> 7,
    rsv: (data[0] >> 4) & 7,
    op: data[0] & 15,
    masked: data[1] >> 7,
    field,
    payload,
  };
  checkServerFrame(found);
  const result = { name: NAMES[found.op], data: payload, size: head + length };
  if (found.op === OP.close) {
    result.code = length ? payload.readUInt16BE(0) : null;
    result.reason = payload.subarray(2).toString();
  }
  return result;
}

module.exports = {
  OP,
  binary,
  bytes,
  close,
  cont,
  fragments,
  frame,
  hex,
  ping,
  pong,
  readFrame,
  split,
  text,
};
