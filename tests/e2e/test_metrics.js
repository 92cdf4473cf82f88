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
const { APP } = require('./lib/server');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');

const PAGE = path.resolve(__dirname, '../../docs/metrics.md');
// What boards for soketi 1.6 ask for: its own metrics and those that prom-client adds, with its labels.
const SOKETI_APP = [
  'connected', 'new_connections_total', 'new_disconnections_total',
  'socket_received_bytes', 'socket_transmitted_bytes',
  'ws_messages_received_total', 'ws_messages_sent_total',
  'http_received_bytes', 'http_transmitted_bytes', 'http_calls_received_total',
  'horizontal_adapter_resolved_promises', 'horizontal_adapter_uncomplete_promises',
  'horizontal_adapter_sent_requests', 'horizontal_adapter_received_requests',
  'horizontal_adapter_received_responses',
];
const SOKETI_NODE = [
  'process_cpu_user_seconds_total', 'process_cpu_system_seconds_total', 'process_cpu_seconds_total',
  'process_start_time_seconds', 'process_resident_memory_bytes', 'process_virtual_memory_bytes',
  'process_heap_bytes', 'process_open_fds', 'process_max_fds', 'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p50_seconds', 'nodejs_eventloop_lag_p90_seconds',
  'nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes',
  'nodejs_heap_size_total_bytes', 'nodejs_active_handles_total',
];
const SAMPLE = /^([a-z0-9_]+)(?:\{([a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*)\})? (-?[0-9.e+-]+)$/;

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
    const said = /^# (HELP|TYPE) ([a-z0-9_]+) (.+)$/.exec(line);
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

async function useIt(t, options = {}) {
  const server = await t.server({ workers: 2, ...options });
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

const named = (names) => ({ set: { 'metrics.names': names } });

test('with metrics.names=soketi there are its names and labels, and nothing else', async (t) => {
  const server = await useIt(t, named('soketi'));
  const answer = await scrape(server, 'application/openmetrics-text; version=1.0.0');
  assert.strictEqual(answer.type, 'text/plain; version=0.0.4; charset=utf-8');
  const families = readText(answer.text);
  for (const name of families.keys()) assert.match(name, /^soketi_/);
  const port = String(server.port);
  const samples = (name) => {
    assert.ok(families.has(`soketi_${name}`), name);
    return families.get(`soketi_${name}`).samples;
  };
  for (const name of SOKETI_APP) {
    const [sample, ...more] = samples(name);
    assert.deepStrictEqual(more, []);
    assert.deepStrictEqual(sample.labels, { app_id: server.app.id, port });
  }
  for (const name of SOKETI_NODE) {
    assert.deepStrictEqual(samples(name)[0].labels, { port });
    assert.ok(samples(name)[0].value >= 0);
  }
  const value = (name) => samples(name)[0].value;
  assert.strictEqual(value('connected'), 1);
  assert.strictEqual(value('new_connections_total'), 1);
  assert.strictEqual(value('new_disconnections_total'), 0);
  assert.strictEqual(value('ws_messages_received_total'), 1); // subscribe
  assert.strictEqual(value('ws_messages_sent_total'), 3); // established, subscribed, hello
  assert.ok(value('socket_received_bytes') > 50 && value('socket_received_bytes') < 150);
  assert.ok(value('socket_transmitted_bytes') > 150);
  assert.strictEqual(value('http_calls_received_total'), 2);
  assert.ok(value('http_received_bytes') > 30 && value('http_transmitted_bytes') > 100);
});

test('both: the names stand beside each other, and are those of the page', async (t) => {
  const server = await t.server(named('both'));
  const families = [...readText((await scrape(server)).text).keys()];
  const listed = [...fs.readFileSync(PAGE, 'utf8').matchAll(/^\| `((?:peal|soketi)_\w+)`/gm)];
  const known = families.filter((name) => /^(peal|soketi)_/.test(name) && name !== 'peal_build_info');
  assert.deepStrictEqual(listed.map((match) => match[1]), known);
});

test('what is counted by app is that of the app', async (t) => {
  const other = { id: 'other', key: 'other-key', secret: 'other-secret-51' };
  const server = await useIt(t, { apps: [APP, other], app: APP });
  const client = await t.raw(server, { key: other.key, app: other });
  await client.subscribe('news');
  client.close();
  const figures = async (app) => {
    const families = readText((await scrape(server)).text);
    const of = (name) =>
      families.get(`peal_app_${name}`).samples.find((one) => one.labels.app_id === app.id).value;
    return ['connections', 'websockets_opened_total', 'websockets_closed_total',
      'messages_received_total', 'messages_sent_total', 'events_published_total',
      'http_requests_total'].map(of).join(' ');
  };
  await poll(async () => (await figures(other)) === '0 1 1 1 0 0 0', 'figures of the other app');
  assert.strictEqual(await figures(APP), '1 1 0 1 1 1 2');
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

// What it says to a text; an error only where that cannot be read.
const promtool = (text) =>
  new Promise((resolve, reject) => {
    const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => {
      if (error && error.code !== 3) reject(new Error(`promtool: ${stdout}${stderr}`));
      else resolve(stdout + stderr);
    });
    child.stdin.end(text);
  });

test('promtool finds nothing to say', async (t) => {
  if (spawnSync('promtool', ['--version']).error) t.skip('no promtool (package prometheus)');
  const { text } = await scrape(await useIt(t));
  assert.strictEqual(await promtool(text), '');
});

test('promtool takes soketi\'s names, but for what they are', async (t) => {
  if (spawnSync('promtool', ['--version']).error) t.skip('no promtool (package prometheus)');
  const { text } = await scrape(await useIt(t, named('both')));
  const said = (await promtool(text)).trim().split('\n');
  for (const line of said)
    assert.match(line, /^soketi_\w+ (non-)?counter metrics should (not )?have "_total" suffix$/);
  assert.strictEqual(said.length, 10); // of bytes, of the adapter, nodejs_active_handles_total
});
