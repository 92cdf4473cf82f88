// SPDX-License-Identifier: MIT
//
// packaging/supervisor/peal.conf in a real supervisord, as it is but for the user and the paths.
'use strict';

const assert = require('node:assert');
const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { freePort } = require('../e2e/lib/nginx');
const { makeFolder } = require('../e2e/lib/server');
const { test } = require('../e2e/lib/suite');
const { poll, within } = require('../e2e/lib/wait');
const { has } = require('./lib/manager');

const run = promisify(execFile);
const FILE = path.resolve(__dirname, '../../packaging/supervisor/peal.conf');
const APP = { id: 'shop', key: 'shop-key', secret: 'e2e-supervised-8Wq1' };

function adapt(text, folder, binary) {
  const pairs = [
    [/^command=.*$/m, `command=${binary} serve --config ${folder}/peal.yaml --env /dev/null`],
    [/^user=.*\n/m, ''],
    [/^stdout_logfile=.*$/m, `stdout_logfile=${folder}/peal.log`],
  ];
  for (const [pattern, replacement] of pairs) {
    assert.match(text, pattern);
    text = text.replace(pattern, replacement);
  }
  return text;
}

async function startSupervisor(t) {
  if (!(await has('supervisord'))) t.skip('no supervisord');
  const folder = makeFolder();
  const port = await freePort();
  const app = `apps: [{ id: ${APP.id}, key: ${APP.key}, secret: ${APP.secret} }]`;
  const addresses = `listen: 127.0.0.1:${port}\nadmin: { listen: 127.0.0.1:0 }`;
  fs.writeFileSync(`${folder}/peal.yaml`, `${addresses}\nworkers: 1\n${app}\n`);
  fs.writeFileSync(
    `${folder}/supervisord.conf`,
    `[supervisord]
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
${adapt(fs.readFileSync(FILE, 'utf8'), folder, t.binary)}`,
  );
  const child = spawn('supervisord', ['-c', `${folder}/supervisord.conf`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  t.defer(async () => {
    child.kill('SIGTERM');
    await within(ended, 'end of supervisord', 20_000).catch(() => child.kill('SIGKILL'));
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const log = () => (fs.existsSync(`${folder}/peal.log`) ? fs.readFileSync(`${folder}/peal.log`, 'utf8') : '');
  const readyPid = (n) => {
    const lines = log().match(/^peal ready .*$/gm) ?? [];
    return lines.length >= n && Number(/ pid=(\d+)/.exec(lines[n - 1])[1]);
  };
  return {
    site: { host: '127.0.0.1', port, app: APP },
    log,
    ready: (n) => poll(() => readyPid(n), `start ${n} in the log: ${log()}`, 20_000),
    control: (...words) => run('supervisorctl', ['-c', `${folder}/supervisord.conf`, ...words]),
  };
}

test('Supervisor: killed it comes back, stopped it tells its clients, and all is in its log', { ms: 60_000 }, async (t) => {
  const { site, log, ready, control } = await startSupervisor(t);
  const first = await ready(1);
  const lost = await t.raw(site);
  process.kill(first, 'SIGKILL');
  await lost.closed();
  const second = await ready(2);
  assert.notStrictEqual(second, first);
  const told = await t.raw(site);
  await control('stop', 'peal');
  const closed = await told.closed();
  assert.strictEqual(closed.code, 4100);
  assert.match(log(), /stopped/);
  assert.ok(!log().includes(APP.secret), 'the log shows the secret');
});
