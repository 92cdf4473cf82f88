// SPDX-License-Identifier: MIT
//
// lib/server.js: the real program as a child process. It listens on free ports of the loopback
// address, in an empty folder and without our environment, so that no .env or peal.yaml of the
// machine gets in. stop() is a test of its own: exit code 0, no sanitizer report, and no secret in
// what was logged.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { Inbox, poll, within } = require('./wait');

const APP = { id: 'app-id', key: 'app-key', secret: 'e2e-secret-7Hc2' };

const SANITIZER = /(ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:)/;

// Nothing that peal reads: no PEAL_, PUSHER_, REVERB_, SOKETI_ variables of whoever runs the tests.
function cleanEnv(folder, extra) {
  const env = { HOME: folder, XDG_STATE_HOME: folder, PATH: process.env.PATH, ...extra };
  for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS', 'LSAN_OPTIONS']) {
    if (process.env[name]) env[name] = process.env[name];
  }
  return env;
}

function makeFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'peal-e2e-'));
}

// "a=1 b=x:2" -> { a: '1', b: 'x:2' }
function readPairs(line) {
  return Object.fromEntries(
    line
      .trim()
      .split(' ')
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
}

class Server {
  // options: workers, apps (list of {id, key, secret}), set ({name: value}), args, config (text of a
  // YAML file), files ({name: text}, in its folder), env, port, listen (the option's value, instead
  // of host and port), nofile (descriptors it may have), secrets (more that must not be logged),
  // binary (another program), wrapper (a command in front of it), descriptor (it gets this one as
  // number 3), app (whose settings are in `config` only). workers, listen and adminListen may be
  // null: then the configuration says it.
  static async start(binary, options = {}) {
    const server = new Server(binary, options);
    try {
      await server._launch();
    } catch (error) {
      server.kill();
      throw error;
    }
    return server;
  }

  constructor(binary, options) {
    this.binary = options.binary ?? binary;
    this.options = options;
    this.apps = options.apps ?? [APP];
    this.app = options.app ?? this.apps[0];
    this.folder = makeFolder();
    this.stderr = '';
    this.stdout = '';
    this.stopping = false;
    this.generations = 0;
    this.readyLines = new Inbox((list) => list.join(' | '));
  }

  _arguments() {
    const { workers = 1, set = {}, args = [], config, port = 0, listen, adminListen = '127.0.0.1:0' } =
      this.options;
    const list = ['serve'];
    if (listen) list.push('--set', `listen=${listen}`);
    else if (listen !== null) list.push('--host', '127.0.0.1', '--port', `${port}`);
    if (workers !== null) list.push('--workers', String(workers));
    if (adminListen !== null) list.push('--set', `admin.listen=${adminListen}`);
    if (config !== undefined) list.push('--config', 'e2e.yaml');
    for (const app of this.apps) list.push('--app', `${app.id}:${app.key}:${app.secret}`);
    for (const [name, value] of Object.entries(set)) list.push('--set', `${name}=${value}`);
    return list.concat(args);
  }

  async _launch() {
    const { config, files = {}, nofile, wrapper = [], descriptor } = this.options;
    const all = config === undefined ? files : { ...files, 'e2e.yaml': config };
    for (const [name, text] of Object.entries(all)) {
      fs.writeFileSync(path.join(this.folder, name), text);
    }
    const command = nofile ? ['prlimit', `--nofile=${nofile}:${nofile}`] : [];
    command.push(...wrapper, this.binary, ...this._arguments());
    this.child = spawn(command[0], command.slice(1), {
      cwd: this.folder,
      env: cleanEnv(this.folder, this.options.env),
      stdio: ['ignore', 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
    });
    this.child.stderr.on('data', (bytes) => (this.stderr += bytes));
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ code: null, signal: null, error }));
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.exited.then((how) => (this.exit = how));
    this.child.stdout.on('data', (bytes) => this._read(String(bytes)));
    this.exited.then((how) => this.readyLines.end(this._end(how)));
    this.ready = await this.generation(1);
    this.host = this.ready.host;
    this.port = Number(this.ready.port);
    this.pid = Number(this.ready.pid);
    this.workers = Number(this.ready.workers);
    const colon = this.ready.admin.lastIndexOf(':');
    this.adminHost = this.ready.admin.slice(0, colon);
    this.adminPort = Number(this.ready.admin.slice(colon + 1));
  }

  _read(text) {
    const before = this.stdout.lastIndexOf('\n') + 1;
    this.stdout += text;
    const whole = this.stdout.slice(before, this.stdout.lastIndexOf('\n') + 1);
    for (const line of whole.split('\n').slice(0, -1)) this.readyLines.push(line);
  }

  // The pairs of the next ready line, which must be that of generation `n`.
  async generation(n) {
    const what = `ready line of generation ${n}`;
    const line = await this.readyLines.take(() => true, what).catch((error) => {
      throw new Error(`${error.message}; stderr: ${this.stderr.slice(-3000)}`);
    });
    if (!line.startsWith('peal ready ')) throw new Error(`not a ready line: ${line}`);
    const pairs = readPairs(line);
    if ((pairs.generation ?? '1') !== String(n)) throw new Error(`not the ${what}: ${line}`);
    this.generations = n;
    return pairs;
  }

  _end(how) {
    if (how.error) return `cannot start ${this.binary}: ${how.error.message}`;
    const tail = this.stderr.slice(-3000);
    return `the server ended with ${how.signal ?? `exit code ${how.code}`}; stderr: ${tail}`;
  }

  // Rejects if the server goes without being told to; never resolves.
  async crashed() {
    const how = await this.exited;
    if (this.stopping) return new Promise(() => {});
    throw new Error(this._end(how));
  }

  signal(name) {
    if (name !== 'SIGHUP' && name !== 'SIGUSR2') this.stopping = true;
    process.kill(this.child.pid, name);
  }

  // Waits for the end that a signal has brought about, and looks at how it ended.
  async ended() {
    const how = await within(this.exited, 'end of the server after its signal');
    fs.rmSync(this.folder, { recursive: true, force: true });
    this.checkLog();
    if (how.code !== 0) throw new Error(this._end(how));
  }

  checkLog() {
    const report = SANITIZER.exec(this.stderr);
    if (report)
      throw new Error(`sanitizer report: ${this.stderr.slice(report.index, report.index + 4000)}`);
    const secrets = this.apps.map((app) => app.secret).concat(this.options.secrets ?? []);
    const leaked = secrets.find((secret) => (this.stderr + this.stdout).includes(secret));
    if (leaked) throw new Error(`the log shows the secret ${leaked}`);
    const lines = this.stdout.trimEnd().split('\n');
    if (lines.length !== this.generations)
      throw new Error(`stdout has more than the ready lines: ${this.stdout}`);
  }

  async stop() {
    if (this.exit === undefined && !this.stopping) this.signal('SIGTERM');
    await this.ended();
  }

  // For the finally of a test: whatever happened, nothing of it stays.
  kill() {
    this.stopping = true;
    if (this.child && this.exit === undefined) this.child.kill('SIGKILL');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  // GET on the admin listener; the JSON that it answers.
  admin(target) {
    const options = { host: this.adminHost, port: this.adminPort, path: target, agent: false };
    const answer = new Promise((resolve, reject) => {
      const request = http.get(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`admin ${target}: ${response.statusCode} ${text}`));
        });
      });
      request.on('error', (error) => reject(new Error(`admin ${target}: ${error.message}`)));
    });
    return within(answer, `answer from the admin listener to ${target}`);
  }

  connections(appId = this.app.id) {
    return this.admin(`/admin/connections?app=${encodeURIComponent(appId)}`);
  }

  async workerOf(socketId, appId) {
    const list = await this.connections(appId);
    const found = list.find((connection) => connection.socket_id === socketId);
    if (!found) throw new Error(`/admin/connections does not list ${socketId}`);
    return found.worker;
  }

  // Until the server holds exactly `n` connections of the app.
  hasConnections(n, appId) {
    const enough = async () => (await this.connections(appId)).length === n;
    return poll(enough, `${n} connections in /admin/connections`);
  }
}

module.exports = { APP, Server, cleanEnv, makeFolder };
