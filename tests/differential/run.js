// SPDX-License-Identifier: MIT
//
// run.js VERDICT [--count N] [--seed N]: differential tests. Our JSON and HTTP parsers (through the
// program VERDICT) and those of Node and PHP judge the vectors and N variants of them each (20000);
// a difference must be one that judge_*.js explains. One line for each test; differences that are
// explained are counted below it. The last line is "N passed, N failed".
'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const json = require('./judge_json');
const { Judge, compare, readOurs } = require('./judge_http');
const { read, vary } = require('./vectors');

const JSON_OCTETS = [...'{}[]":,0123456789.-+eE\\/u tfn\n\r\t\0\x1f\x7f\x80\xbf\xc3\xe2\xed\xff'];
JSON_OCTETS.push(
  '\\u',
  '\\ud83d',
  '\\udc00',
  'true',
  'null',
  '\xf0\x9f\x98\x80',
  '1e5',
  '""',
  '[]',
);
const HTTP_OCTETS = [...'\r\n\t :;,/?=.%+-"\\(){}<>@[]0159aFxH\0\x01\x0b\x1f\x7f\x80\xff|~_*'];
HTTP_OCTETS.push('\r\n', '\r\n\r\n', '0\r\n\r\n', 'Host: b\r\n', 'Content-Length: 3\r\n');
HTTP_OCTETS.push('Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'GET / HTTP/1.1\r\n');

function readArguments(words) {
  const options = { binary: null, count: 20_000, seed: 1 };
  while (words.length > 0) {
    const word = words.shift();
    if (word === '--count') options.count = Number(words.shift());
    else if (word === '--seed') options.seed = Number(words.shift());
    else options.binary = path.resolve(word);
  }
  if (!options.binary) throw new Error('usage: node run.js VERDICT [--count N] [--seed N]');
  return options;
}

// A line for each text.
function ourVerdicts(binary, letter, list) {
  const records = list.map(({ data }) => {
    const head = Buffer.alloc(5);
    head.write(letter);
    head.writeUInt32LE(data.length, 1);
    return Buffer.concat([head, data]);
  });
  const run = spawnSync(binary, { input: Buffer.concat(records), maxBuffer: 1 << 30 });
  const lines = run.stdout.toString().trimEnd().split('\n');
  if (run.status !== 0 || lines.length !== list.length)
    throw new Error(`${binary}: exit code ${run.status}, ${lines.length} lines: ${run.stderr}`);
  return lines;
}

class Report {
  constructor() {
    this.passed = this.failed = 0;
  }

  begin(name) {
    this.now = { name, n: 0, wrong: [], explained: new Map() };
  }

  explained(why) {
    this.now.explained.set(why, (this.now.explained.get(why) ?? 0) + 1);
    return null;
  }

  wrong(one, what) {
    this.now.wrong.push(`${one.name} ${JSON.stringify(one.data.toString('latin1'))}: ${what}`);
  }

  end(n) {
    const { name, wrong, explained } = this.now;
    if (wrong.length > 0) {
      this.failed++;
      console.log(`FAIL ${name}: ${wrong.length} of ${n}: ${wrong[0].slice(0, 600)}`);
      for (const one of wrong.slice(1, 10)) console.log(`    ${one.slice(0, 600)}`);
    } else {
      this.passed++;
      console.log(`ok   ${name} (${n})`);
    }
    for (const [why, times] of [...explained].sort()) console.log(`    ${times} times: ${why}`);
  }
}

function testJson(report, options, list, title) {
  const ours = ourVerdicts(options.binary, 'J', list);
  const judges = { node: list.map((one) => json.node(one.data)), php: json.php(list) };
  for (const [judge, verdicts] of Object.entries(judges)) {
    if (!verdicts) {
      console.log(`skip json: ${title} against ${judge}: it is not installed`);
      continue;
    }
    report.begin(`json: ${title} against ${judge}`);
    list.forEach((one, i) => {
      if (verdicts[i] === (ours[i] === 'yes')) return;
      const why = json.explain(judge, ours[i], one.data);
      if (why) report.explained(why);
      else report.wrong(one, `we say ${ours[i]}, ${judge} ${verdicts[i] ? 'takes' : 'refuses'} it`);
    });
    report.end(list.length);
  }
}

async function testHttp(report, options, list, title) {
  const ours = ourVerdicts(options.binary, 'H', list);
  const judge = new Judge();
  report.begin(`http: ${title} against node`);
  for (let i = 0; i < list.length; i++) {
    const theirs = await judge.judge(list[i].data);
    const { data } = list[i];
    const wrong = compare(readOurs(ours[i]), theirs, data, (why) => report.explained(why));
    if (wrong) report.wrong(list[i], wrong);
  }
  report.end(list.length);
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  const report = new Report();
  const { count, seed } = options;
  const texts = read('json.txt');
  testJson(report, options, texts, 'vectors');
  testJson(report, options, vary(texts, count, seed, JSON_OCTETS), 'variants');
  const requests = read('http.txt', '|');
  await testHttp(report, options, requests, 'vectors');
  await testHttp(report, options, vary(requests, count, seed, HTTP_OCTETS), 'variants');
  console.log(`${report.passed} passed, ${report.failed} failed`);
  return report.failed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error.stack);
    process.exit(70);
  },
);
