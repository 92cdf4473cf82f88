// SPDX-License-Identifier: MIT
//
// Channels, people and connections, and ending one of these.
'use strict';

const assert = require('node:assert');
const { fires, inState, subscribed } = require('../e2e/lib/clients');
const { test } = require('../e2e/lib/suite');
const { Dashboard } = require('./lib/page');
const { PEOPLE, Shop } = require('./lib/shop');

const LONG = { ms: 60_000 };

// The cells of a row with this text.
const cells = (dashboard, text) =>
  dashboard.page.getByRole('row').filter({ hasText: text }).locator('td').allInnerTexts();

test('from the channels to a channel to a connection', { ...LONG, workers: [2] }, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  const { page } = dashboard;
  await dashboard.choose('Channels');
  await page.getByRole('link', { name: 'presence-support' }).waitFor();
  assert.deepStrictEqual(await cells(dashboard, 'presence-support'), ['presence-support', 'presence', '3', '3']);
  assert.deepStrictEqual(await cells(dashboard, 'private-orders.7'), ['private-orders.7', 'private', '1', '']);

  await page.getByLabel('Begins with').fill('presence-');
  await page.getByRole('link', { name: 'private-orders.7' }).waitFor({ state: 'detached' });
  await subscribed(shop.people[0], 'presence-lobby');
  await page.getByRole('link', { name: 'presence-lobby' }).waitFor();

  await page.getByRole('link', { name: 'presence-support' }).click();
  for (const { user_id: id, user_info: info } of PEOPLE)
    await dashboard.sees(page.getByRole('row').filter({ hasText: info.name }), new RegExp(`^${id}\\s`));
  const [id] = shop.sockets;
  await page.getByRole('link', { name: id }).click();
  await dashboard.sees(page.getByRole('heading', { level: 2 }).first(), `Connection ${id}`);
  const facts = await page.locator('dl.facts').innerText();
  for (const wanted of [/App\s+shop/, /Client library\s+js 8\.\d/, /Address\s+127\.0\.0\.1:\d+/, /Worker\s+[01]/])
    assert.match(facts, wanted);
  assert.deepStrictEqual(
    (await page.locator('li').allInnerTexts()).map((text) => text.trim()).sort(),
    ['orders', 'presence-lobby as 7', 'presence-support as 7'],
  );
});

test('who comes and goes is seen without loading again', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'channel/presence-support?app=shop' });
  const people = dashboard.page.locator('section').filter({ hasText: 'People' }).locator('tbody tr');
  await dashboard.sees(people, /Ada Lind/);
  shop.people[2].disconnect();
  await people.filter({ hasText: 'Ada Lind' }).waitFor({ state: 'detached' });
  assert.strictEqual(await people.count(), 2);
});

test('a channel that nobody is on', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'channel/nobody%2F7?app=shop' });
  await dashboard.page.getByText('Nobody is subscribed.').waitFor();
});

test('a connection is ended, by the keyboard, and the others stay', LONG, async (t) => {
  const shop = await Shop.open(t);
  const [mei, ben] = shop.people;
  const dashboard = await Dashboard.open(t, shop.server, { view: `connection/${shop.sockets[0]}` });
  const { page } = dashboard;
  const button = page.getByRole('button', { name: 'Disconnect …' });
  await button.focus();
  await page.keyboard.press('Enter');
  const yes = page.getByRole('button', { name: 'Yes, disconnect it' });
  await yes.waitFor();
  assert.ok(await yes.evaluate((one) => one === document.activeElement), 'the question has the focus');
  await page.getByRole('button', { name: 'No', exact: true }).click();
  await button.click();
  const gone = inState(mei, 'disconnected');
  await page.keyboard.press('Enter');
  await gone;
  await page.getByText('It was told to disconnect.').waitFor();
  await page.getByText(/There is no such connection|has ended/).first().waitFor();
  assert.strictEqual(ben.connection.state, 'connected');
});

test('a connection that may come back does so', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: `connection/${shop.sockets[1]}` });
  const { page } = dashboard;
  await page.getByRole('combobox', { name: /^Disconnect/ }).selectOption('4200');
  await page.getByRole('button', { name: 'Disconnect …' }).click();
  const back = fires(shop.people[1].connection, 'connected');
  await page.getByRole('button', { name: 'Yes, disconnect it' }).click();
  await back;
});
