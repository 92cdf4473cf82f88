// SPDX-License-Identifier: MIT
//
// lib/databases.js: real PostgreSQL and MariaDB servers, each with a folder, a port and a user of its
// own, ended by their pids. They refuse to run as root: then they run as the user nobody.
'use strict';

const { execFile, execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { freePort, isListening } = require('./nginx');
const { makeFolder } = require('./server');
const { poll, within } = require('./wait');

const PASSWORD = 'hush/7Qp@x'; // what must be encoded in a URL, too
const NOBODY = 65534;
const START_MS = 40_000;

const asUser = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { ...asUser, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${path.basename(file)}: ${stderr || stdout || error.message}`));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(options.input ?? '');
  });
}

// A folder that the server's user owns.
function ownFolder() {
  const folder = makeFolder();
  if (asUser.uid) execFileSync('chown', [`${NOBODY}:${NOBODY}`, folder]);
  return folder;
}

class Database {
  constructor(t) {
    this.folder = ownFolder();
    this.env = { PATH: process.env.PATH, HOME: this.folder, TMPDIR: this.folder, LC_ALL: 'C' };
    t.defer(() => this.remove());
  }

  async start() {
    this.stderr = '';
    const [file, ...args] = this.command();
    const options = { ...asUser, cwd: this.folder, env: this.env, stdio: ['ignore', 'ignore', 'pipe'] };
    this.child = spawn(file, args, options);
    this.child.stderr.on('data', (bytes) => (this.stderr += bytes));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    await poll(
      async () => {
        if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stderr.slice(-1000)}`);
        return (await isListening(this.port)) && this.sql('SELECT 1').then(() => true, () => false);
      },
      'database that answers',
      START_MS,
    );
  }

  // As a power failure would.
  async crash() {
    this.child.kill('SIGCONT');
    this.child.kill(this.crashSignal);
    await within(this.ended, 'end of the database', START_MS);
    this.child = null;
  }

  // It is there, and does not answer.
  freeze() {
    this._tell('SIGSTOP');
  }

  thaw() {
    this._tell('SIGCONT');
  }

  _tell(signal) {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error; // it has ended meanwhile
      }
    }
  }

  // Of the server and of what it has started.
  pids() {
    const list = [this.child.pid];
    for (const pid of list) {
      const children = `/proc/${pid}/task/${pid}/children`;
      if (!fs.existsSync(children)) continue;
      list.push(...fs.readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number));
    }
    return list;
  }

  async remove() {
    if (this.child) {
      this.thaw();
      await this.crash().catch(() => this.child.kill('SIGKILL'));
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  url(more = '') {
    return `${this.scheme}://peal:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/app${more}`;
  }

  // The rows of the table as objects, oldest first, whatever its version.
  async rows() {
    const text = await this.sql(
      `SELECT * FROM websockets_statistics_entries ORDER BY id`,
      true,
    ).catch((error) => {
      if (/doesn't exist|does not exist/.test(error.message)) return '';
      throw error;
    });
    const [head, ...lines] = text.split('\n').filter(Boolean);
    if (!head) return [];
    const names = head.split('\t');
    return lines.map((line) => {
      const values = line.split('\t');
      const row = Object.fromEntries(names.map((name, i) => [name, values[i]]));
      return {
        id: Number(row.id),
        app: row.app_id,
        peak: Number(row.peak_connections_count ?? row.peak_connection_count),
        websocket: Number(row.websocket_messages_count ?? row.websocket_message_count),
        api: Number(row.api_messages_count ?? row.api_message_count),
        at: row.created_at,
        updated: row.updated_at,
      };
    });
  }
}

class Postgres extends Database {
  static find() {
    const versions = '/usr/lib/postgresql';
    if (!fs.existsSync(versions)) return null;
    const found = fs
      .readdirSync(versions)
      .map((version) => path.join(versions, version, 'bin'))
      .filter((bin) => fs.existsSync(path.join(bin, 'postgres')));
    return found.at(-1) ?? null;
  }

  kind = 'PostgreSQL';
  scheme = 'postgres';
  crashSignal = 'SIGQUIT'; // the same for the data as SIGKILL, and it takes its children along

  async init() {
    this.bin = Postgres.find();
    this.port = await freePort();
    const secret = path.join(this.folder, 'password');
    fs.writeFileSync(secret, PASSWORD, { mode: 0o644 });
    const data = path.join(this.folder, 'data');
    await run(
      path.join(this.bin, 'initdb'),
      ['-D', data, '-U', 'peal', '-N', '-E', 'UTF8', '--pwfile', secret, '-A', 'scram-sha-256'],
      { env: this.env, cwd: this.folder },
    );
    await this.start();
    await this.sql('CREATE DATABASE app', false, 'postgres');
  }

  command() {
    const set = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${this.folder}`];
    const options = ['-D', path.join(this.folder, 'data'), '-p', String(this.port)];
    return [path.join(this.bin, 'postgres'), ...options, ...set.flatMap((one) => ['-c', one])];
  }

  sql(text, head = false, database = this.child && text === 'SELECT 1' ? 'postgres' : 'app') {
    const options = ['-X', '-q', '-A', '-F', '\t', '-P', 'footer=off', ...(head ? [] : ['-t'])];
    return run(
      path.join(this.bin, 'psql'),
      [...options, '-h', this.folder, '-p', String(this.port), '-U', 'peal', '-v', 'ON_ERROR_STOP=1',
        '-d', database, '-c', text],
      { env: { ...this.env, PGPASSWORD: PASSWORD }, cwd: this.folder },
    );
  }

  // As Laravel's migrations of laravel-websockets make it.
  table([peak, websocket, api]) {
    return this.sql(
      `create table "websockets_statistics_entries" ("id" serial primary key not null, "app_id" ` +
        `varchar(255) not null, "${peak}" integer not null, "${websocket}" integer not null, ` +
        `"${api}" integer not null, "created_at" timestamp(0) without time zone null, ` +
        `"updated_at" timestamp(0) without time zone null)`,
    );
  }
}

class Mariadb extends Database {
  static find() {
    return ['/usr/sbin/mariadbd', '/usr/sbin/mysqld'].find((file) => fs.existsSync(file)) ?? null;
  }

  kind = 'MySQL';
  scheme = 'mysql';
  crashSignal = 'SIGKILL';

  async init() {
    this.bin = Mariadb.find();
    this.port = await freePort();
    this.env.TZ = 'America/New_York'; // rows are in UTC all the same
    const data = path.join(this.folder, 'data');
    await run(
      '/usr/bin/mariadb-install-db',
      ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal',
        '--skip-test-db', '--skip-name-resolve', '--innodb-log-file-size=8M'],
      { env: this.env, cwd: this.folder },
    );
    await this.start();
    await this.sql(
      `CREATE DATABASE app CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; ` +
        `CREATE USER peal@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'; ` +
        `GRANT ALL ON app.* TO peal@'127.0.0.1'`,
      false,
      '',
    );
  }

  command() {
    return [
      this.bin, '--no-defaults', `--datadir=${this.folder}/data`, `--socket=${this.folder}/socket`,
      `--port=${this.port}`, '--bind-address=127.0.0.1', `--pid-file=${this.folder}/pid`,
      '--skip-name-resolve', '--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=24M',
      '--innodb-log-file-size=8M',
    ];
  }

  sql(text, head = false, database = text === 'SELECT 1' ? '' : 'app') {
    const options = ['--no-defaults', '-B', ...(head ? [] : ['-N']), `--socket=${this.folder}/socket`];
    return run('/usr/bin/mariadb', [...options, '-u', 'root', ...(database ? [database] : [])], {
      env: this.env,
      cwd: this.folder,
      input: text,
    });
  }

  table([peak, websocket, api]) {
    return this.sql(
      `create table \`websockets_statistics_entries\` (\`id\` int unsigned not null ` +
        `auto_increment primary key, \`app_id\` varchar(255) not null, \`${peak}\` int not null, ` +
        `\`${websocket}\` int not null, \`${api}\` int not null, \`created_at\` timestamp null, ` +
        `\`updated_at\` timestamp null) default character set utf8mb4 collate 'utf8mb4_unicode_ci'`,
    );
  }
}

// Resolves when it answers.
async function startDatabase(t, Kind) {
  if (!Kind.find()) t.skip(`${Kind.name} is not installed`);
  const database = new Kind(t);
  await database.init();
  return database;
}

module.exports = { Mariadb, PASSWORD, Postgres, startDatabase };
