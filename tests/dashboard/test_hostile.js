// SPDX-License-Identifier: MIT
//
// What a hostile page can make its reader's browser do to the admin listener of his own machine:
// nothing. It may stand on another port, on another site, or under a name that leads here (DNS
// rebinding), and tries all that a browser offers: reading, forms, fetch with and without CORS,
// scripts, frames, WebSockets.
'use strict';

const assert = require('node:assert');
const { launch } = require('../browser/lib/browser');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { facts } = require('../e2e/lib/watch');
const { Shop } = require('./lib/shop');
const { startSite } = require('./lib/site');

const LONG = { ms: 90_000 };

// Runs in the page: all attempts; what came of each.
async function attack({ target, socketId }) {
  const said = {};
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const kick = JSON.stringify({ socket_id: socketId });
  const send = JSON.stringify({ app: 'shop', channel: 'orders', name: 'hostile', data: {} });
  const read = async (name, path, options) => {
    try {
      const answer = await fetch(target + path, options);
      said[name] = answer.type === 'opaque' ? 'opaque' : `${answer.status} ${await answer.text()}`;
    } catch (error) {
      said[name] = `failed: ${error.message}`;
    }
  };
  for (const path of ['apps', 'facts', 'channels?app=shop', `connection?socket_id=${socketId}`, 'workers']) {
    await read(`read ${path}`, `/admin/${path}`);
    await read(`read ${path} as no-cors`, `/admin/${path}`, { mode: 'no-cors', credentials: 'include' });
  }
  await read('read below the page', '/laravel-websockets/admin/apps');
  await read('read the metrics', '/metrics');
  for (const [path, body] of [['disconnect', kick], ['publish', send]]) {
    await read(`${path} with the header`, `/admin/${path}`, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'X-Peal': '1' },
      body,
    });
    await read(`${path} as JSON`, `/admin/${path}`, { method: 'POST', headers: JSON_TYPE, body });
    await read(`${path} as text`, `/admin/${path}`, { method: 'POST', mode: 'no-cors', body });
    await read(`${path} as a blob`, `/admin/${path}`, {
      method: 'POST',
      mode: 'no-cors',
      body: new Blob([body], { type: 'application/json' }),
    });
    said[`${path} as a beacon`] = String(navigator.sendBeacon(`${target}/admin/${path}`, body));
  }
  const loads = (element, name) =>
    new Promise((resolve) => {
      element.onload = () => resolve((said[name] = 'loaded'));
      element.onerror = () => resolve((said[name] = 'failed'));
      document.body.append(element);
    });
  const script = document.createElement('script');
  script.src = `${target}/admin/apps`;
  await loads(script, 'as a script');
  const image = new Image();
  image.src = `${target}/laravel-websockets/icon.svg`;
  await loads(image, 'as an image');
  for (const key of ['peal-internal', 'shop-key'])
    said[`WebSocket ${key}`] = await new Promise((resolve) => {
      const socket = new WebSocket(`${target.replace('http', 'ws')}/app/${key}?protocol=7`);
      socket.onmessage = ({ data }) => resolve(`open: ${data}`);
      socket.onerror = () => resolve('failed');
    });
  return said;
}

// Nothing that was said holds anything of the server's.
function checkSaid(said) {
  for (const [name, text] of Object.entries(said)) {
    assert.doesNotMatch(text, /"id"|shop-key|delivered|websockets|peal_|^open|^200/, `${name}: ${text}`);
    if (/WebSocket|script|image/.test(name)) assert.strictEqual(text, 'failed', name);
  }
}

// Everybody is still there, and nothing was published.
async function checkUnharmed(shop) {
  await shop.shipped(1);
  for (const person of shop.people) assert.strictEqual(person.connection.state, 'connected');
  const published = await facts(shop.server, { app: 'shop', event: 'hostile' });
  assert.deepStrictEqual(published, []);
  assert.deepStrictEqual(await facts(shop.server, { app: 'peal-internal' }), []);
}

