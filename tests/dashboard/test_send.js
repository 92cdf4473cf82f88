// SPDX-License-Identifier: MIT
//
// The event creator: what is sent, and who got it.
'use strict';

const assert = require('node:assert');
const { fires } = require('../e2e/lib/clients');
const { test } = require('../e2e/lib/suite');
const { Dashboard } = require('./lib/page');
const { SHIPPED, Shop } = require('./lib/shop');

const LONG = { ms: 60_000 };

async function open(t, shop, channel = 'orders') {
  const dashboard = await Dashboard.open(t, shop.server, { view: 'send' });
  const { page } = dashboard;
  const form = {
    dashboard,
    app: page.getByRole('combobox', { name: 'App' }).last(),
    channel: page.getByLabel('Channel'),
    event: page.getByLabel('Event', { exact: true }),
    data: page.getByLabel('Data'),
    without: page.getByLabel('Not to socket id'),
    send: page.getByRole('button', { name: 'Send' }),
    answer: page.getByRole('article', { name: 'Explanation' }),
  };
  await form.channel.fill(channel);
  await form.event.fill(SHIPPED);
  return form;
}

test('an event is sent, and who got it is told at once', { ...LONG, workers: [2] }, async (t) => {
  const shop = await Shop.open(t);
  const form = await open(t, shop);
  await form.data.fill('{"order":{"id":7,"text":"您好"}}');
  const got = shop.people.map((person) => fires(person.channel('orders'), SHIPPED));
  await form.send.click();
  await form.answer.getByText('Delivered to 3 of 3 subscriptions.').first().waitFor();
  for (const data of await Promise.all(got))
    assert.deepStrictEqual(data, { order: { id: 7, text: '您好' } });
});

test('a socket is left out', LONG, async (t) => {
  const shop = await Shop.open(t);
  const form = await open(t, shop);
  await form.without.fill(shop.sockets[0]);
  const got = shop.people.slice(1).map((person) => fires(person.channel('orders'), SHIPPED));
  shop.people[0].channel('orders').bind(SHIPPED, () => assert.fail('it was left out'));
  await form.event.press('Enter'); // as forms are sent by the keyboard
  await form.answer.getByText(/Delivered to 2 of 3 subscriptions; 1 was excluded/).first().waitFor();
  await Promise.all(got);
});

test('data that is no JSON, and what the server refuses', LONG, async (t) => {
  const shop = await Shop.open(t);
  const form = await open(t, shop);
  await form.data.fill('{"order":');
  await form.dashboard.page.getByText(/^Not JSON: /).waitFor();
  assert.ok(await form.send.isDisabled());
  await form.data.fill('"a text, as it is"');
  await form.dashboard.page.getByText('This is JSON.').waitFor();
  const got = fires(shop.people[0].channel('orders'), SHIPPED);
  await form.send.click();
  assert.strictEqual(await got, 'a text, as it is');
  await form.channel.fill('not a channel');
  await form.send.click();
  await form.dashboard.page.getByRole('alert').getByText(/channel/i).waitFor();
});

test('where nobody is, it says who is near', LONG, async (t) => {
  const shop = await Shop.open(t);
  const form = await open(t, shop, 'orders.7');
  await form.send.click();
  await form.answer.getByText('private-orders.7 has 1 subscription').waitFor();
});

test('the other app has other people', LONG, async (t) => {
  const shop = await Shop.open(t);
  const form = await open(t, shop);
  await form.app.selectOption('blog');
  await form.send.click();
  await form.answer.getByText('Nobody was subscribed to orders.').first().waitFor();
});
