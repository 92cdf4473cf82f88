// SPDX-License-Identifier: MIT
//
// What all views have in common: accessibility in both colour schemes, keyboard, small windows, the way
// in from the main listener, and a server that is restarted.
'use strict';

const assert = require('node:assert');
const { findings } = require('../browser/lib/axe');
const api = require('../e2e/lib/api');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { DESKTOP, Dashboard, PHONE, urlOf } = require('./lib/page');
const { PEOPLE, Shop } = require('./lib/shop');

const LONG = { ms: 90_000 };

// Each view as it is with traffic: what is to be opened there, and what to wait for.
const VIEWS = [
  { view: '', ready: ({ page }) => page.locator('.charts canvas').nth(7).waitFor() },
  {
    view: 'console',
    ready: async ({ page }) => {
      await page.locator('.lines button.line').nth(5).waitFor();
      await page.locator('.lines button.line').nth(3).click();
      await page.locator('.details').waitFor();
    },
  },
  { view: 'channels', ready: ({ page }) => page.getByRole('row').nth(2).waitFor() },
  {
    view: 'channel/presence-support?app=shop',
    ready: ({ page }) => page.getByText(PEOPLE[0].user_info.name).waitFor(),
  },
  {
    view: (shop) => `connection/${shop.sockets[2]}`,
    ready: ({ page }) => page.getByText('private-orders.7').waitFor(),
  },
  {
    view: 'send',
    ready: async ({ page }) => {
      await page.getByLabel('Channel').fill('orders.7');
      await page.getByLabel('Event', { exact: true }).fill('Shipped');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('article').waitFor();
    },
  },
  {
    view: 'explain',
    ready: async ({ page }) => {
      await page.locator('.lines a.line').nth(5).click();
      await page.getByRole('article').waitFor();
    },
  },
];

async function open(t, shop, { view, ready }, options) {
  const where = typeof view === 'function' ? view(shop) : view;
  const dashboard = await Dashboard.open(t, shop.server, { view: where, ...options });
  await dashboard.live();
  await ready(dashboard);
  return dashboard;
}

// Until the test's end.
function keepTalking(t, shop) {
  let n = 0;
  const timer = setInterval(() => {
    shop.shipped(++n).catch(() => {});
    if (n % 5 === 0) shop.publish('orders.7', 'Shipped', {}).catch(() => {});
  }, 50);
  t.defer(() => clearInterval(timer));
}

for (const scheme of ['light', 'dark'])
  for (const [name, size] of [['desktop', DESKTOP], ['phone', PHONE]])
    test(`nothing that axe finds, ${scheme}, ${name}; nothing is wider than the window`, LONG, async (t) => {
      const shop = await Shop.open(t);
      await shop.mistakes(t);
      keepTalking(t, shop);
      const wrong = [];
      for (const view of VIEWS) {
        const dashboard = await open(t, shop, view, { scheme, size });
        const found = await findings(dashboard.page);
        wrong.push(...found.map((text) => `${dashboard.page.url()}: ${text}`));
        const wide = await dashboard.overflow();
        if (wide > 0) wrong.push(`${dashboard.page.url()} is ${wide} pixels wider than the window`);
        await dashboard.page.close();
      }
      assert.deepStrictEqual(wrong, []);
    });

test('a window of 320 pixels has no bar at its foot', LONG, async (t) => {
  const shop = await Shop.open(t);
  keepTalking(t, shop);
  for (const view of VIEWS) {
    const dashboard = await open(t, shop, view, { size: { width: 320, height: 640 } });
    assert.ok((await dashboard.overflow()) <= 0, dashboard.page.url());
    await dashboard.page.close();
  }
});

const focused = (page) =>
  page.evaluate(() => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    return {
      id: one.id,
      tag: one.tagName,
      text: (one.textContent || one.getAttribute('aria-label') || '').trim(),
      ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
    };
  });

