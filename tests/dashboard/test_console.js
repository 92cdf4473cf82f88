// SPDX-License-Identifier: MIT
//
// The Console: the stream as people read it: filtered, paused, opened, and never too long.
'use strict';

const assert = require('node:assert');
const api = require('../e2e/lib/api');
const { subscribed } = require('../e2e/lib/clients');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { Dashboard } = require('./lib/page');
const { BLOG, SHIPPED, Shop } = require('./lib/shop');

const LONG = { ms: 60_000 };
const KEPT = 500;

class Console {
  static async open(t, server) {
    const dashboard = await Dashboard.open(t, server, { view: 'console' });
    await dashboard.live();
    return new Console(dashboard);
  }

  constructor(dashboard) {
    this.dashboard = dashboard;
    this.page = dashboard.page;
    this.lines = this.page.locator('.lines button.line');
  }

  line(...texts) {
    return texts.reduce((lines, hasText) => lines.filter({ hasText }), this.lines);
  }

  // The stream may begin a moment after the page: what is done is done again until it is seen.
  async begins(shop) {
    const seen = async () => {
      await shop.shipped(0);
      return (await this.lines.count()) > 0;
    };
    await poll(seen, 'the first event in the console');
    await this.page.getByRole('button', { name: 'Clear' }).click();
  }

  sees(...texts) {
    return this.line(...texts).first().waitFor();
  }

  button(name) {
    return this.page.getByRole('button', { name });
  }

  // Ticks just these types.
  async only(...types) {
    for (const box of await this.page.getByRole('group').getByRole('checkbox').all())
      await box.setChecked(types.includes(await box.inputValue()));
  }
}

test('each type of event is shown as it happens', { ...LONG, workers: [1, 2] }, async (t) => {
  const shop = await Shop.open(t);
  const seen = await Console.open(t, shop.server);
  await seen.begins(shop);
  const person = t.pusher(shop.server, { backend: shop.backend, user: { user_id: '99' } });
  await subscribed(person, 'presence-lobby');
  await seen.sees('connected', 'js 8');
  await seen.sees('subscribed', 'presence-lobby', 'as user 99');
  await seen.sees('occupied', 'presence-lobby');
  await shop.whispers();
  await seen.sees('client-message', 'presence-support', 'client-typing');
  await shop.shipped(1);
  await seen.sees('api-message', 'orders', SHIPPED, 'to 3 subscriptions');
  await shop.mistakes(t);
  await seen.sees('api-message', 'orders.7', 'to nobody');
  await seen.sees('refused', 'private-orders.7');
  person.unsubscribe('presence-lobby');
  await seen.sees('unsubscribed', 'presence-lobby');
  await seen.sees('vacated', 'presence-lobby');
  person.disconnect();
  await seen.sees('disconnected');
  assert.strictEqual(await seen.line('delivered').count(), 0, 'not shown unless it is wanted');
  await seen.page.getByLabel('delivered').check();
  const told = async () => {
    await shop.shipped(2);
    return (await seen.line('delivered', 'orders').count()) > 0;
  };
  await poll(told, 'what each worker has delivered');
});

test('filters by type, channel, socket, text and app', LONG, async (t) => {
  const shop = await Shop.open(t);
  const seen = await Console.open(t, shop.server);
  await seen.begins(shop);

  await seen.page.getByLabel('Channel').fill('private-orders.7');
  await seen.page.getByText('Nothing yet').waitFor();
  const filtered = async () => {
    await shop.publish(['orders', 'private-orders.7'], SHIPPED, { order: { id: 8 } });
    return (await seen.line('private-orders.7').count()) > 1;
  };
  await poll(filtered, 'events of that channel');
  assert.strictEqual(await seen.line('private-orders.7').count(), await seen.lines.count());
  await seen.page.getByLabel('Channel').fill('');

  await seen.only('refused');
  await seen.page.getByLabel('Text').fill('not of this');
  const refused = async () => {
    await shop.mistakes(t);
    return seen.page.getByText('Nothing yet').isVisible();
  };
  await poll(refused, 'an empty list');
  await seen.page.getByLabel('Text').fill('UNAUTHORIZED');
  await seen.sees('refused', 'private-orders.7');

  await seen.page.getByLabel('Text').fill('');
  await seen.page.getByLabel('App', { exact: true }).selectOption('blog');
  const other = async () => {
    await shop.shipped(1);
    await api.publish(shop.server, 'posts', 'written', '{}', {}, { app: BLOG });
    return (await seen.line('posts').count()) > 0;
  };
  await poll(other, 'events of the other app');
  assert.strictEqual(await seen.line('orders').count(), 0);
});

