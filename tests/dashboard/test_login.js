// SPDX-License-Identifier: MIT
//
// The dashboard on the main listener, in Chromium: the log-in page, all that follows, the ways out,
// and what the page of somebody else can do meanwhile.
'use strict';

const assert = require('node:assert');
const { findings } = require('../browser/lib/axe');
const { launch } = require('../browser/lib/browser');
const { HASH, PASSWORD } = require('../e2e/lib/login');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { facts } = require('../e2e/lib/watch');
const { DESKTOP, Dashboard, PHONE, exposedUrlOf } = require('./lib/page');
const { SHOP, Shop } = require('./lib/shop');
const { startSite } = require('./lib/site');

const LONG = { ms: 90_000 };

const openShop = (t, set = {}) =>
  Shop.open(t, {
    set: { 'dashboard.expose': 'true', 'dashboard.password_hash': HASH, ...set },
    secrets: [HASH, PASSWORD],
  });

const openPage = (t, shop, options) =>
  Dashboard.open(t, shop.server, { url: exposedUrlOf(shop.server), ...options });

const field = (page) => page.getByLabel('Password');

async function logIn({ page }, password = PASSWORD) {
  await field(page).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

// The same, with the right one.
async function enter(dashboard) {
  await logIn(dashboard);
  await dashboard.page.waitForURL(dashboard.url);
  await dashboard.live();
}

async function seesLogin({ page, url }) {
  await field(page).waitFor();
  assert.strictEqual(page.url().replace(/#.*/, ''), `${url}login`);
}

// The console shows what happens now.
async function seesEvent(page, shop) {
  const line = page.locator('.lines button.line').filter({ hasText: 'orders' });
  await poll(async () => {
    await shop.shipped(1);
    return (await line.count()) > 0;
  }, 'an event in the console');
}

test('log in by keyboard, watch, send, disconnect, log out', LONG, async (t) => {
  const shop = await openShop(t);
  const dashboard = await openPage(t, shop);
  const { page } = dashboard;
  await seesLogin(dashboard);
  assert.strictEqual(await page.title(), 'Log in · Peal');
  const focused = () => page.evaluate(() => document.activeElement.name);
  await poll(async () => (await focused()) === 'password', 'focus on the field');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(dashboard.url);
  await dashboard.live();
  await dashboard.sees(page.locator('.tiles dl').first().locator('.value'), '3');
  await page.getByRole('img', { name: /^Connections/ }).waitFor();

  await dashboard.choose('Console');
  await seesEvent(page, shop);

  await dashboard.choose('Send');
  await page.getByLabel('Channel').fill('orders');
  await page.getByLabel('Event', { exact: true }).fill('Shipped');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('article').getByText('Delivered to 3').first().waitFor();

  await page.goto(`${dashboard.url}#/connection/${shop.sockets[0]}`);
  await page.getByRole('button', { name: 'Disconnect …' }).click();
  await page.getByRole('button', { name: 'Yes, disconnect it' }).click();
  await poll(() => shop.people[0].connection.state !== 'connected', 'the end of that connection');

  await page.getByRole('button', { name: 'Log out' }).click();
  await seesLogin(dashboard);
  await page.goto(dashboard.url);
  await seesLogin(dashboard);
  assert.deepStrictEqual(
    (await page.context().cookies()).map(({ name }) => name).sort(),
    ['peal_device', 'peal_form'],
  );
});

test('a secret is shown when it is asked for, until another app is chosen', LONG, async (t) => {
  const shop = await openShop(t);
  const dashboard = await openPage(t, shop);
  const { page } = dashboard;
  const bodies = [];
  page.on('response', (answer) => answer.text().then((text) => bodies.push(text), () => {}));
  await enter(dashboard);
  await dashboard.choose('Send');
  const lines = page.getByLabel('Lines for .env');
  await dashboard.sees(lines, /PUSHER_APP_ID=shop\nPUSHER_APP_KEY=shop-key\nPUSHER_APP_SECRET=•+\n/);
  const { port } = shop.server;
  assert.match(await lines.innerText(), new RegExp(`HOST=127\\.0\\.0\\.1\nPUSHER_PORT=${port}\nPUSHER_SCHEME=http$`));
  assert.ok(!bodies.join().includes(SHOP.secret));
  assert.deepStrictEqual(await findings(page), []);
  await page.getByRole('button', { name: 'Show the secret' }).click();
  await dashboard.sees(lines, new RegExp(`PUSHER_APP_SECRET=${SHOP.secret}`));
  await page.getByLabel('App', { exact: true }).last().selectOption('blog');
  await dashboard.sees(lines, /PUSHER_APP_ID=blog\n.*\nPUSHER_APP_SECRET=•+/);
  assert.ok(!(await page.content()).includes(SHOP.secret));
});

test('a wrong password is told, and after some the wait', LONG, async (t) => {
  const dashboard = await openPage(t, await openShop(t));
  for (let n = 0; n < 5; n++) {
    await logIn(dashboard, `not the password ${n}`);
    await dashboard.sees(dashboard.page.getByRole('alert'), 'That is not the password.');
    assert.strictEqual(await field(dashboard.page).inputValue(), '');
  }
  await logIn(dashboard, 'not the password');
  await dashboard.sees(dashboard.page.getByRole('alert'), /Too many attempts\. Please wait \d s\./);
  await poll(async () => {
    await logIn(dashboard);
    await dashboard.page.waitForLoadState();
    return dashboard.page.url() === dashboard.url;
  }, 'the end of the wait');
  await dashboard.live();
});

for (const scheme of ['light', 'dark'])
  for (const [name, size] of [['desktop', DESKTOP], ['phone', PHONE], ['narrow', { width: 320, height: 500 }]])
    test(`the log-in page: nothing that axe finds, ${scheme}, ${name}`, LONG, async (t) => {
      const dashboard = await openPage(t, await openShop(t), { scheme, size });
      assert.deepStrictEqual(await findings(dashboard.page), []);
      await logIn(dashboard, 'not the password');
      await dashboard.page.getByRole('alert').waitFor();
      assert.deepStrictEqual(await findings(dashboard.page), []);
      assert.ok((await dashboard.overflow()) <= 0, 'wider than the window');
      await enter(dashboard);
      assert.ok((await dashboard.overflow()) <= 0, 'the page is wider than the window');
    });

test('a connection that breaks is made anew with another token', LONG, async (t) => {
  const shop = await openShop(t);
  const dashboard = await openPage(t, shop);
  const { page } = dashboard;
  await page.addInitScript(() => {
    window.sockets = [];
    window.WebSocket = class extends window.WebSocket {
      constructor(...args) {
        super(...args);
        window.sockets.push(this);
      }
    };
  });
  await enter(dashboard);
  await page.getByRole('img', { name: /^Connections/ }).waitFor();
  await page.evaluate(() => window.sockets.at(-1).close());
  const tokens = () => page.evaluate(() => [...new Set(window.sockets.map(({ url }) => url))]);
  await poll(async () => (await tokens()).length > 1, 'another token');
  await dashboard.live();
  const open = () => page.evaluate(() => window.sockets.filter((one) => one.readyState < 2).length);
  await poll(async () => (await open()) === 1, 'one connection alone');
  await dashboard.choose('Console');
  await seesEvent(page, shop);
});

test('where the session ends, the page asks for the password again', LONG, async (t) => {
  const shop = await openShop(t, { 'dashboard.session_s': '3' });
  const dashboard = await openPage(t, shop);
  await enter(dashboard);
  await seesLogin(dashboard);
});

test('a restart in place ends sessions, and the page says so by the log-in', LONG, async (t) => {
  const shop = await openShop(t);
  const dashboard = await openPage(t, shop);
  await enter(dashboard);
  const next = shop.server.generation(2);
  shop.server.signal('SIGUSR2');
  await next;
  await seesLogin(dashboard);
  await enter(dashboard);
});

// --- other pages ---

// Runs in the page: what came of each attempt. The browser sends the cookies with some: for it another
// port of a host is the same site.
async function attack({ target, socketId, password }) {
  const said = {};
  const ask = async (name, path, options) => {
    try {
      const answer = await fetch(target + path, { credentials: 'include', ...options });
      said[name] = answer.type === 'opaque' ? 'opaque' : `${answer.status} ${await answer.text()}`;
    } catch (error) {
      said[name] = `failed: ${error.message}`;
    }
  };
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ socket_id: socketId });
  for (const path of ['apps', 'session', 'stream']) {
    await ask(`read ${path}`, `admin/${path}`);
    await ask(`read ${path} as no-cors`, `admin/${path}`, { mode: 'no-cors' });
  }
  await ask('read the form', 'login');
  await ask('disconnect', 'admin/disconnect', { method: 'POST', headers: { ...JSON_TYPE, 'X-Peal': '1' }, body });
  await ask('disconnect as text', 'admin/disconnect', { method: 'POST', mode: 'no-cors', body });
  await ask('log out', 'admin/logout', { method: 'POST', mode: 'no-cors', body: '{}' });
  await ask('log in', 'login', {
    method: 'POST',
    mode: 'no-cors',
    body: new URLSearchParams({ token: 'x', password }),
  });
  said.WebSocket = await new Promise((resolve) => {
    const socket = new WebSocket(`${target.replace('http', 'ws')}app/peal-internal?token=x&protocol=7`);
    socket.onmessage = ({ data }) => resolve(`open: ${data}`);
    socket.onerror = () => resolve('failed');
  });
  return said;
}

// A form of that page, sent into a frame; the status of the answer.
async function sendForm(page, target, fields) {
  const answered = page.waitForResponse((answer) => answer.url() === `${target}login`);
  await page.evaluate(
    ([action, values]) => {
      const frame = document.createElement('iframe');
      frame.name = `frame${Math.random()}`;
      const form = document.createElement('form');
      Object.assign(form, { action, method: 'POST', target: frame.name });
      for (const [name, value] of Object.entries(values)) {
        const input = document.createElement('input');
        Object.assign(input, { name, value });
        form.append(input);
      }
      document.body.append(frame, form);
      form.submit();
    },
    [`${target}login`, fields],
  );
  return (await answered).status();
}

for (const [what, host] of [
  ['another port of this machine', '127.0.0.1'],
  ['another site', 'evil.example'],
])
  test(`a page of ${what} cannot log in, act, or log out`, LONG, async (t) => {
    const shop = await openShop(t);
    const target = exposedUrlOf(shop.server);
    const { port } = await startSite(t);
    const chromium = await launch(t, ['--host-resolver-rules=MAP evil.example 127.0.0.1']);
    t.defer(() => chromium.close());
    const context = await chromium.newContext();
    const own = await context.newPage();
    await own.goto(target);
    await logIn({ page: own });
    await own.getByRole('status').filter({ hasText: 'live' }).waitFor();
    const page = await context.newPage();
    await page.goto(`http://${host}:${port}/`);
    const [socketId] = shop.sockets;
    const said = await page.evaluate(attack, { target, socketId, password: PASSWORD });
    for (const [name, text] of Object.entries(said))
      assert.match(text, /^(failed|opaque)/, `${name}: ${text}`);
    // Also with a token that the page's owner got for himself, and the right password.
    const token = await (await fetch(`${target}login`)).text();
    const value = /name="token" value="([^"]*)"/.exec(token)[1];
    assert.strictEqual(await sendForm(page, target, { token: value, password: PASSWORD }), 403);
    assert.strictEqual(shop.people[0].connection.state, 'connected');
    assert.deepStrictEqual(await facts(shop.server, { app: SHOP.id, event: 'hostile' }), []);
    await own.reload();
    await own.getByRole('button', { name: 'Log out' }).waitFor();
  });