// A form, sent into a frame of the page, in each way that a form can be.
async function sendForms(page, target, socketId) {
  for (const path of ['disconnect', 'publish'])
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const answered = page.waitForResponse((answer) => answer.url() === `${target}/admin/${path}`);
      await page.evaluate(
        ([action, type, json]) => {
          const frame = document.createElement('iframe');
          frame.name = `frame${Math.random()}`;
          document.body.append(frame);
          const form = document.createElement('form');
          Object.assign(form, { action, method: 'POST', enctype: type, target: frame.name });
          // In text/plain this is the body `{"socket_id":"1.2","x":"="}`.
          const field = document.createElement('input');
          field.name = `${json.slice(0, -1)},"x":"`;
          field.value = '"}';
          form.append(field);
          document.body.append(form);
          form.submit();
        },
        [
          `${target}/admin/${path}`,
          enctype,
          path === 'disconnect'
            ? JSON.stringify({ socket_id: socketId })
            : JSON.stringify({ app: 'shop', channel: 'orders', name: 'hostile', data: {} }),
        ],
      );
      assert.strictEqual((await answered).status(), 403, `${path} ${enctype}`);
    }
}

async function openPage(t, flags, url) {
  const browser = await launch(t, flags);
  t.defer(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}

for (const [what, host] of [
  ['another port of this machine', '127.0.0.1'],
  ['another site', 'evil.example'],
])
  test(`a page of ${what} reads nothing and changes nothing`, LONG, async (t) => {
    const shop = await Shop.open(t);
    const site = await startSite(t);
    const flags = ['--host-resolver-rules=MAP evil.example 127.0.0.1'];
    const page = await openPage(t, flags, `http://${host}:${site.port}/`);
    const target = `http://127.0.0.1:${shop.server.adminPort}`;
    const [socketId] = shop.sockets;
    checkSaid(await page.evaluate(attack, { target, socketId }));
    await sendForms(page, target, socketId);
    await checkUnharmed(shop);
  });

test('nobody can put the page into a frame of his', LONG, async (t) => {
  const shop = await Shop.open(t);
  const site = await startSite(t);
  const page = await openPage(t, [], `http://127.0.0.1:${site.port}/`);
  const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
  await page.evaluate((src) => {
    const frame = document.createElement('iframe');
    frame.src = src;
    document.body.append(frame);
  }, `http://127.0.0.1:${shop.server.adminPort}/laravel-websockets/`);
  await refused;
});

// The page's own name, and its port, lead to the admin listener now: for the browser all of it is of
// one origin.
test('DNS rebinding: a name of somebody else that leads here is refused everything', LONG, async (t) => {
  const shop = await Shop.open(t);
  const target = `http://evil.example:${shop.server.adminPort}`;
  const flags = ['--host-resolver-rules=MAP evil.example 127.0.0.1'];
  const page = await openPage(t, flags, `${target}/laravel-websockets/`);
  assert.match(await page.locator('body').innerText(), /not in the option admin\.hosts/);
  const [socketId] = shop.sockets;
  const said = await page.evaluate(attack, { target, socketId });
  checkSaid(said);
  for (const [name, text] of Object.entries(said))
    if (/^(read|disconnect|publish)/.test(name) && !/beacon|opaque/.test(`${name} ${text}`))
      assert.match(text, /^403 /, name);
  await sendForms(page, target, socketId);
  await checkUnharmed(shop);
});

// The tests above could pass with a page that does nothing at all.
test('the same attempts, from the page itself, do all of it', LONG, async (t) => {
  const shop = await Shop.open(t);
  const target = `http://127.0.0.1:${shop.server.adminPort}`;
  const page = await openPage(t, [], `${target}/laravel-websockets/`);
  const [socketId] = shop.sockets;
  const said = await page.evaluate(attack, { target, socketId });
  assert.match(said['read apps'], /^200 .*"id":"shop"/);
  assert.match(said['disconnect with the header'], /^200 /);
  assert.match(said['publish with the header'], /^200 /);
  assert.match(said['publish as JSON'], /^403 /);
  assert.match(said['WebSocket peal-internal'], /^open: .*connection_established/);
  assert.strictEqual(said['WebSocket shop-key'], 'failed');
  await poll(() => shop.people[0].connection.state !== 'connected', 'the end of that connection');
});
