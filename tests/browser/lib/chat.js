// SPDX-License-Identifier: MIT
//
// lib/chat.js: what people do in the chat room.
'use strict';

// Goes into a room, one without messages unless said otherwise, and waits until he is in.
async function join(person, room = 2) {
  const tab = await person.tab(`/chat/${room}`, `presence-chat.${room}`);
  await tab.page.waitForSelector('#chat[data-joined=yes]');
  return tab;
}

async function says(tab, text) {
  await tab.page.fill('#message input', text);
  await tab.click('#message button');
}

module.exports = { join, says };
