// SPDX-License-Identifier: MIT
//
// server.js: a server under test as a child process: started, watched, and ended as SIGTERM should
// end it. Its pid is the only one that is ever signalled.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const START_MS = 20_000;

class Target {
  // kind: what the target adds for its clients (path, greets); the ready line has a port=N.
  static async start(command, kind) {
    const target = new Target();
    Object.assign(target, { path: '/', greets: false, ...kind, stderr: '', stdout: '' });
    target.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'peal-conformance-'));
    const env = { PATH: process.env.PATH, HOME: target.folder, XDG_STATE_HOME: target.folder };
    for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS'])
      if (process.env[name]) env[name] = process.env[name];
    const options = { cwd: target.folder, env, stdio: ['ignore', 'pipe', 'pipe'] };
    target.child = spawn(command[0], command.slice(1), options);
    target.child.stderr.on('data', (chunk) => (target.stderr += chunk));
    target.exited = new Promise((resolve) => {
      target.child.on('error', (error) => resolve(error.message));
      target.child.on('close', (code, signal) => resolve(signal ?? code));
    });
    await target._ready();
    return target;
  }

  async _ready() {
    let timer;
    const line = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no ready line')), START_MS);
      this.child.stdout.on('data', (chunk) => {
        this.stdout += chunk;
        if (this.stdout.includes('\n')) resolve(this.stdout.split('\n')[0]);
      });
      this.exited.then((how) => reject(new Error(`ended (${how}): ${this.stderr}`)));
    });
    try {
      const found = / ready .*\bport=(\d+)/.exec(await line);
      if (!found) throw new Error(`not a ready line: ${this.stdout}`);
      this.port = Number(found[1]);
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  // Octets of the largest resident set so far, since the last call.
  peakMemory() {
    const status = fs.readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  // SIGTERM; what is wrong with how it ended, or null.
  async stop() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    const how = await this.exited;
    clearTimeout(timer);
    fs.rmSync(this.folder, { recursive: true, force: true });
    if (how !== 0) return `ended with ${how}: ${this.stderr.slice(-3000)}`;
    if (/Sanitizer|runtime error/.test(this.stderr)) return this.stderr.slice(-3000);
    return null;
  }
}

module.exports = { Target };
