// SPDX-License-Identifier: MIT
//
// ./dev example laravel, as a newcomer runs it.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { makeFolder } = require('../e2e/lib/server');
const { test } = require('../e2e/lib/suite');
const { Inbox, within } = require('../e2e/lib/wait');
const { person } = require('./lib/browser');
const { join, says } = require('./lib/chat');

const ROOT = path.resolve(__dirname, '../..');

// The parent of each process, by its id.
function parents() {
  const found = new Map();
  for (const name of fs.readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      found.set(Number(name), Number(/\) \S+ (\d+)/.exec(stat)[1]));
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}

function descendants(pid) {
  const parentOf = parents();
  const isBelow = (one) => parentOf.has(one) && (parentOf.get(one) === pid || isBelow(parentOf.get(one)));
  return [...parentOf.keys()].filter(isBelow);
}

const commandOf = (pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
};

function startExample(t, ...options) {
  const folder = makeFolder();
  const child = spawn('./dev', ['example', 'laravel', '--peal', t.binary, '--port', '0', ...options], {
    cwd: ROOT,
    env: { ...process.env, DB_DATABASE: path.join(folder, 'database.sqlite') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const example = { child, pid: child.pid, stderr: '', stdout: new Inbox((list) => list.join('\n')) };
  child.stderr.on('data', (bytes) => (example.stderr += bytes));
  let rest = '';
  child.stdout.on('data', (bytes) => {
    const lines = (rest + bytes).split('\n');
    rest = lines.pop();
    for (const line of lines) example.stdout.push(line);
  });
  example.ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  example.ended.then((code) => example.stdout.end(`exit code ${code}; ${example.stderr.slice(-2000)}`));
  t.defer(async () => {
    child.kill('SIGTERM');
    await within(example.ended, 'end of the example', 20_000).catch(() => child.kill('SIGKILL'));
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return example;
}

test('it starts, two people talk, and Ctrl-C leaves nothing behind', { ms: 120_000 }, async (t) => {
  const example = startExample(t);
  const line = await example.stdout.take(() => true, 'ready line', 90_000);
  const [, url] = /^example ready url=(http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? assert.fail(line);
  const app = { url, persons: [] };
  const [mei, ben] = [await person(t, app, 'Mei Chen'), await person(t, app, 'Ben Okafor')];
  const [writer, reader] = [await join(mei), await join(ben)];
  await says(writer, '您好!');
  await reader.sees('#messages .bubble', '您好!');

  const pids = descendants(example.pid);
  const commands = pids.map(commandOf);
  for (const wanted of [/artisan websockets:serve/, /peal serve/, /queue:work/, /^php -S/]) {
    assert.ok(commands.some((one) => wanted.test(one)), `${wanted} in ${commands.join(' | ')}`);
  }
  example.child.kill('SIGINT');
  assert.strictEqual(await within(example.ended, 'end after Ctrl-C', 20_000), 0);
  assert.deepStrictEqual(pids.map(commandOf).filter((one) => one && one !== 'sleep 1'), []);
  assert.deepStrictEqual(example.stdout.all, [line]);
});

test('where a part of it ends, all of it ends', { ms: 120_000 }, async (t) => {
  const example = startExample(t);
  await example.stdout.take(() => true, 'ready line', 90_000);
  const pids = descendants(example.pid);
  const web = pids.find((pid) => commandOf(pid).startsWith('php -S'));
  process.kill(web, 'SIGKILL');
  assert.strictEqual(await within(example.ended, 'end', 20_000), 1);
  assert.match(example.stderr, /a part of the example has ended: the web server$/m);
  assert.deepStrictEqual(pids.map(commandOf).filter((one) => one && one !== 'sleep 1'), []);
});

test('where Peal cannot listen it says so and ends', { ms: 60_000 }, async (t) => {
  const example = startExample(t, '--host', '192.0.2.1');
  assert.strictEqual(await within(example.ended, 'end', 40_000), 1);
  assert.match(example.stderr, /Cannot listen on 192\.0\.2\.1/);
  assert.match(example.stderr, /^dev: the example did not start\./m);
});
