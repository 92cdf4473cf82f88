// SPDX-License-Identifier: MIT
//
// The Live view: figures and charts that are true.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { Dashboard } = require('./lib/page');
const { Shop } = require('./lib/shop');

const TWO = { workers: [2], ms: 60_000 };

const tile = (dashboard, label) =>
  dashboard.page.locator('.tiles dl').filter({ hasText: label }).locator('.value');

const number = (text) => Number(text.replace(/[^0-9.]/g, ''));

test('figures, charts, workers and memory', TWO, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  await dashboard.live();
  await dashboard.sees(tile(dashboard, 'Connections'), '3');
  await dashboard.sees(tile(dashboard, 'Delivery, p99'), '–');

  for (let n = 0; n < 40; n++) await shop.shipped(n);
  await dashboard.sees(tile(dashboard, 'Delivery, p99'), /^[0-9.]+ (µs|ms)$/);
  const chart = dashboard.page.getByRole('img', { name: 'Publishes / s' });
  const said = async () => /API ([0-9.]+), clients/.exec(await chart.getAttribute('aria-label'));
  await poll(said, 'a chart that tells its last values');
  assert.strictEqual(await dashboard.page.locator('.charts canvas').count(), 8);

  const workers = dashboard.page.getByRole('table').first().getByRole('row');
  assert.strictEqual(await workers.count(), 3, 'a heading and two workers');
  const connections = (await workers.locator('td:nth-child(2)').allInnerTexts()).map(Number);
  assert.strictEqual(connections[0] + connections[1], 3, `of workers: ${connections}`);
  const memory = dashboard.page.getByRole('region', { name: 'Memory' });
  assert.ok(number(await memory.locator('dd').first().innerText()) > 0.5, 'KiB of connections');

  const mistake = tile(dashboard, 'Refused');
  const before = number(await mistake.innerText());
  await shop.mistakes(t);
  await dashboard.sees(mistake, String(before + 1));
});

test('the figures of the app that is chosen are its own', TWO, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  const pick = (app) => dashboard.page.getByLabel('App', { exact: true }).selectOption(app);
  const figure = (label) =>
    dashboard.page.locator('.figures div').filter({ hasText: label }).locator('dd');
  await dashboard.live();
  assert.strictEqual(await dashboard.page.locator('.figures').count(), 0);
  await pick('shop');
  await dashboard.sees(figure('Connections'), '3');
  const sending = async () => {
    await shop.shipped(1);
    return /[1-9]/.test(await figure('Publishes / s').innerText());
  };
  await poll(sending, 'publishes of the shop');
  await pick('blog');
  await dashboard.sees(figure('Connections'), '0');
  await dashboard.sees(figure('Publishes / s'), '0');
});

test('a worker that is alone, and no figure that is none', { ms: 60_000 }, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  await dashboard.sees(tile(dashboard, 'Connections'), '3');
  for (let n = 0; n < 10; n++) await shop.shipped(n);
  await dashboard.sees(tile(dashboard, 'Delivery, p99'), /\d/);
  const text = await dashboard.page.locator('main').innerText();
  assert.doesNotMatch(text, /NaN|undefined|null|Infinity/);
});

test('what is stored of an app is drawn, of the app that is chosen', { ms: 60_000 }, async (t) => {
  const shop = await Shop.open(t, { set: { 'statistics.interval_seconds': 1 } });
  const dashboard = await Dashboard.open(t, shop.server);
  const history = dashboard.page.locator('section').filter({ hasText: 'Stored statistics' });
  const peak = history.getByRole('img', { name: /^Most connections: peak 3$/ });
  const drawn = async () => {
    await history.getByRole('button', { name: 'Again' }).click();
    return (await peak.count()) === 1;
  };
  await poll(drawn, 'statistics with three connections');
  for (const range of ['day', 'week', 'month']) {
    await history.getByRole('combobox').selectOption({ label: range });
    await peak.waitFor();
  }
  await dashboard.page.getByLabel('App', { exact: true }).selectOption('blog');
  await history.getByRole('img', { name: /^Most connections: peak 0$/ }).or(history.getByText('Nothing is stored')).waitFor();
});

test('without a store the page says so', { ms: 60_000 }, async (t) => {
  const shop = await Shop.open(t, { set: { store: 'none' } });
  const dashboard = await Dashboard.open(t, shop.server);
  await dashboard.page.getByText('No statistics are kept').waitFor();
});
