// SPDX-License-Identifier: MIT
//
// Peal is restarted while people use the application: all are back within a few seconds, the people
// in the room are right, and nothing that was said is missing.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');
const { LIMIT_MS } = require('./lib/browser');
const { join, says } = require('./lib/chat');
const { poll } = require('../e2e/lib/wait');

const LONG = { ms: 90_000 };
// pusher-js would take 15 seconds after an attempt that was refused.
const FEW_MS = 10_000;

async function start(t) {
  const server = await t.server();
  const app = await App.start(t, server);
  app.mayFail = true; // who publishes while Peal is away is told so, and tries again
  const names = ['Mei Chen', 'Ben Okafor', 'Ada Lind'];
  const persons = await Promise.all(names.map((name) => app.person(name)));
  const tabs = await Promise.all(persons.map((one) => join(one)));
  for (const tab of tabs) await tab.sees('#count', '3 people here');
  return { app, server, tabs };
}

const socketIds = (tabs) => Promise.all(tabs.map((tab) => tab.socketId()));

// Does something to the server; resolves when all are connected anew and see this many people.
async function interrupt(tabs, count, action) {
  const before = await socketIds(tabs);
  const isNew = (id, n) => id && id !== before[n];
  const began = Date.now();
  const at = (await action()) ?? began;
  await poll(async () => (await socketIds(tabs)).every(isNew), 'new connection of all', LIMIT_MS);
  for (const tab of tabs) {
    await tab.subscribed('presence-chat.2');
    await tab.sees('#count', `${count} people here`);
    await tab.sees('#status', 'Live');
  }
  const took = Date.now() - at;
  assert.ok(took < FEW_MS, `it took ${took} ms until all were back`);
}

async function killed(server) {
  server.kill();
  await server.exited;
}

async function allHear(tabs, text) {
  await says(tabs[0], text);
  for (const tab of tabs) await tab.sees('#messages .bubble >> nth=-1', text);
}

test('restarted in place (SIGUSR2), twice', LONG, async (t) => {
  const { server, tabs } = await start(t);
  for (const generation of [2, 3]) {
    await interrupt(tabs, 3, async () => {
      server.signal('SIGUSR2');
      await server.generation(generation);
    });
    await allHear(tabs, `generation ${generation}`);
  }
  for (const tab of tabs) await tab.sees('#messages .bubble', 'generation 2', 'generation 3');
});

test('killed and started again', LONG, async (t) => {
  const { server, tabs } = await start(t);
  await interrupt(tabs, 3, async () => {
    await killed(server);
    await t.server({ port: server.port });
  });
  await allHear(tabs, 'back again');
  const notes = await tabs[0].texts('#messages .note');
  assert.ok(!notes.some((note) => note.endsWith('left')), `nobody left: ${notes.join(', ')}`);
});

// Chromium says so on the console.
const refused = (tab) =>
  tab.page.waitForEvent('console', (message) => message.text().includes('ERR_CONNECTION_REFUSED'));

test('away so long that an attempt is refused, while people talk and one goes', LONG, async (t) => {
  const { server, tabs } = await start(t);
  const [mei, ben, ada] = tabs;
  await interrupt([mei, ada], 2, async () => {
    const bothRefused = Promise.all([refused(mei), refused(ada)]);
    await killed(server);
    await says(mei, 'is anybody there?');
    await mei.sees('#messages .bubble', 'is anybody there?');
    await bothRefused;
    await ben.close();
    await t.server({ port: server.port });
    return Date.now();
  });
  await ada.sees('#messages .bubble', 'is anybody there?');
  await allHear([mei, ada], 'there you are');
  for (const tab of [mei, ada]) {
    await tab.sees('#people li span:last-child', 'Ada Lind', 'Mei Chen');
    await tab.sees('#messages .bubble', 'is anybody there?', 'there you are');
  }
});
