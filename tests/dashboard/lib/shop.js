// SPDX-License-Identifier: MIT
//
// lib/shop.js: a small web shop on a server: people with pusher-js, a back end that publishes, and
// the usual mistakes. The tests look at it through the dashboard, and so do the pictures of the guide.
'use strict';

const api = require('../../e2e/lib/api');
const { connected, fires, subscribed } = require('../../e2e/lib/clients');

const SHOP = { id: 'shop', key: 'shop-key', secret: 'e2e-shop-secret-x81' };
const BLOG = { id: 'blog', key: 'blog-key', secret: 'e2e-blog-secret-q27' };
const SHIPPED = 'App\\Events\\OrderShipped';

const PEOPLE = [
  { user_id: '7', user_info: { name: 'Mei Chen', role: 'support' } },
  { user_id: '12', user_info: { name: 'Ben Okafor', role: 'support' } },
  { user_id: '31', user_info: { name: 'Ada Lind', role: 'customer' } },
];

class Shop {
  // Everybody is connected and subscribed: all three to presence-support and orders, the last one
  // also to her own private-orders.7.
  static async open(t, options) {
    const server = await t.server({ apps: [SHOP, BLOG], ...options });
    const shop = new Shop(server, await t.backend(server));
    for (const user of PEOPLE) await shop._enter(t, user);
    await subscribed(shop.people.at(-1), 'private-orders.7');
    return shop;
  }

  constructor(server, backend) {
    this.server = server;
    this.backend = backend;
    this.people = []; // pusher-js, in the order of PEOPLE
  }

  async _enter(t, user) {
    const pusher = t.pusher(this.server, { backend: this.backend, user });
    this.people.push(pusher);
    await connected(pusher);
    await subscribed(pusher, 'presence-support');
    await subscribed(pusher, 'orders');
  }

  // Ids of their sockets, in that order.
  get sockets() {
    return this.people.map((pusher) => pusher.connection.socket_id);
  }

  publish(channel, event, data, extra) {
    return api.publish(this.server, channel, event, JSON.stringify(data), extra);
  }

  shipped(id, extra) {
    return this.publish('orders', SHIPPED, { order: { id, total: '€18.40' } }, extra);
  }

  // Somebody types: a client event to the others.
  async whispers(at = 0) {
    const [from, to] = [this.people[at], this.people[(at + 1) % this.people.length]];
    const heard = fires(to.channel('presence-support'), 'client-typing');
    from.channel('presence-support').trigger('client-typing', { name: PEOPLE[at].user_info.name });
    await heard;
  }

  // The mistakes: the wrong kind of channel, a wrong secret, a subscription that is not signed for.
  async mistakes(t) {
    await this.publish('orders.7', SHIPPED, { order: { id: 7 } });
    await api.call(this.server, 'POST', '/events', {
      app: { ...SHOP, secret: 'not-the-secret' },
      body: { name: SHIPPED, channels: ['orders'], data: '{}' },
    });
    const stranger = await t.raw(this.server);
    stranger.sendSubscribe('private-orders.7', { auth: `${SHOP.key}:${'0'.repeat(64)}` });
    await stranger.event('pusher:subscription_error');
  }
}

module.exports = { BLOG, PEOPLE, SHIPPED, SHOP, Shop };
