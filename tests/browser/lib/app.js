// SPDX-License-Identifier: MIT
//
// lib/app.js: the application of examples/laravel with a database of its own: PHP's web server, a
// queue worker and Peal, each of them to be stopped and started by a test. It takes all settings from
// the environment; a developer's .env has no say.
'use strict';

const { execFile, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { cleanEnv, makeFolder } = require('../../e2e/lib/server');
const { Inbox, within } = require('../../e2e/lib/wait');
const { person } = require('./browser');

const run = promisify(execFile);
const FOLDER = path.resolve(__dirname, '../../../examples/laravel');
const APP_KEY = `base64:${crypto.randomBytes(32).toString('base64')}`;
const START_MS = 20_000;

function environment(server, folder) {
  return cleanEnv(folder, {
    APP_ENV: 'local',
    APP_DEBUG: 'true',
    APP_KEY,
    LOG_CHANNEL: 'stderr',
    DB_DATABASE: path.join(folder, 'database.sqlite'),
    BROADCAST_DRIVER: 'pusher',
    QUEUE_CONNECTION: 'database',
    PUSHER_APP_ID: server.app.id,
    PUSHER_APP_KEY: server.app.key,
    PUSHER_APP_SECRET: server.app.secret,
    PUSHER_HOST: server.host,
    PUSHER_PORT: String(server.port),
    PUSHER_SCHEME: 'http',
    PUSHER_APP_CLUSTER: 'mt1',
  });
}

let seeded = null;

// A database with the seeds, made once; the path of its file.
function seed(server) {
  seeded ??= (async () => {
    const folder = makeFolder();
    process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
    const env = environment(server, folder);
    fs.writeFileSync(env.DB_DATABASE, '');
    await run('php', ['artisan', 'migrate', '--force', '--seed'], { cwd: FOLDER, env });
    return env.DB_DATABASE;
  })();
  return seeded;
}

// A child in a process group of its own: the web server has children.
class Program {
  constructor(env, command, ...args) {
    this.lines = new Inbox((list) => list.join('\n'));
    this.output = '';
    this.child = spawn(command, args, { cwd: FOLDER, env, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      let rest = '';
      stream.on('data', (bytes) => {
        this.output += bytes;
        const lines = (rest + bytes).split('\n');
        rest = lines.pop();
        for (const line of lines) this.lines.push(line);
      });
    }
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    this.ended.then(() => this.lines.end(`it ended: ${this.output}`));
  }

  async says(pattern) {
    const line = await this.lines.take((one) => pattern.test(one), `line ${pattern}`, START_MS);
    return pattern.exec(line);
  }

  // The worker finishes the job that it has.
  async stop(signal = 'SIGTERM') {
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      return; // it ended by itself
    }
    await within(this.ended, 'end of a program').catch(() => process.kill(-this.child.pid, 'SIGKILL'));
  }
}

class App {
  // options: worker (false: none yet).
  static async start(t, server, { worker = true } = {}) {
    const app = new App(t, server);
    t.servers.push(app);
    fs.copyFileSync(await seed(server), app.env.DB_DATABASE);
    app.web = new Program(
      { ...app.env, PHP_CLI_SERVER_WORKERS: '3' },
      ...['php', '-S', '127.0.0.1:0', '-t', 'public', 'server.php'],
    );
    app.programs.push(app.web);
    app.url = (await app.web.says(/\((http:.*)\) started$/))[1];
    if (worker) await app.startWorker();
    return app;
  }

  constructor(t, server) {
    this.t = t;
    this.folder = makeFolder();
    this.env = environment(server, this.folder);
    this.programs = [];
    this.persons = [];
    this.mayFail = false; // a broadcast, while Peal is away; the queue tries again
  }

  person(name) {
    return person(this.t, this, name);
  }

  async startWorker() {
    const options = ['--sleep=0.1', '--tries=50', '--backoff=1'];
    this.worker = new Program(this.env, 'php', 'artisan', 'queue:work', ...options);
    this.programs.push(this.worker);
  }

  // What lib/suite.js wants of a server: shown with a failure, and stopped at the end.
  get stderr() {
    return this.programs.map(({ output }) => output.slice(-1500)).join('\n---\n');
  }

  async stop() {
    await Promise.all(this.programs.map((program) => program.stop()));
    this.exit = 0;
    const errors = this.persons.flatMap((one) => one.errors);
    if (errors.length > 0) throw new Error(`a script failed: ${errors[0].stack}`);
    const failure = /^.*\.(ERROR|CRITICAL).*$/m.exec(this.stderr);
    if (failure && !this.mayFail) throw new Error(`Laravel logs: ${failure[0].slice(0, 300)}`);
  }

  kill() {
    for (const program of this.programs) program.stop('SIGKILL');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { App, FOLDER, Program };
