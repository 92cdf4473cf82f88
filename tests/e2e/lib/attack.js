// SPDX-License-Identifier: MIT
//
// lib/attack.js: for tests of hostile neighbours. A witness (a subscriber and a publisher) that must
// not notice anything, attackers in a process of their own, and what the server's memory did.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const api = require('./api');
const { makeFrame } = require('./frame');
const { Inbox, pause, poll, within } = require('./wait');

// One subscriber and one publisher, who publishes an event after the other, each on a connection of
// its own, as PHP does it.
class Witness {
  static async start(t, server, options) {
    const witness = new Witness(server, options);
    witness.client = await t.raw(server);
    await witness.client.subscribe('witness');
    witness.running = witness._publish();
    witness.running.catch(() => {}); // told by good()
    return witness;
  }

  constructor(server, { everyMs = 20 } = {}) {
    this.server = server;
    this.everyMs = everyMs;
    this.sentAt = [];
    this.slowestMs = 0;
    this.stopped = false;
  }

  async _publish() {
    while (!this.stopped) {
      const number = this.sentAt.push(Date.now()) - 1;
      await api.publish(this.server, 'witness', 'number', String(number));
      const frame = await this.client.event('number', 'witness');
      assert.strictEqual(frame.data, String(number), 'the witness gets all, in order');
      this.slowestMs = Math.max(this.slowestMs, Date.now() - this.sentAt[number]);
      await pause(this.everyMs);
    }
  }

  // Until it has published `n` more.
  more(n) {
    const end = this.sentAt.length + n;
    return Promise.race([
      poll(() => this.sentAt.length >= end, `${n} more events of the witness`, 30_000),
      this.running,
    ]);
  }

  // Stops; everything must have come, each in time, and nothing else.
  async good({ withinMs = 3000 } = {}) {
    await this.more(10);
    this.stopped = true;
    await this.running;
    await this.client.ping();
    assert.deepStrictEqual(this.client.frames.unread, [], 'the witness got something else');
    console.log(`     the witness waited ${this.slowestMs} ms at most`);
    assert.ok(this.slowestMs <= withinMs, `the witness waited ${this.slowestMs} ms`);
  }
}

// See attacker.js for what a plan is.
class Attacker {
  constructor(server, plan) {
    const all = { host: server.host, port: server.port, connections: 1, ...plan };
    const script = path.join(__dirname, 'attacker.js');
    this.child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = new Inbox((list) => list.join(' '));
    this.child.stdin.on('error', () => {});
    this.child.stdin.write(`${JSON.stringify(all)}\n`);
    let text = '';
    this.child.stdout.on('data', (bytes) => {
      text += bytes;
      const parts = text.split('\n');
      text = parts.pop();
      for (const line of parts) this.lines.push(line);
    });
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    this.ended.then(() => this.lines.end('the attackers have gone'));
  }

  // Each connection is open and has been answered, or refused.
  ready(ms = 30_000) {
    return this.lines.take((line) => line === 'ready', 'attackers that are ready', ms);
  }

  async seen() {
    this.child.stdin.write('\n');
    return JSON.parse(await this.lines.take((line) => line !== 'ready', 'report of the attackers'));
  }

  until(check, what, ms = 20_000) {
    return poll(async () => check(await this.seen()), what, ms);
  }

  stop() {
    this.child.stdin.end();
    return within(this.ended, 'end of the attackers');
  }
}

async function attack(t, server, plan) {
  const attacker = new Attacker(server, plan);
  t.defer(() => attacker.child.kill('SIGKILL'));
  if (plan.wait !== false) await attacker.ready();
  return attacker;
}

// The text of an upgrade, and bytes of frames, for plans.
function upgradeText(server) {
  return [
    `GET /app/${server.app.key}?protocol=7 HTTP/1.1`,
    `Host: ${server.host}:${server.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    '\r\n',
  ].join('\r\n');
}

const base64 = (...buffers) => Buffer.concat(buffers).toString('base64');
const textFrame = (value) =>
  makeFrame(typeof value === 'string' ? value : JSON.stringify(value));

// Kilobytes, from /proc: what the process has now, and had at most since the last reset.
function readMemory(server) {
  const status = fs.readFileSync(`/proc/${server.pid}/status`, 'latin1');
  const number = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
  return { now: number('VmRSS'), most: number('VmHWM') };
}

// Sanitizers keep what was freed: their memory says nothing.
function isSanitized(server) {
  return /VmSize:\s+\d{10,}/.test(fs.readFileSync(`/proc/${server.pid}/status`, 'latin1'));
}

// Runs `attack`, prints what it cost in memory, and refuses more than `mostMiB`.
async function measured(server, what, mostMiB, run) {
  fs.writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const before = readMemory(server).now;
  const result = await run();
  const grownMiB = (readMemory(server).most - before) / 1024;
  console.log(
    `     memory under "${what}": ${(before / 1024).toFixed(1)} MiB, at most ${grownMiB.toFixed(1)} MiB more`,
  );
  if (!isSanitized(server))
    assert.ok(grownMiB <= mostMiB, `${what}: ${grownMiB} MiB more, allowed are ${mostMiB}`);
  return result;
}

module.exports = {
  Attacker,
  Witness,
  attack,
  base64,
  isSanitized,
  measured,
  readMemory,
  textFrame,
  upgradeText,
};
