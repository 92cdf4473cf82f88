// SPDX-License-Identifier: MIT
//
// lib/browser.js: Chromium, and persons in it. All tests of a run share one browser; each person has
// a context of his own, with its own cookies, like a private window.
'use strict';

const fs = require('node:fs');
const { chromium } = require('playwright-core');
const { Inbox, poll } = require('../../e2e/lib/wait');

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// The data of an event as an object: whispers have one, all else comes as text.
const dataOf = ({ data }) => (typeof data === 'string' ? JSON.parse(data) : data);

// Generous, as in lib/wait.js; a passing test never waits so long.
const LIMIT_MS = 20_000;

let launched = null;

// Playwright gives it an empty user data folder, and ends it with our process.
function launch(t, flags = []) {
  const executablePath = PROGRAMS.find((file) => fs.existsSync(file));
  if (!executablePath) t.skip('Chromium is not installed');
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

function browser(t) {
  launched ??= launch(t);
  return launched;
}

// One tab.
class Tab {
  constructor(person, page) {
    this.person = person;
    this.page = page;
    this.received = new Inbox((list) => list.map(({ event }) => event).join(', '));
    page.setDefaultTimeout(LIMIT_MS);
    page.on('pageerror', (error) => person.errors.push(error));
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => this.received.push(JSON.parse(payload)));
    });
  }

  // Opens a page and waits until its channel is subscribed: from then on nothing is missed.
  async open(path, channel) {
    await this.page.goto(this.person.app.url + path);
    if (channel) await this.subscribed(channel);
    return this;
  }

  subscribed(channel) {
    const isSubscribed = (name) => window.Echo?.connector.pusher.channel(name)?.subscribed === true;
    return poll(
      () => this.page.evaluate(isSubscribed, channel),
      `subscription of ${this.person.name} to ${channel}`,
      LIMIT_MS,
    );
  }

  socketId() {
    return this.page.evaluate(() => window.Echo.socketId());
  }

  // What is to be read at a place, a list of texts; only what is visible.
  texts(selector) {
    return this.page.locator(`${selector} >> visible=true`).allInnerTexts();
  }

  // Waits until exactly this is to be read at a place.
  async sees(selector, ...texts) {
    let seen;
    const right = async () => {
      seen = (await this.texts(selector)).map((text) => text.trim());
      return JSON.stringify(seen) === JSON.stringify(texts);
    };
    const what = () => `${JSON.stringify(texts)} at ${selector} for ${this.person.name}`;
    await poll(right, what(), LIMIT_MS).catch((error) => {
      throw new Error(`${error.message}; there is ${JSON.stringify(seen)}`);
    });
  }

  click(selector) {
    return this.page.click(selector);
  }

  // The frames with this event that came so far, on whatever connection; with data.
  events(event) {
    return this.received.all
      .filter((frame) => frame.event === event)
      .map((frame) => ({ channel: frame.channel, data: dataOf(frame) }));
  }

  // The next frame with this event; with data.
  async event(event) {
    const frame = await this.received.take(
      (one) => one.event === event,
      `event ${event} at ${this.person.name}`,
      LIMIT_MS,
    );
    return { channel: frame.channel, data: dataOf(frame) };
  }

  close() {
    return this.page.close();
  }
}

class Person {
  constructor(app, name, context) {
    this.app = app;
    this.name = name;
    this.context = context;
    this.errors = []; // of scripts, on all tabs
  }

  async tab(path, channel) {
    return new Tab(this, await this.context.newPage()).open(path, channel);
  }
}

// Somebody with a browser; logged in if `name` is given.
async function person(t, app, name) {
  const context = await (await browser(t)).newContext({ locale: 'en-GB' });
  t.defer(() => context.close());
  const one = new Person(app, name ?? 'a guest', context);
  app.persons.push(one);
  if (!name) return one;
  const tab = await one.tab('/login');
  await tab.click(`button:has-text("${name}")`);
  await tab.page.waitForURL('**/notifications');
  await tab.close();
  return one;
}

module.exports = { LIMIT_MS, browser, launch, person };