test('a pause keeps the list, and nothing of it is lost', LONG, async (t) => {
  const shop = await Shop.open(t);
  const seen = await Console.open(t, shop.server);
  await seen.begins(shop);
  await shop.publish('orders', 'one', {});
  await seen.sees('one');
  await seen.button('Pause').click();
  const before = await seen.lines.allInnerTexts();
  for (const name of ['two', 'three']) await shop.publish('orders', name, {});
  await seen.button(/^Go on \(2 new\)$/).waitFor();
  assert.deepStrictEqual(await seen.lines.allInnerTexts(), before);
  await seen.button(/^Go on/).click();
  await seen.sees('two');
  assert.match(await seen.lines.first().innerText(), /three/, 'the newest is on top');
  await shop.publish('orders', 'four', {});
  await seen.sees('four');
});

test('an opened event shows its data, and stays where it is until it is closed', LONG, async (t) => {
  const shop = await Shop.open(t);
  const seen = await Console.open(t, shop.server);
  await seen.begins(shop);
  await shop.publish('orders', 'paid', { order: { id: 7, text: '<b>&amp; 您好' } });
  await seen.line('paid').click();
  const data = seen.page.getByLabel('Data');
  assert.deepStrictEqual(JSON.parse(await data.innerText()), { order: { id: 7, text: '<b>&amp; 您好' } });
  assert.match(await data.innerText(), /\n {2}"order"/, 'indented');
  await shop.publish('orders', 'later', {});
  await seen.button(/^Go on \(1 new\)$/).waitFor();
  await seen.line('paid').press('Enter');
  await seen.sees('later');
  assert.strictEqual(await data.count(), 0);

  await shop.publish('orders', 'long', 'x'.repeat(9000));
  await seen.line('long').click();
  await seen.page.getByText('The beginning of 9,002 bytes').waitFor();
  await seen.line('long').click();

  await seen.line('paid').click();
  await seen.page.getByRole('link', { name: 'Explain', exact: true }).last().click();
  await seen.page.getByRole('article', { name: 'Explanation' }).getByText('Delivered to 3 of 3').first().waitFor();
});

const heap = async (devtools) => {
  await devtools.send('HeapProfiler.collectGarbage');
  return (await devtools.send('Runtime.getHeapUsage')).usedSize / (1 << 20);
};

test('20,000 events: the list is bounded, memory too, and the page answers', { ms: 90_000 }, async (t) => {
  const shop = await Shop.open(t);
  const seen = await Console.open(t, shop.server);
  const devtools = await seen.page.context().newCDPSession(seen.page);
  await seen.begins(shop);
  const channels = Array.from({ length: 100 }, (_, at) => `flood-${at}`);
  const flood = async (n) => {
    for (let at = 0; at < n; at++) await shop.publish(channels, 'flood', 'x'.repeat(500));
  };
  const told = () => seen.page.getByText(/events were left out/).count();
  const full = async () => {
    await flood(5);
    return (await seen.lines.count()) === KEPT;
  };
  await poll(full, 'a full list');
  const before = await heap(devtools);
  await flood(200);
  assert.strictEqual(await told(), 1);
  // While the page catches up, more may be left out.
  const answers = async () => {
    await shop.publish('orders', 'last', {});
    return (await seen.line('last').count()) > 0;
  };
  await poll(answers, 'an event after the flood');
  assert.strictEqual(await seen.lines.count(), KEPT);
  const after = await heap(devtools);
  assert.ok(after - before < 8, `memory grew from ${before} to ${after} MiB`);
  const began = Date.now();
  await seen.button('Clear').click();
  await seen.page.getByText('Nothing yet').waitFor();
  assert.ok(Date.now() - began < 2000, `a click took ${Date.now() - began} ms`);
  assert.strictEqual(await told(), 0, 'cleared, too');
});
