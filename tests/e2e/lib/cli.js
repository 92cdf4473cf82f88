// SPDX-License-Identifier: MIT
//
// lib/cli.js: the other commands of the program, in an empty folder and a clean environment.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { cleanEnv, makeFolder } = require('./server');
const { Inbox, within } = require('./wait');

class Command {
  // options: input (text for stdin), env, files ({name: text}, in the command's folder), folders (in
  // it, for them).
  constructor(binary, args, { input = '', env = {}, files = {}, folders = [] } = {}) {
    this.folder = makeFolder();
    for (const name of folders) fs.mkdirSync(`${this.folder}/${name}`);
    for (const [name, text] of Object.entries(files))
      fs.writeFileSync(`${this.folder}/${name}`, text);
    this.child = spawn(binary, args, { cwd: this.folder, env: cleanEnv(this.folder, env) });
    this.what = `peal ${args.join(' ')}`;
    this.stdout = '';
    this.stderr = '';
    this.lines = new Inbox((list) => list.join(' | '));
    this.child.stderr.on('data', (bytes) => (this.stderr += bytes));
    this.child.stdout.on('data', (bytes) => this._read(String(bytes)));
    this.child.stdin.on('error', () => {}); // it may end without reading
    this.child.stdin.end(input);
    this._ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        this.lines.end(`${this.what} ended with ${signal ?? code}: ${this.stderr}`);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  _read(text) {
    const before = this.stdout.lastIndexOf('\n') + 1;
    this.stdout += text;
    const whole = this.stdout.slice(before, this.stdout.lastIndexOf('\n') + 1);
    for (const line of whole.split('\n').slice(0, -1)) this.lines.push(line);
  }

  // The next line of stdout that matches.
  line(pattern) {
    return this.lines.take((line) => pattern.test(line), `line ${pattern} of ${this.what}`);
  }

  ended(ms) {
    return within(this._ended, () => `end of ${this.what}; stderr: ${this.stderr}`, ms);
  }

  signal(name) {
    this.child.kill(name);
  }

  kill() {
    this.child.kill('SIGKILL');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { Command };
