// SPDX-License-Identifier: MIT
//
// lib/frame.js: WebSocket frames as bytes, right and wrong ones.
'use strict';

const crypto = require('node:crypto');

// One frame from the server: { fin, opcode, masked, payload, code, reason }.
function readFrame(bytes) {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + length) return null;
  const payload = bytes.subarray(at, at + length);
  const frame = { fin: bytes[0] >> 7, opcode: bytes[0] & 0x0f, masked: bytes[1] >> 7, payload };
  if (frame.opcode === 8 && length >= 2) {
    frame.code = payload.readUInt16BE(0);
    frame.reason = payload.subarray(2).toString('utf8');
  }
  return [frame, at + length];
}

// A frame as a client would send it. first: the first byte (FIN, RSV, opcode); masked: false leaves
// the mask out; length: what the header says instead of the true length.
function makeFrame(payload, { first = 0x81, masked = true, length } = {}) {
  const data = Buffer.isBuffer(payload) ? payload : Buffer.from(payload, 'utf8');
  const n = length ?? data.length;
  const bit = masked ? 0x80 : 0;
  let head;
  if (n < 126) {
    head = Buffer.from([first, bit | n]);
  } else if (n < 65536) {
    head = Buffer.from([first, bit | 126, n >> 8, n & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(n), 2);
  }
  if (!masked) return Buffer.concat([head, data]);
  const mask = crypto.randomBytes(4);
  const body = Buffer.from(data);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, body]);
}

module.exports = { makeFrame, readFrame };
