// SPDX-License-Identifier: MIT
//
// kill -9 under load, and a new start on the same port at once.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { connected, subscribed } = require('./lib/clients');
const { Witness, attack, base64, textFrame, upgradeText } = require('./lib/attack');
const { poll, within } = require('./lib/wait');
const { test } = require('./lib/suite');

test(
  'kill -9 under load: the port is free at once, all clients come back',
  { workers: [1, 2], ms: 90_000 },
  async (t) => {
    const server = await t.server();
    const backend = await t.backend(server);
    const clients = Array.from({ length: 40 }, (_, n) =>
      t.pusher(server, { backend, user: { user_id: `u${n}` } }),
    );
    await Promise.all(clients.map((client) => connected(client)));
    const channels = [];
    for (const client of clients) channels.push(await subscribed(client, 'presence-room'));
    const event = textFrame({ event: 'pusher:ping', data: {} });
    const plan = { connections: 50, first: upgradeText(server), frames: 1, reconnect: true };
    await attack(t, server, { ...plan, again: base64(event) });

    server.kill();
    await within(server.exited, 'end of the killed server');
    const began = Date.now();
    const next = await t.server({ port: server.port });
    const startMs = Date.now() - began;
    assert.strictEqual(next.port, server.port);
    const room = '/channels/presence-room/users';
    await poll(
      async () => (await api.get(next, room)).users.length === clients.length,
      'return of all clients',
      30_000,
    );
    console.log(`     ready after ${startMs} ms, all back after ${Date.now() - began} ms`);
    // Who came early is told of the others one by one.
    const complete = (channel) => channel.subscribed && channel.members.count === clients.length;
    const counts = () => channels.map((channel) => channel.members.count).join(' ');
    await poll(() => channels.every(complete), () => `complete rosters: ${counts()}`);
    const got = Promise.all(
      channels.map((channel) => new Promise((resolve) => channel.bind('after', resolve))),
    );
    await api.publish(next, 'presence-room', 'after');
    await within(got, 'event after the restart for all');
    const witness = await Witness.start(t, next);
    await witness.more(10);
    await witness.good();
  },
);
