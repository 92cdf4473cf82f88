// SPDX-License-Identifier: MIT
//
// The queue worker is down: what is queued waits, and arrives once, when it is started.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');
const { join, says } = require('./lib/chat');

const LONG = { ms: 90_000 };
const QUEUED = ['new.notification', 'App\\Events\\NewChatMessage'];

test('while the queue worker is down events wait; they arrive after it has started', LONG, async (t) => {
  const app = await App.start(t, await t.server());
  const [mei, ben] = [await app.person('Mei Chen'), await app.person('Ben Okafor')];
  const [writer, reader] = [await join(mei), await join(ben)];
  const sender = await mei.tab('/notifications', 'private-notifications.1');
  const orders = await mei.tab('/dashboard', 'dashboard-updates');
  const dashboard = await ben.tab('/dashboard', 'dashboard-updates');
  await says(writer, 'with a worker');
  await reader.sees('#messages .bubble', 'with a worker');

  await app.worker.stop();
  await says(writer, 'without a worker');
  await writer.sees('#messages .bubble', 'with a worker', 'without a worker');
  await sender.click('#send button[data-name="Ben Okafor"]');
  await sender.sees('#sent', 'Sent to Ben Okafor.');
  // Peal and the web server are well: what needs no worker is there.
  await orders.click('#orders button >> nth=0');
  await dashboard.event('App\\Events\\DashboardUpdate');
  await reader.sees('#messages .bubble', 'with a worker');
  assert.deepStrictEqual(await dashboard.texts('.toast'), []);

  await Promise.all([
    app.startWorker(),
    reader.sees('#messages .bubble', 'with a worker', 'without a worker'),
    reader.sees('.toast strong', '您有一筆新訂單!'),
    dashboard.sees('.toast strong', '您有一筆新訂單!'),
  ]);
  assert.deepStrictEqual(
    QUEUED.map((name) => reader.events(name).length),
    [1, 2],
  );
  // A job knows the page that was to be left out, long after its request.
  await says(reader, 'thank you');
  await writer.sees('#messages .bubble', 'with a worker', 'without a worker', 'thank you');
  assert.strictEqual(writer.events('App\\Events\\NewChatMessage').length, 1);
});
