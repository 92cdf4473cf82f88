// SPDX-License-Identifier: MIT
//
// packaging/nginx/laravel-with-peal.conf with TLS, and Chromium before it: a page and its WebSocket
// from one host and port.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const api = require('../e2e/lib/api');
const { test } = require('../e2e/lib/suite');
const { startSite } = require('../packaging/lib/site');
const { browser } = require('./lib/browser');

const PUSHER_JS = path.resolve(__dirname, '../e2e/node_modules/pusher-js/dist/web/pusher.min.js');

// Settings as a page behind a proxy has them: the port of the page, TLS as the page.
const page = (key) => `<!doctype html><meta charset="utf-8"><title>wss</title>
<script src="/pusher.min.js"></script>
<script>
  const pusher = new Pusher('${key}', {
    cluster: 'mt1', wsHost: location.hostname, wsPort: location.port, wssPort: location.port,
    forceTLS: true, enabledTransports: ['ws', 'wss'],
  });
  const channel = pusher.subscribe('orders');
  channel.bind('pusher:subscription_succeeded', () => { document.title = 'subscribed'; });
  channel.bind('paid', (data) => { document.title = 'paid ' + data.text; });
</script>`;

test('an event through nginx with TLS reaches a page in Chromium', { ms: 60_000 }, async (t) => {
  const server = await t.server();
  const site = await startSite(t, 'laravel-with-peal.conf', server);
  fs.copyFileSync(PUSHER_JS, path.join(site.root, 'pusher.min.js'));
  fs.writeFileSync(path.join(site.root, 'page.html'), page(server.app.key));
  const context = await (await browser(t)).newContext({ ignoreHTTPSErrors: true });
  t.defer(() => context.close());
  const tab = await context.newPage();
  const sockets = [];
  tab.on('websocket', (socket) => sockets.push(socket.url()));
  await tab.goto(`https://${site.host}:${site.port}/page.html`);
  await tab.waitForFunction(() => document.title === 'subscribed');
  await api.publish(server, 'orders', 'paid', JSON.stringify({ text: '您有一筆新訂單!' }));
  await tab.waitForFunction(() => document.title === 'paid 您有一筆新訂單!');
  assert.ok(sockets[0].startsWith(`wss://${site.host}:${site.port}/app/`), sockets[0]);
});
