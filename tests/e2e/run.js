// SPDX-License-Identifier: MIT
//
// run.js BINARY [--dir FOLDER] [--quick|--full] [--only PATTERN] [--jobs N] [--list] [--times]: the
// tests of this folder (or of another that uses our lib); --full: also the few that take much of the
// machine. Each starts its own server, so several run at a time. One line for each, "ok   name", "skip name: why"
// or "FAIL name: why"; the last line is "N passed, N failed". Exit code 0: none failed.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Context, tests } = require('./lib/suite');

const USAGE =
  'usage: node run.js BINARY [--dir FOLDER] [--quick|--full] [--only PATTERN] [--jobs N] [--list] ' +
  '[--times]';
const TEST_MS = 30_000;

function readArguments(words) {
  const options = {
    dir: __dirname,
    quick: false,
    full: false,
    only: null,
    jobs: 4,
    list: false,
    times: false,
    binary: null,
  };
  while (words.length > 0) {
    const word = words.shift();
    if (word === '--quick') options.quick = true;
    else if (word === '--full') options.full = true;
    else if (word === '--list') options.list = true;
    else if (word === '--times') options.times = true;
    else if (word === '--dir') options.dir = path.resolve(words.shift() ?? '');
    else if (word === '--only') options.only = new RegExp(words.shift() ?? '', 'i');
    else if (word === '--jobs') options.jobs = Math.max(1, Number(words.shift()));
    else if (!word.startsWith('-') && !options.binary) options.binary = path.resolve(word);
    else throw new Error(`${word}: what is this? ${USAGE}`);
  }
  if (!options.binary) throw new Error(USAGE);
  return options;
}

function choose({ quick, full, only }) {
  return tests
    .filter((one) => full || !one.full)
    .filter((one) => !quick || (one.quick && one.last))
    .filter((one) => !only || only.test(`${one.file} ${one.name}`))
    .sort((a, b) => (b.ms ?? TEST_MS) - (a.ms ?? TEST_MS)); // the long ones first
}

function load(dir) {
  const files = fs.readdirSync(dir).filter((name) => /^test_.*\.js$/.test(name));
  for (const file of files.sort()) {
    const before = tests.length;
    require(path.join(dir, file));
    const area = file.slice('test_'.length, -'.js'.length);
    for (const one of tests.slice(before))
      Object.assign(one, { file, name: `${area}: ${one.name}` });
  }
}

async function runOne(one, options) {
  const began = Date.now();
  const context = new Context(options, one.workers);
  try {
    await context.run(one.run, one.ms ?? TEST_MS);
    console.log(`ok   ${one.name}${options.times ? ` [${Date.now() - began} ms]` : ''}`);
    return true;
  } catch (error) {
    if (error.skipped) {
      console.log(`skip ${one.name}: ${error.message}`);
      return null;
    }
    console.log(`FAIL ${one.name}: ${String(error.message).split('\n')[0].slice(0, 400)}`);
    const log = context.servers.map(
      (server) => `stderr of the server:\n${server.stderr.slice(-2000)}`,
    );
    const more = [error.stack, ...log].join('\n').trimEnd();
    console.log(more.replace(/^/gm, '    '));
    return false;
  }
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  load(options.dir);
  const queue = choose(options);
  if (options.list) {
    for (const one of queue) console.log(one.name);
    return 0;
  }
  fs.accessSync(options.binary, fs.constants.X_OK);
  const results = [];
  const worker = async () => {
    while (queue.length > 0) results.push(await runOne(queue.shift(), options));
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  const count = (result) => results.filter((one) => one === result).length;
  const skipped = count(null) > 0 ? `, ${count(null)} skipped` : '';
  console.log(`${count(true)} passed, ${count(false)} failed${skipped}`);
  return count(false) === 0 && count(true) > 0 ? 0 : 1;
}

// A mistake in a test's own callbacks must not end the run silently.
process.on('unhandledRejection', (error) => {
  console.log(`FAIL the tests themselves: ${error.stack}`);
  process.exitCode = 1;
});

main().then(
  (code) => process.exit(process.exitCode || code),
  (error) => {
    console.error(error.message);
    process.exit(64);
  },
);
