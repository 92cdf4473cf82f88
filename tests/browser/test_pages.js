// SPDX-License-Identifier: MIT
//
// The pages themselves, on a desktop and on a phone: they fit, everything needed is there, and no
// request of theirs fails.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');

const LONG = { ms: 90_000 };
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

test('one click logs in and one click logs out', LONG, async (t) => {
  const app = await App.start(t, await t.server(), { worker: false });
  const somebody = await app.person();
  const tab = await somebody.tab('/chat/1');
  await tab.sees('h1', 'Who are you?');
  await tab.sees('main strong', 'Mei Chen', 'Ben Okafor', 'Ada Lind', 'Gus Gray');
  await tab.click('button:has-text("Ada Lind")');
  await tab.sees('h1', 'Chat'); // where he wanted to go
  await tab.sees('.who .name', 'Ada Lind');
  await tab.click('text=Log out');
  await tab.sees('h1', 'Who are you?');
});

for (const [name, size] of Object.entries(SIZES)) {
  test(`all pages fit a ${name}`, LONG, async (t) => {
    const app = await App.start(t, await t.server(), { worker: false });
    const mei = await app.person('Mei Chen');
    const tab = await mei.tab('/login');
    const failed = [];
    tab.page.on('response', (one) => one.status() >= 400 && failed.push(one.url()));
    await tab.page.setViewportSize(size);
    for (const path of ['/login', '/notifications', '/chat/1', '/dashboard']) {
      await tab.open(path, 'private-notifications.1');
      await tab.sees('#status', 'Live');
      const width = await tab.page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= size.width, `${path} is ${width} px wide`);
      await tab.sees('header nav a', 'Notifications', 'Chat', 'Dashboard');
      const inView = await tab.page.locator('header nav').evaluate((nav) => {
        const { top, bottom } = nav.getBoundingClientRect();
        return top >= 0 && bottom <= window.innerHeight;
      });
      assert.ok(inView, `${path}: the way to the other pages is in view`);
    }
    assert.deepStrictEqual(failed, []);
  });
}
