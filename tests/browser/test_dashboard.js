// SPDX-License-Identifier: MIT
//
// The live dashboard: a public channel, sent within the request or by the queue worker.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');

const LONG = { ms: 90_000 };

const open = async (person) => {
  const tab = await person.tab('/dashboard', 'dashboard-updates');
  await tab.page.waitForSelector('#dashboard[data-shown=yes]');
  return tab;
};

const euros = (text) => Math.round(Number(text.replace(/[^0-9.]/g, '')) * 100);
const format = (cents) => `€${(cents / 100).toFixed(2)}`;

// The figures that a page shows, and the price of the first order in its list.
async function figures(tab) {
  const [revenue, completed, open] = await tab.texts('#dashboard dd');
  const [price] = await tab.texts('#orders .price');
  return { revenue: euros(revenue), completed: Number(completed), open: Number(open), price: euros(price) };
}

async function sees(tab, { revenue, completed, open }) {
  await tab.sees('#dashboard dd', format(revenue), String(completed), String(open));
}

const afterOne = ({ revenue, completed, open, price }) => ({
  revenue: revenue + price,
  completed: completed + 1,
  open: open - 1,
});

// Completes the first order; everybody sees the new figures, and nobody loads the page again.
async function completes(tab, everybody) {
  for (const one of everybody) await one.page.evaluate(() => (window.loadedOnce = true));
  const before = await figures(tab);
  await tab.click('#orders button >> nth=0');
  for (const one of everybody) {
    await sees(one, afterOne(before));
    assert.ok(await one.page.evaluate(() => window.loadedOnce));
  }
}

test('orders are completed, and all see it at once, without a queue worker', LONG, async (t) => {
  const app = await App.start(t, await t.server(), { worker: false });
  const mei = await open(await app.person('Mei Chen'));
  const ben = await open(await app.person('Ben Okafor'));
  const guest = await open(await app.person());
  const everybody = [mei, ben, guest];
  await completes(mei, everybody);
  const { channel, data } = await guest.event('App\\Events\\DashboardUpdate');
  assert.strictEqual(channel, 'dashboard-updates');
  assert.deepStrictEqual(Object.keys(data), ['revenue', 'completed', 'open', 'next', 'products']);
  const shares = data.products.reduce((sum, { cents }) => sum + Number(cents), 0);
  assert.strictEqual(shares, data.revenue);
  await completes(ben, everybody);

  const { revenue, completed, open: left } = await figures(mei);
  await ben.click('#new-order');
  for (const one of everybody) await sees(one, { revenue, completed, open: left + 1 });
  assert.deepStrictEqual(await guest.texts('#orders button, #new-order'), []);
});

test('the queued variant shows the same', LONG, async (t) => {
  const app = await App.start(t, await t.server());
  const mei = await open(await app.person('Mei Chen'));
  const guest = await open(await app.person());
  await mei.click('text=queued');
  await completes(mei, [mei, guest]);
  await completes(mei, [mei, guest]);
  assert.match(app.worker.output, /Processed: +App\\Events\\DashboardUpdate\n/);
  await mei.click('text=at once');
  await completes(mei, [mei, guest]);
  assert.strictEqual(guest.events('App\\Events\\DashboardUpdate').length, 3);
});

test('the last order is completed', LONG, async (t) => {
  const app = await App.start(t, await t.server(), { worker: false });
  const mei = await open(await app.person('Mei Chen'));
  const guest = await open(await app.person());
  const { open: left } = await figures(mei);
  for (let n = 0; n < left; n++) await completes(mei, [mei, guest]);
  for (const tab of [mei, guest]) await tab.sees('#no-orders', 'All done.');
});

test('an order that cannot be completed says so, and can be tried again', LONG, async (t) => {
  const app = await App.start(t, await t.server(), { worker: false });
  const mei = await open(await app.person('Mei Chen'));
  await mei.page.route('**/orders/**', (route) => route.abort());
  await mei.click('#orders button >> nth=0');
  await mei.sees('#failed', 'That did not work (no answer). Try it again.');
  assert.ok(await mei.page.isEnabled('#orders button >> nth=0'));
  await mei.page.unroute('**/orders/**');
  await completes(mei, [mei]);
});
