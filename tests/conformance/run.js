// SPDX-License-Identifier: MIT
//
// run.js WS_ECHO [PEAL] [--only PATTERN] [--jobs N] [--list] [--times]: the RFC 6455 cases against
// ws_echo, and those that make sense against the real server. Each case has a line "ok   name" or
// "FAIL name: why"; the last line is "N passed, N failed". --list prints the table of the cases.
'use strict';

const path = require('node:path');
const { Client } = require('./client');
const { Target } = require('./server');
const { cases } = require('./table');

for (const name of ['frames', 'utf8', 'close', 'sizes', 'handshake', 'peal'])
  require(`./cases_${name}`);

const USAGE = 'usage: node run.js WS_ECHO [PEAL] [--only PATTERN] [--jobs N] [--list] [--times]';
const CASE_MS = 60_000;

function readArguments(words) {
  const options = { binaries: [], only: null, jobs: 8, list: false, times: false };
  while (words.length > 0) {
    const word = words.shift();
    if (word === '--list') options.list = true;
    else if (word === '--times') options.times = true;
    else if (word === '--only') options.only = new RegExp(words.shift() ?? '', 'i');
    else if (word === '--jobs') options.jobs = Math.max(1, Number(words.shift()));
    else if (!word.startsWith('-')) options.binaries.push(path.resolve(word));
    else throw new Error(`${word}: what is this? ${USAGE}`);
  }
  if (!options.list && ![1, 2].includes(options.binaries.length)) throw new Error(USAGE);
  return options;
}

const echo = (binary, args = []) => Target.start([binary, '--port', '0', ...args]);

function peal(binary) {
  const words = ['serve', '--host', '127.0.0.1', '--port', '0', '--workers', '1'];
  words.push('--set', 'admin.listen=127.0.0.1:0', '--app', 'app-id:app-key:app-secret');
  words.push('--log-level', 'error');
  return Target.start([binary, ...words], { path: '/app/app-key', greets: true });
}

const within = (promise, ms) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

async function runCase(one, target) {
  if (!one.opens) return one.run(target);
  const client = await Client.open(target);
  try {
    await one.run(client);
  } finally {
    client.destroy();
  }
}

class Run {
  constructor(options) {
    Object.assign(this, { options, passed: 0, failed: 0 });
  }

  note(name, failure, began) {
    const times = this.options.times ? ` [${Date.now() - began} ms]` : '';
    if (failure) this.failed++;
    else this.passed++;
    console.log(failure ? `FAIL ${name}: ${failure}${times}` : `ok   ${name}${times}`);
  }

  async one(one, kind, target) {
    const began = Date.now();
    const name = `${kind} ${one.id} ${one.title}`;
    let its = null; // a server of its own
    let failure = null;
    try {
      if (one.server) its = await echo(this.options.binaries[0], one.server);
      await within(runCase(one, its ?? target), CASE_MS);
    } catch (error) {
      failure = error.message;
    }
    if (its) failure = (await its.stop()) ?? failure;
    this.note(name, failure, began);
  }

  // The cases of one server: many at a time, then those that want to be alone.
  async all(kind, list, start) {
    if (list.length === 0) return;
    const target = await start();
    const queue = list.filter((one) => !one.alone);
    const worker = async () => {
      while (queue.length > 0) await this.one(queue.shift(), kind, target);
    };
    await Promise.all(Array.from({ length: this.options.jobs }, worker));
    for (const one of list.filter((each) => each.alone)) await this.one(one, kind, target);
    // A client that is connected when the server stops gets its close frame, too.
    let failure = null;
    try {
      const client = await Client.open(target);
      client.socket.pause();
      const stopped = target.stop();
      client.socket.resume();
      if (kind === 'ws_echo') await client.failed(1001);
      failure = await stopped;
      client.destroy();
    } catch (error) {
      failure = `${error.message} ${(await target.stop()) ?? ''}`;
    }
    this.note(`${kind} stops with exit code 0 and no report`, failure, Date.now());
  }
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  const chosen = cases.filter(
    (one) => !options.only || options.only.test(`${one.id} ${one.title}`),
  );
  if (options.list) {
    for (const one of chosen) console.log(`${one.id}\t${one.rfc}\t${one.title}`);
    return 0;
  }
  const run = new Run(options);
  const [echoBinary, pealBinary] = options.binaries;
  const forEcho = chosen.filter((one) => one.forPeal !== 'only');
  await run.all('ws_echo', forEcho, () => echo(echoBinary));
  if (pealBinary) {
    const forPeal = chosen.filter((one) => one.forPeal);
    await run.all('peal', forPeal, () => peal(pealBinary));
  }
  console.log(`${run.passed} passed, ${run.failed} failed`);
  return run.failed === 0 && run.passed > 0 ? 0 : 1;
}

process.on('unhandledRejection', (error) => {
  console.log(`FAIL the runner itself: ${error.stack}`);
  process.exitCode = 1;
});

main().then(
  (code) => process.exit(process.exitCode || code),
  (error) => {
    console.error(error.message);
    process.exit(64);
  },
);