test('everything is reached by the keyboard, and the focus is seen', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  const { page } = dashboard;
  await page.keyboard.press('Tab');
  assert.strictEqual((await focused(page)).text, 'To the content');
  await page.keyboard.press('Enter');
  assert.strictEqual((await focused(page)).id, 'main');
  await page.keyboard.press('Shift+Tab');
  const passed = [];
  for (let n = 0; n < 12; n++) {
    const here = await focused(page);
    passed.push(here.text.split('\n')[0]);
    if (here.id !== 'main' && here.tag !== 'BODY') assert.ok(here.ring, `no ring around ${here.text}`);
    await page.keyboard.press('Shift+Tab');
  }
  for (const name of ['Live', 'Console', 'Channels', 'Send', 'Explain', 'To the content'])
    assert.ok(passed.includes(name), `${name} in ${passed}`);

  await page.getByRole('link', { name: 'Channels' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'presence-support' }).waitFor();
  assert.strictEqual((await focused(page)).id, 'main', 'a new page is read from its beginning');
  assert.strictEqual(await page.title(), 'Channels · Peal');
  await page.goBack();
  await page.locator('.tiles').waitFor();
});

const background = (page) =>
  page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test('colours follow the system, or what was chosen, which is remembered', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server);
  const { page } = dashboard;
  const light = await background(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await background(page);
  assert.notStrictEqual(dark, light);
  await page.getByLabel('Colours').selectOption('light');
  assert.strictEqual(await background(page), light);
  await page.reload();
  await page.getByLabel('Colours').waitFor();
  assert.strictEqual(await background(page), light);
  await page.getByLabel('Colours').selectOption('dark');
  await page.emulateMedia({ colorScheme: 'light' });
  assert.strictEqual(await background(page), dark);
});

test('with --dev the main listener shows the way, to this machine only', LONG, async (t) => {
  const server = await t.server({ args: ['--dev'] });
  const get = (target, headers) => api.send(server, { target, headers });
  for (const target of ['/laravel-websockets', '/laravel-websockets/']) {
    const answer = await get(target);
    assert.strictEqual(answer.status, 302);
    assert.strictEqual(answer.headers.location, urlOf(server));
  }
  const far = { Host: 'evil.example' };
  assert.strictEqual((await get('/laravel-websockets/', far)).status, 404);
  assert.strictEqual((await get('/laravel-websockets/', { 'X-Forwarded-For': '192.0.2.7' })).status, 404);
  assert.strictEqual((await get('/laravel-websockets/admin/apps')).status, 404);
  const usual = await t.server();
  assert.strictEqual((await api.send(usual, { target: '/laravel-websockets/' })).status, 404);
});

test('the server is restarted in place, and the page comes back by itself', LONG, async (t) => {
  const shop = await Shop.open(t, { workers: 2 });
  const dashboard = await Dashboard.open(t, shop.server);
  const { page } = dashboard;
  const connections = page.locator('.tiles dl').first().locator('.value');
  await dashboard.sees(connections, '3');
  const points = page.getByRole('img', { name: /^Connections/ });
  await points.waitFor();
  await page.evaluate(() => (window.loadedOnce = true));
  const reader = await Dashboard.open(t, shop.server, { view: 'console' });
  await reader.live();

  const next = shop.server.generation(2);
  shop.server.signal('SIGUSR2');
  await next;
  for (const one of [dashboard, reader]) await one.live();
  const there = async () => {
    await shop.shipped(1).catch(() => {});
    return (await reader.page.locator('.lines button.line').filter({ hasText: 'orders' }).count()) > 0;
  };
  await poll(there, 'an event of the new generation', 20_000);
  await dashboard.sees(connections, '3');
  // What a worker had done before its first sample is in no point.
  const delivery = page.locator('.tiles dl').filter({ hasText: 'Delivery' }).locator('.value');
  const timed = async () => {
    await shop.shipped(1);
    return /\d/.test(await delivery.innerText());
  };
  await poll(timed, 'a delivery of the new generation', 20_000);
  assert.strictEqual(await page.getByRole('alert').count(), 0);
  assert.ok(await page.evaluate(() => window.loadedOnce), 'it was not loaded again');
});

test('a server that goes away is missed, and found again', LONG, async (t) => {
  const shop = await Shop.open(t);
  const dashboard = await Dashboard.open(t, shop.server, { view: 'channels' });
  await dashboard.live();
  await shop.server.stop();
  await dashboard.sees(dashboard.page.getByRole('status'), /connecting|no connection/);
  await dashboard.page.getByText('The server does not answer.').first().waitFor();
});
