// SPDX-License-Identifier: MIT
//
// lib/page.js: the dashboard in Chromium. Nothing but the server can be reached, and at the end of
// each test the page has asked nobody but its server, has not hurt its own policy, and no script failed.
'use strict';

const assert = require('node:assert');
const { LIMIT_MS, browser } = require('../../browser/lib/browser');
const { poll } = require('../../e2e/lib/wait');

// A proxy for everything but the server, which is not there.
const onlyTo = (url) => ({ server: 'http://127.0.0.1:9', bypass: new URL(url).host });
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

// Answers of 404 and a server that is away are the page's to handle; the browser tells of them anyway.
const USUAL = /Failed to load resource|WebSocket connection to/;

const urlOf = (server) => `http://127.0.0.1:${server.adminPort}/laravel-websockets/`;
// On the main listener, where it is exposed.
const exposedUrlOf = (server) => `http://127.0.0.1:${server.port}/laravel-websockets/`;

class Dashboard {
  // options: view (what follows the #), size, scheme (light, dark), url (another address of it, whose
  // first page is the log-in).
  static async open(t, server, { view = '', size = DESKTOP, scheme = 'light', url } = {}) {
    const context = await (await browser(t)).newContext({
      viewport: size,
      colorScheme: scheme,
      locale: 'en-GB',
      proxy: onlyTo(url ?? urlOf(server)),
    });
    t.defer(() => context.close());
    const one = new Dashboard(url ?? urlOf(server), await context.newPage());
    t.defer(() => one.check());
    await one._prepare();
    if (url) await one.page.goto(url);
    else await one.goto(view);
    return one;
  }

  constructor(url, page) {
    this.page = page;
    this.url = url;
    this.asked = []; // URLs of all requests and WebSockets
    this.wrong = []; // errors of scripts, violations of the policy
    page.setDefaultTimeout(LIMIT_MS);
    page.on('request', (request) => this.asked.push(request.url()));
    page.on('websocket', (socket) => this.asked.push(socket.url()));
    page.on('pageerror', (error) => this.wrong.push(error.stack));
    page.on('console', (message) => {
      if (message.type() === 'error' && !USUAL.test(message.text())) this.wrong.push(message.text());
    });
  }

  async _prepare() {
    await this.page.exposeFunction('pealTestViolation', (what) => this.wrong.push(what));
    await this.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        window.pealTestViolation(`policy: ${event.violatedDirective} ${event.blockedURI}`),
      );
    });
  }

  async goto(view = '') {
    await this.page.goto(`${this.url}${view && `#/${view}`}`);
    await this.page.getByRole('heading', { level: 2 }).first().waitFor();
  }

  // By the menu, as people do.
  async choose(name) {
    await this.page.getByRole('navigation').getByRole('link', { name }).click();
  }

  live() {
    return this.sees(this.page.getByRole('status'), 'live');
  }

  // Waits until a place says this (a text, or what a pattern fits); returns what it says.
  async sees(locator, wanted) {
    let seen;
    const right = async () => {
      seen = (await locator.allInnerTexts()).join('\n').trim();
      return wanted instanceof RegExp ? wanted.test(seen) : seen === wanted;
    };
    await poll(right, `${wanted} at ${locator}`, LIMIT_MS).catch((error) => {
      throw new Error(`${error.message}; there is ${String(JSON.stringify(seen)).slice(0, 600)}`);
    });
    return seen;
  }

  // How far the page is wider than the window.
  overflow() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }

  check() {
    const own = new URL(this.url).host;
    const others = this.asked.filter((url) => new URL(url).host !== own);
    assert.deepStrictEqual(others, [], 'requests to others');
    assert.deepStrictEqual(this.wrong, [], 'errors on the page');
  }
}

module.exports = { DESKTOP, Dashboard, PHONE, exposedUrlOf, urlOf };
