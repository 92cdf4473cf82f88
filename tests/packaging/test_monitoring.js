// SPDX-License-Identifier: MIT
//
// packaging/prometheus and packaging/grafana: they ask for no series that the server does not have.
'use strict';

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const { test } = require('../e2e/lib/suite');
const { has } = require('./lib/manager');

const FOLDER = path.resolve(__dirname, '../../packaging');
const ALERTS = path.join(FOLDER, 'prometheus/alerts.yml');
const SERIES = /\b(?:peal|process)_[a-z_]+/g;
const LABELS = /(\bpeal_[a-z_]+)\{([^}]*)\}|by \(([^)]*)\)/g;

// Families and labels of what /metrics says; what never happened has no samples, but a family.
async function metricsOf(server) {
  const text = await new Promise((resolve, reject) => {
    const target = { host: server.adminHost, port: server.adminPort, path: '/metrics', agent: false };
    http
      .get(target, (response) => {
        let all = '';
        response.on('data', (bytes) => (all += bytes));
        response.on('end', () => resolve(all));
      })
      .on('error', reject);
  });
  const families = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map((m) => [m[1], m[2]]));
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map((m) => m[1]));
  return { families, labels };
}

function exists(families, series) {
  if (families.has(series)) return true;
  const family = series.replace(/_(bucket|sum|count)$/, '');
  return family !== series && families.get(family) === 'histogram';
}

function expressionsOfBoard() {
  const board = JSON.parse(fs.readFileSync(path.join(FOLDER, 'grafana/peal.json'), 'utf8'));
  return board.panels.flatMap((panel) => panel.targets.map((target) => target.expr));
}

const expressionsOfAlerts = () =>
  [...fs.readFileSync(ALERTS, 'utf8').matchAll(/^ *expr: (.*)$/gm)].map((m) => m[1]);

for (const [what, expressions] of [
  ['the Grafana board', expressionsOfBoard],
  ['the alert rules', expressionsOfAlerts],
]) {
  test(`${what}: each series and label exists`, async (t) => {
    const server = await t.server();
    t.rawUnsure(server, { key: 'nobody' }); // so that there is a sample with a code
    const { families, labels } = await metricsOf(server);
    const known = new Set([...labels, 'instance', 'job', 'le', 'status', 'code']);
    const asked = expressions();
    assert.ok(asked.length > 5);
    for (const expression of asked) {
      for (const [series] of expression.matchAll(SERIES))
        assert.ok(exists(families, series), `${series} in: ${expression}`);
      for (const [, , selectors, by] of expression.matchAll(LABELS)) {
        const names = by ? by.split(',') : selectors.split(',').map((one) => one.split(/[=!~]/)[0]);
        for (const name of names) assert.ok(known.has(name.trim()), `${name} in: ${expression}`);
      }
    }
  });
}

test('promtool takes the alert rules', async (t) => {
  if (!(await has('promtool'))) t.skip('no promtool (package prometheus)');
  const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', ALERTS]);
  assert.match(stdout, /SUCCESS: \d+ rules found/);
});
