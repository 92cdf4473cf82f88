// SPDX-License-Identifier: MIT
//
// Explain: a failure that has already happened is found, and its cause is named.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { Dashboard } = require('./lib/page');
const { SHIPPED, Shop } = require('./lib/shop');

const LONG = { ms: 60_000 };

test('failures of before the page was opened are explained', { ...LONG, workers: [1, 2] }, async (t) => {
  const shop = await Shop.open(t);
  await shop.mistakes(t);
  for (let n = 0; n < 60; n++) await shop.shipped(n);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'explain' });
  const { page } = dashboard;
  const lines = page.locator('.lines a.line');
  const explanation = page.getByRole('article', { name: 'Explanation' });
  await lines.first().waitFor();
  assert.strictEqual(await lines.count(), 50);
  await page.getByRole('button', { name: 'Older ones' }).click();
  await lines.nth(60).waitFor();

  await page.getByLabel('Only what failed').check();
  await dashboard.sees(lines.first(), /refused/);
  await lines.nth(3).waitFor({ state: 'detached' });
  assert.strictEqual(await lines.count(), 3);
  await lines.filter({ hasText: 'orders.7' }).filter({ hasText: 'nobody' }).click();
  await explanation.getByText('Nobody was subscribed to orders.7.').first().waitFor();
  await explanation.getByText(/private-orders\.7 has 1 subscription.*PrivateChannel/).waitFor();
  assert.match(await explanation.locator('.steps').innerText(), /✓\s*received.*✓\s*signature.*✗\s*matched/s);
  assert.match(page.url(), /#\/explain\/\d+-\d+$/, 'an address to hand on');

  await lines.filter({ hasText: 'App' }).filter({ hasText: /signature/i }).first().click();
  await dashboard.sees(explanation.locator('.steps'), /✗\s*signature/);
  assert.match(await explanation.locator('.hints').innerText(), /secret/i);
  await lines.filter({ hasText: 'private-orders.7' }).click();
  await explanation.getByText(/private-orders\.7/).first().waitFor();

  await explanation.getByRole('link', { name: 'private-orders.7' }).first().click();
  await dashboard.sees(page.getByRole('heading', { level: 2 }).first(), 'private-orders.7');
  await page.getByRole('link', { name: 'What was published to it' }).click();
  await page.getByLabel('Channel').waitFor();
  assert.strictEqual(await page.getByLabel('Channel').inputValue(), 'private-orders.7');
});

test('filters, and why one socket did not get it', LONG, async (t) => {
  const shop = await Shop.open(t);
  await shop.shipped(1, { socket_id: shop.sockets[0] });
  await shop.publish('presence-support', 'ping', {});
  const dashboard = await Dashboard.open(t, shop.server, { view: 'explain' });
  const { page } = dashboard;
  const lines = page.locator('.lines a.line');
  await lines.nth(1).waitFor();
  await page.getByLabel('Event', { exact: true }).fill(SHIPPED);
  await lines.filter({ hasText: 'ping' }).waitFor({ state: 'detached' });
  assert.match(await lines.first().innerText(), /2 of 3/);
  await page.getByLabel('Socket id').fill(shop.sockets[0]);
  await lines.first().click();
  const explanation = page.getByRole('article', { name: 'Explanation' });
  await explanation.getByText(shop.sockets[0]).first().waitFor();
  await page.getByLabel('Kind').selectOption('cut');
  await page.getByText('Nothing that fits is remembered').waitFor();
});

test('an address of something that is forgotten', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'explain/0-99999' });
  await dashboard.page.getByText('is not remembered any more').waitFor();
});

test('an address that is none still is a page', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'channel/%E0%A4%A?app=shop' });
  await dashboard.choose('Live');
  await dashboard.page.getByText('Connections').first().waitFor();
});
