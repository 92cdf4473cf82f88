// SPDX-License-Identifier: MIT
//
// What `./dev package` made: the tarball, the Debian package and `cmake --install` each put a program
// there that serves; the unit is one that systemd takes, and what it starts talks to systemd.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { get } = require('../e2e/lib/api');
const { Command } = require('../e2e/lib/cli');
const { Server, makeFolder } = require('../e2e/lib/server');
const { test } = require('../e2e/lib/suite');
const { Manager, has } = require('./lib/manager');

const run = promisify(execFile);
const ROOT = path.resolve(__dirname, '../..');
const MADE = path.join(ROOT, 'build/package');
const APP = { id: 'shop', key: 'shop-key', secret: 'e2e-packaged-2Lk9' };
const SETTINGS = `apps: [{ id: ${APP.id}, key: ${APP.key}, secret: ${APP.secret} }]\n`;

function made(pattern) {
  const found = fs.readdirSync(MADE).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`not one ${pattern} in build/package: ${found}`);
  return path.join(MADE, found[0]);
}

function folder(t) {
  const made = makeFolder();
  t.defer(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

// A program that somebody has just installed: an event goes through it.
async function serves(t, binary) {
  const server = await t.server({ binary, workers: 2 });
  const client = await t.raw(server);
  await client.subscribe('news');
  const trigger = new Command(binary, [
    ...['trigger', 'news', 'hello', '{"n":1}', '--host', '127.0.0.1', '--port', `${server.port}`],
    ...['--app', `${server.app.id}:${server.app.key}:${server.app.secret}`],
  ]);
  t.defer(() => trigger.kill());
  const { code, stderr } = await trigger.ended();
  if (code !== 0) throw new Error(`peal trigger: ${stderr}`);
  const event = await client.event('hello');
  if (event.data !== '{"n":1}') throw new Error(`not the data: ${event.data}`);
}

function exists(root, names) {
  for (const name of names)
    if (!fs.existsSync(path.join(root, name))) throw new Error(`${name} was not installed`);
}

test('the tarball, unpacked, serves', async (t) => {
  const here = folder(t);
  await run('tar', ['-C', here, '--strip-components=1', '-xzf', made(/^peal-.*\.tar\.gz$/)]);
  exists(here, [
    'share/man/man1/peal.1.gz',
    'share/bash-completion/completions/peal',
    'share/zsh/site-functions/_peal',
    'share/fish/vendor_completions.d/peal.fish',
    'share/doc/peal/peal.yaml',
    'share/doc/peal/LICENSE',
  ]);
  const unit = fs.readFileSync(path.join(here, 'lib/systemd/system/peal.service'), 'utf8');
  if (!unit.includes('ExecStart=/usr/local/bin/peal serve')) throw new Error(`unit: ${unit}`);
  await serves(t, path.join(here, 'bin/peal'));
});

test('cmake --install to a prefix of one’s own serves, and its unit names that prefix', async (t) => {
  const here = folder(t);
  await run('cmake', ['--install', path.join(ROOT, 'build/release'), '--prefix', here]);
  const unit = fs.readFileSync(path.join(here, 'lib/systemd/system/peal.service'), 'utf8');
  if (!unit.includes(`ExecStart=${here}/bin/peal serve`)) throw new Error(`unit: ${unit}`);
  await serves(t, path.join(here, 'bin/peal'));
});

async function unpackDeb(t) {
  const here = folder(t);
  await run('dpkg-deb', ['-x', made(/\.deb$/), here]);
  return here;
}

test('the Debian package names what it needs and keeps the settings as a conffile', async () => {
  const deb = made(/\.deb$/);
  const { stdout: depends } = await run('dpkg-deb', ['-f', deb, 'Depends']);
  for (const library of ['libc6', 'libuv1', 'libyaml-0-2', 'libsystemd0'])
    if (!depends.includes(library)) throw new Error(`Depends lacks ${library}: ${depends}`);
  const { stdout: conffiles } = await run('dpkg-deb', ['-I', deb, 'conffiles']);
  if (conffiles.trim() !== '/etc/peal/peal.yaml') throw new Error(`conffiles: ${conffiles}`);
});

test('the settings in the Debian package say that an app is missing, and how to give one', async (t) => {
  const here = await unpackDeb(t);
  const settings = path.join(here, 'etc/peal/peal.yaml');
  const command = t.command(['serve', '--config', settings, '--port', '0']);
  const { code, stderr } = await command.ended();
  if (code !== 78 || !stderr.includes('apps')) throw new Error(`${code}: ${stderr}`);
});

test('systemd takes the unit', async (t) => {
  if (!(await has('systemd-analyze'))) t.skip('no systemd-analyze');
  const here = await unpackDeb(t);
  // Found under the root that is given, as on a machine with nothing else.
  const unit = path.join(here, 'usr/lib/systemd/system/peal.service');
  const text = fs.readFileSync(unit, 'utf8').replaceAll('/usr/bin/peal', `${here}/usr/bin/peal`);
  fs.writeFileSync(unit, text);
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
  if ((stdout + stderr).includes('peal')) throw new Error(stdout + stderr);
});

// What the unit starts, with the variables that systemd sets.
async function underManager(t, watchdogMs) {
  if (!(await has('socat'))) t.skip('no socat');
  const here = await unpackDeb(t);
  const manager = await Manager.start(path.join(here, 'notify'));
  t.defer(() => manager.stop());
  const env = { NOTIFY_SOCKET: manager.path, STATE_DIRECTORY: here };
  if (watchdogMs) env.WATCHDOG_USEC = `${watchdogMs * 1000}`;
  const server = await t.server({ binary: path.join(here, 'usr/bin/peal'), env });
  return { manager, server };
}

test('the service manager hears: ready, reloading, ready, restarting, ready, stopping', async (t) => {
  const { manager, server } = await underManager(t);
  const ready = async (generation) => {
    await manager.hears(/^READY=1$/);
    const end = `, 1 worker, generation ${generation}$`;
    await manager.hears(new RegExp(`^STATUS=serving on 127\\.0\\.0\\.1:${server.port}, admin .*${end}`));
  };
  await ready(1);
  for (const signal of ['SIGHUP', 'SIGUSR2']) {
    server.signal(signal);
    await manager.hears(/^RELOADING=1$/);
    await manager.hears(/^MONOTONIC_USEC=[0-9]+$/);
    await ready(signal === 'SIGHUP' ? 1 : 2);
  }
  await server.generation(2);
  server.signal('SIGTERM');
  await manager.hears(/^STOPPING=1$/);
  await server.ended();
});

test('the watchdog gets signs of life, before and after a restart in place', async (t) => {
  const { manager, server } = await underManager(t, 600);
  const lives = async (n) => {
    for (let i = 0; i < n; i++) await manager.lines.take((line) => line === 'WATCHDOG=1', 'sign of life');
  };
  await lives(3);
  server.signal('SIGUSR2');
  await server.generation(2);
  manager.lines.unread.length = 0;
  await lives(3);
});

// --- installed for real: root only, and only where nothing of it is there ---

async function mayInstall(t) {
  if (process.getuid() !== 0) t.skip('only root can install a package');
  const there = ['/etc/peal', '/usr/bin/peal', '/var/lib/peal'].filter((name) => fs.existsSync(name));
  if (there.length > 0) t.skip(`this machine has ${there}`);
}

test('the Debian package is installed, serves as its own user, keeps settings, and goes', async (t) => {
  await mayInstall(t);
  const deb = made(/\.deb$/);
  t.defer(() => run('dpkg', ['--purge', 'peal']));
  const { stdout } = await run('dpkg', ['--install', deb]);
  if (!stdout.includes('systemctl enable --now peal')) throw new Error(`no next step: ${stdout}`);
  const { mode, uid } = fs.statSync('/etc/peal/peal.yaml');
  if ((mode & 0o777) !== 0o640 || uid !== 0) throw new Error(`settings: ${mode.toString(8)}`);
  fs.writeFileSync('/etc/peal/peal.yaml', SETTINGS);
  const server = await t.server({
    binary: '/usr/bin/peal',
    wrapper: ['setpriv', '--reuid=peal', '--regid=peal', '--init-groups', '--reset-env'],
    apps: [],
    app: APP,
    args: ['--config', '/etc/peal/peal.yaml', '--env', '/dev/null'],
    secrets: [APP.secret],
  });
  await get(server, '/channels');
  await server.stop();
  await run('dpkg', ['--install', deb]); // an upgrade
  if (fs.readFileSync('/etc/peal/peal.yaml', 'utf8') !== SETTINGS) throw new Error('settings lost');
  await run('dpkg', ['--remove', 'peal']);
  if (!fs.existsSync('/etc/peal/peal.yaml')) throw new Error('remove took the settings');
  await run('dpkg', ['--purge', 'peal']);
  if (fs.existsSync('/etc/peal')) throw new Error('purge left /etc/peal');
});
