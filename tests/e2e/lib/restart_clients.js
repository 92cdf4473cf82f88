// SPDX-License-Identifier: MIT
//
// lib/restart_clients.js: a process of its own with many pusher-js clients, for the test of the
// restart: tells its parent when all are subscribed, and when all are again after they were closed,
// with the time that each was away.
'use strict';

const { makePusher } = require('./clients');

const ROOM = 20; // people in one presence channel

const room = (number) => `presence-room-${Math.floor(number / ROOM)}`;

class Client {
  constructor(server, backend, number, changed) {
    this.since = 0; // when it was closed
    this.times = [];
    this.refused = 0;
    this.open = new Set();
    this.room = room(number);
    const channels = ['orders', 'private-orders', this.room];
    this.wanted = channels.length;
    const user = { user_id: String(number), user_info: { n: number } };
    this.pusher = makePusher(server, { backend, user });
    this.pusher.connection.bind('state_change', ({ previous, current }) => {
      if (previous === 'connected') {
        this.since = Date.now();
        this.open.clear();
      }
      if (current === 'unavailable' || current === 'failed') this.refused++;
    });
    for (const name of channels) {
      const channel = this.pusher.subscribe(name);
      channel.bind('pusher:subscription_succeeded', () => {
        this.open.add(name);
        if (this.open.size < this.wanted) return;
        if (this.since) this.times.push(Date.now() - this.since);
        changed();
      });
    }
  }

  complete() {
    return this.open.size === this.wanted;
  }
}

function run({ port, url, from, count }) {
  const server = { host: '127.0.0.1', port, app: { key: 'app-key' } };
  let told = false;
  const clients = [];
  const changed = () => {
    if (clients.length < count || !clients.every((client) => client.complete())) return;
    if (!told) {
      told = true;
      process.send({ kind: 'all connected' });
    } else if (clients.every((client) => client.times.length > 0)) {
      const times = clients.map((client) => client.times[0]);
      const refused = clients.reduce((sum, client) => sum + client.refused, 0);
      process.send({ kind: 'all back', times, refused });
    }
  };
  for (let i = 0; i < count; i++) clients.push(new Client(server, { url }, from + i, changed));
  return clients;
}

let clients = [];
process.on('message', (message) => {
  if (message.kind === 'members') {
    const counts = {};
    for (const { room: name, pusher } of clients) {
      const { count } = pusher.channel(name).members;
      counts[name] = counts[name] === undefined || counts[name] === count ? count : -1;
    }
    process.send({ kind: 'members', counts });
  } else {
    clients = run(message);
  }
});
process.on('disconnect', () => process.exit(0));
