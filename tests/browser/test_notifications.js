// SPDX-License-Identifier: MIT
//
// Notifications: a private channel for each user, and events through the queue.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');

const TEXT = '您有一筆新訂單!';
const LONG = { ms: 90_000 };

async function sends(tab, name, text) {
  if (text) await tab.page.fill('#send [name=text]', text);
  await tab.click(`#send button[data-name="${name}"]`);
  await tab.sees('#sent', `Sent to ${name}.`);
}

test('a notification is seen at once by the one whom it is for, on each page, and by nobody else', LONG, async (t) => {
  const app = await App.start(t, await t.server());
  const [mei, ben, ada] = await Promise.all(
    ['Mei Chen', 'Ben Okafor', 'Ada Lind'].map((name) => app.person(name)),
  );
  const sender = await mei.tab('/notifications', 'private-notifications.1');
  const list = await ben.tab('/notifications', 'private-notifications.2');
  const other = await ben.tab('/dashboard', 'private-notifications.2');
  const stranger = await ada.tab('/notifications', 'private-notifications.3');

  assert.strictEqual(await sender.page.inputValue('#send [name=text]'), TEXT);
  await sends(sender, 'Ben Okafor');
  await Promise.all([
    list.sees('#notifications strong', TEXT),
    list.sees('#notifications span', 'Mei Chen'),
    list.sees('.toast strong', TEXT),
    other.sees('.toast strong', TEXT),
  ]);

  const { channel, data } = await list.event('new.notification');
  assert.strictEqual(channel, 'private-notifications.2');
  assert.strictEqual(data.notification.text, TEXT);

  // The queue is worked off in order: what these get first is the first that they ever got.
  await sends(sender, 'Ada Lind', 'for Ada');
  await sends(sender, 'Mei Chen', 'for me');
  await stranger.sees('#notifications strong', 'for Ada');
  await sender.sees('#notifications strong', 'for me');
  for (const tab of [stranger, sender]) assert.strictEqual(tab.events('new.notification').length, 1);
  assert.strictEqual(list.events('new.notification').length, 1);
});

test("nobody may listen to another one's channel, and guests to none", LONG, async (t) => {
  const app = await App.start(t, await t.server(), { worker: false });
  const listen = (tab, channel) =>
    tab.page.evaluate(
      (name) =>
        new Promise((resolve) => {
          const refused = ({ type, status }) => resolve([type, status]);
          window.Echo.private(name).subscribed(() => resolve('subscribed')).error(refused);
        }),
      channel,
    );
  const ben = await (await app.person('Ben Okafor')).tab('/notifications', 'private-notifications.2');
  assert.deepStrictEqual(await listen(ben, 'notifications.1'), ['AuthError', 403]);
  const guest = await (await app.person()).tab('/dashboard', 'dashboard-updates');
  assert.deepStrictEqual(await listen(guest, 'notifications.1'), ['AuthError', 403]);
});
