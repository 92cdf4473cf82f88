// SPDX-License-Identifier: MIT
//
// lib/manager.js: a socket in place of systemd's (sd_notify(3)), and what was said to it, line by
// line. Node has no datagram sockets in the file system, so socat holds it.
'use strict';

const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const { Inbox, poll } = require('../../e2e/lib/wait');

// Whether the machine has this program.
function has(program) {
  return new Promise((resolve) => {
    execFile('sh', ['-c', `command -v ${program}`], (error) => resolve(!error));
  });
}

class Manager {
  static async start(path) {
    const manager = new Manager(path);
    await poll(() => fs.existsSync(path), `socket ${path}`);
    return manager;
  }

  constructor(path) {
    this.path = path;
    this.lines = new Inbox((list) => list.join(' | '));
    this.child = spawn('socat', ['-u', `UNIX-RECV:${path}`, 'STDOUT'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rest = '';
    this.child.stdout.on('data', (bytes) => {
      const lines = (rest + bytes).split('\n');
      rest = lines.pop();
      for (const line of lines) this.lines.push(line);
    });
  }

  // The next line, which must be this one but for signs of life.
  async hears(pattern) {
    const skipped = (line) => line === 'WATCHDOG=1' && !pattern.test(line);
    const line = await this.lines.take((one) => !skipped(one), `message ${pattern}`);
    if (!pattern.test(line)) throw new Error(`the manager heard ${line}, not ${pattern}`);
  }

  stop() {
    this.child.kill();
  }
}

module.exports = { Manager, has };
