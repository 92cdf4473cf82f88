// SPDX-License-Identifier: MIT
//
// lib/attacker.js: many misbehaving connections, in a process of its own, so that they cost the
// tests' own event loop nothing. Run by lib/attack.js; the first line of its stdin is the plan, as JSON:
//
//   host, port, connections   how many, opened `perTurn` (default 200) at a time
//   first                     text that is sent at once (latin1); an upgrade request, for example
//   frames                    wait for this many WebSocket frames of the server before going on
//   once                      base64: sent once then
//   again, times              base64: sent `times` more (default: for ever), as fast as the kernel
//                             takes it; `everyMs`: one octet of it at a time, so often
//   stopReading               nothing is read after the frames
//   reconnect                 a connection that has ended is replaced
//   resetAfterMs              each is reset after this time
//
// Prints "ready" when each connection has come as far as it will, and for each further line of stdin
// one with what has happened so far. Ends with its stdin.
'use strict';

const net = require('node:net');
const readline = require('node:readline');
const { readFrame } = require('./frame');

let plan;
let once;
let again;
const seen = { opened: 0, failed: 0, closed: 0, sent: 0, received: 0, statuses: {}, codes: {} };
let started = 0;
let ready = 0;

const count = (table, name) => (table[name] = (table[name] ?? 0) + 1);

// One connection and how far it is.
class Attack {
  constructor() {
    this.left = plan.times ?? Infinity;
    this.frames = plan.frames ?? 0;
    this.bytes = Buffer.alloc(0);
    this.upgraded = false;
    this.going = false;
    const socket = net.connect({ host: plan.host, port: plan.port });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('connect', () => this.connected());
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('drain', () => this.flood());
    socket.on('error', () => (this.error = true));
    socket.on('close', () => this.closed());
  }

  connected() {
    seen.opened += 1;
    if (plan.first) this.socket.write(Buffer.from(plan.first, 'latin1'));
    if (plan.resetAfterMs) setTimeout(() => this.socket.resetAndDestroy(), plan.resetAfterMs);
    if (this.frames === 0) this.go();
  }

  settled() {
    if (this.isReady) return;
    this.isReady = true;
    ready += 1;
    if (ready === plan.connections) console.log('ready');
  }

  read(chunk) {
    seen.received += chunk.length;
    if (this.bytes.length < 1 << 20) this.bytes = Buffer.concat([this.bytes, chunk]);
    while (this.next());
  }

  // Takes one response or frame out of the input.
  next() {
    if (!this.upgraded) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return false;
      const status = this.bytes.toString('latin1', 9, 12);
      count(seen.statuses, status);
      this.bytes = status === '101' ? this.bytes.subarray(end + 4) : Buffer.alloc(0);
      this.upgraded = status === '101';
      return this.upgraded;
    }
    const got = readFrame(this.bytes);
    if (!got) return false;
    this.bytes = this.bytes.subarray(got[1]);
    if (got[0].opcode === 8) count(seen.codes, got[0].code ?? 1005);
    if (this.frames > 0 && --this.frames === 0) this.go();
    return true;
  }

  go() {
    if (plan.stopReading) this.socket.pause();
    if (once.length) this.socket.write(once);
    this.settled();
    this.going = true;
    if (plan.everyMs) this.timer = setInterval(() => this.trickle(), plan.everyMs);
    else this.flood();
  }

  trickle() {
    const at = (this.at = ((this.at ?? -1) + 1) % again.length);
    this.socket.write(again.subarray(at, at + 1));
    seen.sent += 1;
  }

  flood() {
    if (!this.going || plan.everyMs || !again.length) return;
    // Some at a time: the other connections have their turn, and input is read.
    for (let n = 0; n < 16 && this.left > 0 && !this.error; n++) {
      this.left -= 1;
      seen.sent += again.length;
      if (!this.socket.write(again)) return;
    }
    if (this.left > 0 && !this.socket.destroyed) setImmediate(() => this.flood());
  }

  closed() {
    clearInterval(this.timer);
    this.going = false;
    if (this.error) seen.failed += 1;
    seen.closed += 1;
    this.settled();
    if (plan.reconnect) setImmediate(() => new Attack());
  }
}

function open() {
  const now = Math.min(plan.perTurn ?? 200, plan.connections - started);
  for (let n = 0; n < now; n++) new Attack();
  started += now;
  if (started < plan.connections) setImmediate(open);
}

function begin(line) {
  plan = JSON.parse(line);
  once = Buffer.from(plan.once ?? '', 'base64');
  again = Buffer.from(plan.again ?? '', 'base64');
  open();
}

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => (plan ? console.log(JSON.stringify(seen)) : begin(line)))
  .on('close', () => process.exit(0));
