// SPDX-License-Identifier: MIT
//
// lib/php.js: the PHP SDK in a process of its own (php/client.php), called from here.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { within } = require('./wait');

const FOLDER = path.join(__dirname, '..', 'php');

class Php {
  constructor(server, app = server.app) {
    if (!fs.existsSync(path.join(FOLDER, 'vendor', 'autoload.php'))) {
      throw new Error('the PHP SDK is not installed: run `composer install` in tests/e2e/php');
    }
    const words = [server.host, String(server.port), app.id, app.key, app.secret];
    this.child = spawn('php', [path.join(FOLDER, 'client.php'), ...words]);
    this.stderr = '';
    this._waiting = [];
    this.child.stderr.on('data', (bytes) => (this.stderr += bytes));
    this.child.on('error', (error) => this._end(error.message));
    this.child.on('close', () => this._end(this.stderr));
    const lines = readline.createInterface({ input: this.child.stdout });
    lines.on('line', (line) => this._waiting.shift()?.resolve(JSON.parse(line)));
  }

  _end(why) {
    for (const { reject } of this._waiting.splice(0)) reject(new Error(`php ended: ${why}`));
  }

  // Calls a method of the SDK; throws what it throws.
  async call(method, ...args) {
    const answer = new Promise((resolve, reject) => this._waiting.push({ resolve, reject }));
    this.child.stdin.write(`${JSON.stringify([method, args])}\n`);
    const { ok, error } = await within(answer, `answer of PHP to ${method}`);
    if (error) throw new Error(error);
    return ok;
  }

  async version() {
    return Number((await this.call('version')).split('.')[0]);
  }

  close() {
    this.child.kill();
  }
}

module.exports = { Php };
