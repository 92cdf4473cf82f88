// SPDX-License-Identifier: MIT
//
// GET /metrics, read as strictly as a scraper may, and by Prometheus's own checker where it is there.
'use strict';

const assert = require('node:assert');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const api = require('./lib/api');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');

const PAGE = path.resolve(__dirname, '../../docs/metrics.md');
const SAMPLE = /^([a-z_]+)(?:\{([a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*)\})? (-?[0-9.e+-]+)$/;

function scrape(server, accept) {
  const headers = { Host: '127.0.0.1', ...(accept ? { Accept: accept } : {}) };
  const options = { host: server.adminHost, port: server.adminPort, path: '/metrics', headers };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...options, agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => (text += bytes));
      response.on('end', () => resolve({ type: response.headers['content-type'], text }));
    });
    request.on('error', reject);
  });
}

// Families by name: { kind, samples: [{ name, labels, value }] }; throws at what a scraper refuses.
function readText(text) {
  const families = new Map();
  let family = null;
  for (const line of text.trimEnd().split('\n')) {
    const said = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (line === '# EOF') continue;
    if (said?.[1] === 'HELP') {
      assert.ok(!families.has(said[2]), `${said[2]} comes twice`);
      family = { name: said[2], samples: [] };
      families.set(said[2], family);
    } else if (said) {
      assert.strictEqual(said[2], family.name);
      family.kind = said[3];
    } else {
      const sample = SAMPLE.exec(line);
      assert.ok(sample, `not a sample: ${line}`);
      const labels = Object.fromEntries(
        (sample[2] ?? '').split(/,(?=[a-z])/).filter(Boolean).map((one) => one.replaceAll('"', '').split('=')),
      );
      family.samples.push({ name: sample[1], labels, value: Number(sample[3]) });
    }
  }
  return families;
}

function checkHistogram({ name, samples }) {
  for (const worker of new Set(samples.map((sample) => sample.labels.worker))) {
    const of = (suffix) =>
      samples.filter((one) => one.name === name + suffix && one.labels.worker === worker);
    const buckets = of('_bucket').map((one) => one.value);
    assert.deepStrictEqual(buckets, [...buckets].sort((a, b) => a - b), `${name}: not cumulative`);
    assert.strictEqual(of('_bucket').at(-1).labels.le, '+Inf');
    assert.strictEqual(of('_count')[0].value, buckets.at(-1));
    assert.strictEqual(of('_sum').length, 1);
  }
}

async function useIt(t) {
  const server = await t.server({ workers: 2 });
  const client = await t.raw(server);
  await client.subscribe('news');
  await api.publish(server, 'news', 'hello');
  await client.event('hello');
  await api.call(server, 'POST', '/events', { body: '{', signature: 'wrong' });
  return server;
}

test('each sample belongs to a family of its kind, in both forms', { quick: true }, async (t) => {
  const server = await useIt(t);
  const plain = await scrape(server);
  assert.strictEqual(plain.type, 'text/plain; version=0.0.4; charset=utf-8');
  const families = readText(plain.text);
  for (const [name, family] of families) {
    assert.match(family.kind, /^(gauge|counter|histogram)$/);
    if (family.kind === 'counter') assert.match(name, /_total$/);
    if (family.kind === 'histogram') checkHistogram(family);
    else for (const sample of family.samples) assert.strictEqual(sample.name, name);
  }
  const open = await scrape(server, 'application/openmetrics-text; version=1.0.0');
  assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(open.text, /# EOF\n$/);
  assert.strictEqual(readText(open.text).size, families.size);
});

test('the page lists the metrics that are there, and no others', async (t) => {
  const server = await t.server();
  const families = [...readText((await scrape(server)).text).keys()];
  const ours = families.filter((name) => name.startsWith('peal_') && name !== 'peal_build_info');
  const listed = [...fs.readFileSync(PAGE, 'utf8').matchAll(/^\| `(peal_\w+)`/gm)].map((m) => m[1]);
  assert.deepStrictEqual(listed, ours);
});

test('an answer is counted by its status', async (t) => {
  const server = await useIt(t);
  const { samples } = readText((await scrape(server)).text).get('peal_http_responses_total');
  const of = (status) =>
    samples.filter((one) => one.labels.status === status).reduce((sum, one) => sum + one.value, 0);
  assert.strictEqual(of('200'), 1);
  assert.strictEqual(of('401'), 1);
});

test('delivery times: one for each event and worker that had somebody for it', async (t) => {
  const server = await t.server({ workers: 2 });
  for (const client of await t.rawOnEach(server)) await client.subscribe('news');
  const began = Date.now();
  for (let n = 0; n < 5; n++) await api.publish(server, ['news', 'nobody'], 'hello');
  const deliveries = async (suffix) => {
    const { samples } = readText((await scrape(server)).text).get('peal_delivery_seconds');
    return samples.filter((one) => one.name === `peal_delivery_seconds_${suffix}`);
  };
  const counts = async () => (await deliveries('count')).map((one) => one.value);
  await poll(async () => JSON.stringify(await counts()) === '[5,5]', 'ten deliveries');
  const seconds = (await deliveries('sum')).reduce((sum, one) => sum + one.value, 0);
  assert.ok(seconds > 0 && seconds <= (10 * (Date.now() - began)) / 1000, `${seconds} s`);
});

test('promtool finds nothing to say', async (t) => {
  if (spawnSync('promtool', ['--version']).error) t.skip('no promtool (package prometheus)');
  const { text } = await scrape(await useIt(t));
  await new Promise((resolve, reject) => {
    const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => {
      if (error || stdout + stderr) reject(new Error(`promtool: ${stdout}${stderr}`));
      else resolve();
    });
    child.stdin.end(text);
  });
});
