// SPDX-License-Identifier: MIT
//
// The chat room: a presence channel, events to all others, whispers, and who may not come in.
'use strict';

const assert = require('node:assert');
const { test } = require('../e2e/lib/suite');
const { App } = require('./lib/app');
const { join, says } = require('./lib/chat');

const LONG = { ms: 90_000 };

async function start(t, ...names) {
  const app = await App.start(t, await t.server());
  return Promise.all(names.map((name) => app.person(name)));
}

test('who is here, who joins and who leaves', LONG, async (t) => {
  const [mei, ben] = await start(t, 'Mei Chen', 'Ben Okafor');
  const first = await join(mei);
  await first.sees('#count', '1 person here');
  await first.sees('#people li span:last-child', 'Mei Chen');
  const second = await join(ben);
  await second.sees('#count', '2 people here');
  await first.sees('#count', '2 people here');
  await first.sees('#people li span:last-child', 'Ben Okafor', 'Mei Chen');
  await first.sees('#messages .note', 'Ben Okafor joined');
  await second.close();
  await first.sees('#count', '1 person here');
  await first.sees('#messages .note', 'Ben Okafor joined', 'Ben Okafor left');
});

test('two tabs of one user are one person', LONG, async (t) => {
  const [mei, ben, ada] = await start(t, 'Mei Chen', 'Ben Okafor', 'Ada Lind');
  const first = await join(mei);
  const tabs = [await join(ben), await join(ben)];
  await tabs[1].sees('#count', '2 people here');
  await first.sees('#count', '2 people here');
  await tabs[0].close();
  await join(ada);
  // What is told of Ada comes after all that could have been told of the tabs.
  await first.sees('#count', '3 people here');
  await first.sees('#messages .note', 'Ben Okafor joined', 'Ada Lind joined');
  await tabs[1].close();
  await first.sees('#messages .note', 'Ben Okafor joined', 'Ada Lind joined', 'Ben Okafor left');
  await first.sees('#count', '2 people here');
});

test('a message is seen by all, and the event goes to others only', LONG, async (t) => {
  const [mei, ben] = await start(t, 'Mei Chen', 'Ben Okafor');
  const [writer, ownTab, reader] = [await join(mei), await join(mei), await join(ben)];
  const request = writer.page.waitForRequest((one) => one.method() === 'POST');
  await says(writer, '早安! <b>Tea</b> & "cups" 🍵');
  assert.strictEqual((await request).headers()['x-socket-id'], await writer.socketId());

  const { channel, data } = await reader.event('App\\Events\\NewChatMessage');
  assert.strictEqual(channel, 'presence-chat.2');
  const { id, name, initials } = data.user;
  assert.deepStrictEqual({ id, name, initials }, { id: 1, name: 'Mei Chen', initials: 'MC' });
  assert.ok(!JSON.stringify(data).includes('@'), "the user's address is nobody's business");

  for (const tab of [writer, ownTab, reader]) {
    await tab.sees('#messages .bubble', '早安! <b>Tea</b> & "cups" 🍵');
  }
  await reader.sees('#messages li strong', 'Mei Chen');
  await says(reader, 'Good morning');
  for (const tab of [writer, ownTab, reader]) {
    await tab.sees('#messages .bubble', '早安! <b>Tea</b> & "cups" 🍵', 'Good morning');
  }
  const authors = (tab) => tab.events('App\\Events\\NewChatMessage').map((one) => one.data.user.name);
  assert.deepStrictEqual(authors(writer), ['Ben Okafor']);
  assert.deepStrictEqual(authors(ownTab), ['Mei Chen', 'Ben Okafor']);
  assert.deepStrictEqual(authors(reader), ['Mei Chen']);
});

test('who is typing is shown to the others, until the message is there', LONG, async (t) => {
  const [mei, ben] = await start(t, 'Mei Chen', 'Ben Okafor');
  const [writer, reader] = [await join(mei), await join(ben)];
  const types = (text) => writer.page.locator('#message input').pressSequentially(text);
  await Promise.all([types('I am'), reader.sees('#typing', 'Mei Chen is typing…')]);
  assert.strictEqual((await reader.event('client-typing')).channel, 'presence-chat.2');
  await says(writer, 'I am here');
  await reader.sees('#messages .bubble', 'I am here');
  assert.deepStrictEqual(await reader.texts('#typing:not(:empty)'), []);
  assert.deepStrictEqual(writer.events('client-typing'), []);
  await Promise.all([types('And'), reader.sees('#typing', 'Mei Chen is typing…')]);
  await reader.sees('#typing:not(:empty)'); // nothing came of it
});

test('who may not join sees why, and nothing else', LONG, async (t) => {
  const [mei, gus] = await start(t, 'Mei Chen', 'Gus Gray');
  const inside = await join(mei);
  const outside = await gus.tab('/chat/2');
  await outside.sees('#refused p', 'You may not join this room (403).');
  assert.deepStrictEqual(await outside.texts('#message, #people, #messages'), []);
  const answers = await outside.page.evaluate(async () => {
    const status = (promise) => promise.catch(({ response }) => response.status);
    const url = '/chat/2/messages';
    return [await status(window.axios.get(url)), await status(window.axios.post(url, { text: 'x' }))];
  });
  assert.deepStrictEqual(answers, [403, 403]);
  const welcome = await join(gus, 1);
  await welcome.sees('#count', '1 person here');
  await inside.sees('#count', '1 person here');
  assert.deepStrictEqual(await inside.texts('#messages li'), []);
});
