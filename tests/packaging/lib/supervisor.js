// SPDX-License-Identifier: MIT
//
// lib/supervisor.js: a real supervisord with one of the files of packaging/supervisor/, as it is but
// for the command, the user and the paths, which its users change as well.
'use strict';

const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { cleanEnv, makeFolder } = require('../../e2e/lib/server');
const { poll, within } = require('../../e2e/lib/wait');
const { has } = require('./manager');

const run = promisify(execFile);
const FOLDER = path.resolve(__dirname, '../../../packaging/supervisor');
const START_MS = 30_000;

function adapt(text, command, log) {
  const pairs = [
    [/^command=.*$/m, `command=${command}`],
    [/^user=.*\n/m, ''],
    [/^stdout_logfile=.*$/m, `stdout_logfile=${log}`],
  ];
  for (const [pattern, replacement] of pairs) {
    if (!pattern.test(text)) throw new Error(`the file has no ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  return text;
}

const main = (folder) => `[supervisord]
nodaemon=true
logfile=${folder}/supervisord.log
pidfile=${folder}/pid
childlogdir=${folder}
[unix_http_server]
file=${folder}/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${folder}/socket
`;

class Supervisor {
  // options: command (function of the folder), env, cwd, files ({name: text}, in the folder).
  static async start(t, file, { command, env = {}, cwd, files = {} }) {
    if (!(await has('supervisord'))) t.skip('no supervisord');
    const folder = makeFolder();
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
    const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
    const program = adapt(text, command(folder), `${folder}/program.log`);
    fs.writeFileSync(`${folder}/supervisord.conf`, main(folder) + program);
    const child = spawn('supervisord', ['-c', `${folder}/supervisord.conf`], {
      cwd,
      env: cleanEnv(folder, env),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    t.defer(async () => {
      child.kill('SIGTERM');
      await within(ended, 'end of supervisord', 40_000).catch(() => child.kill('SIGKILL'));
      fs.rmSync(folder, { recursive: true, force: true });
    });
    return new Supervisor(folder);
  }

  constructor(folder) {
    this.folder = folder;
  }

  log() {
    const file = `${this.folder}/program.log`;
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  }

  // The pid of the n-th server that got ready.
  ready(n) {
    const pid = () => {
      const lines = this.log().match(/^.*peal ready .*$/gm) ?? [];
      return lines.length >= n && Number(/ pid=(\d+)/.exec(lines[n - 1])[1]);
    };
    return poll(pid, () => `start ${n} in the log: ${this.log()}`, START_MS);
  }

  control(...words) {
    return run('supervisorctl', ['-c', `${this.folder}/supervisord.conf`, ...words]);
  }

  async pidOf(program) {
    return Number((await this.control('pid', program)).stdout);
  }
}

module.exports = { Supervisor };
