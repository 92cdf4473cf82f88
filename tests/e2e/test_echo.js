// SPDX-License-Identifier: MIT
//
// laravel-echo 1.x and 2.x with the broadcasters pusher and reverb, and a back end that signs.
'use strict';

const assert = require('node:assert');
const Pusher = require('pusher-js');
const { sdk } = require('./lib/backend');
const { fires, pusherOptions, connected } = require('./lib/clients');
const { poll, within } = require('./lib/wait');
const { test } = require('./lib/suite');

global.Pusher = Pusher; // where Echo 1 looks for it; Echo 2 wants `window`, or an option

const ECHO = {
  1: async () => require('laravel-echo-1').default,
  2: async () => (await import('laravel-echo-2')).default,
};

async function makeEcho(t, server, { version, broadcaster, backend, user }) {
  const Echo = await ECHO[version]();
  const { authEndpoint, auth, userAuthentication, cluster, ...options } = pusherOptions(server, {
    backend,
    user,
  });
  const echo = new Echo({
    broadcaster,
    ...(version === 2 ? { Pusher } : {}),
    key: server.app.key,
    authEndpoint,
    auth,
    userAuthentication,
    ...(broadcaster === 'pusher' ? { cluster } : {}),
    ...options,
    withoutInterceptors: true,
  });
  t.defer(() => echo.disconnect());
  await connected(echo.connector.pusher);
  return echo;
}

// The next call of a callback that `listen` is given.
const heard = (listen, what = 'call of the listener') => within(new Promise(listen), what);

const subscribedTo = (channel) => heard((resolve) => channel.subscribed(resolve), 'subscription');

async function world(t, kind) {
  const server = await t.server();
  const backend = await t.backend(server);
  const echo = (user) => makeEcho(t, server, { ...kind, backend, user });
  return { server, backend, back: sdk(server), echo };
}

for (const version of [1, 2]) {
  for (const broadcaster of ['pusher', 'reverb']) {
    const kind = { version, broadcaster };
    const name = (what) => `Echo ${version} (${broadcaster}): ${what}`;
    const quick = version === 2 && broadcaster === 'reverb';
    const options = { workers: [1, 2], quick };

    test(name('public channels, event names with and without namespace'), options, async (t) => {
      const { back, echo } = await world(t, kind);
      const channel = (await echo()).channel('orders');
      await subscribedTo(channel);
      const calls = {
        'App\\Events\\OrderShipped': (got) => channel.listen('OrderShipped', got),
        'App\\Events\\Order\\Paid': (got) => channel.listen('Order.Paid', got),
        'Other\\Thing': (got) => channel.listen('.Other\\Thing', got),
        'order.shipped': (got) => channel.listen('.order.shipped', got),
        'Acme\\Shipped': (got) => channel.listen('\\Acme\\Shipped', got),
      };
      for (const [event, listen] of Object.entries(calls)) {
        const data = heard(listen, event);
        await back.trigger('orders', event, { id: 7 });
        assert.deepStrictEqual(await data, { id: 7 });
      }
    });

    test(name('private channels, notifications, whispers'), options, async (t) => {
      const { back, echo, backend } = await world(t, kind);
      const [ann, bob] = [await echo(), await echo()];
      const [mine, his] = [ann.private('App.Models.User.1'), bob.private('App.Models.User.1')];
      await Promise.all([subscribedTo(mine), subscribedTo(his)]);
      const note = heard((got) => mine.notification(got), 'notification');
      const event = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';
      const payload = { id: 'x', type: 'App\\Notifications\\Paid', amount: 1 };
      await back.trigger('private-App.Models.User.1', event, payload);
      assert.deepStrictEqual(await note, payload);
      const whisper = heard((got) => his.listenForWhisper('typing', got), 'whisper');
      mine.whisper('typing', { name: 'Ann' });
      assert.deepStrictEqual(await whisper, { name: 'Ann' });
      assert.strictEqual(backend.requests.length, 2);
    });

    test(name('join, here, joining, leaving, whisper'), options, async (t) => {
      const { echo } = await world(t, kind);
      const who = (id) => ({ user_id: id, user_info: { name: `user ${id}` } });
      const ann = await echo(who('1'));
      const room = ann.join('room.1');
      assert.deepStrictEqual(await heard((got) => room.here(got), 'here'), [{ name: 'user 1' }]);
      const joining = heard((got) => room.joining(got), 'joining');
      const bob = await echo(who('2'));
      const his = bob.join('room.1');
      const here = await heard((got) => his.here(got), 'here');
      assert.deepStrictEqual(here.map(({ name: one }) => one).sort(), ['user 1', 'user 2']);
      assert.deepStrictEqual(await joining, { name: 'user 2' });
      const whisper = heard((got) => room.listenForWhisper('x', got), 'whisper');
      his.whisper('x', { a: 1 });
      assert.deepStrictEqual(await whisper, { a: 1 });
      const leaving = heard((got) => room.leaving(got), 'leaving');
      bob.leave('room.1');
      assert.deepStrictEqual(await leaving, { name: 'user 2' });
    });

    test(name('toOthers leaves out the socket id of Echo'), options, async (t) => {
      const { back, echo } = await world(t, kind);
      const [ann, bob] = [await echo(), await echo()];
      const [mine, his] = [ann.channel('orders'), bob.channel('orders')];
      await Promise.all([subscribedTo(mine), subscribedTo(his)]);
      const seen = [];
      mine.listen('.x', (data) => seen.push(data));
      const other = heard((got) => his.listen('.x', got), 'event for others');
      assert.match(ann.socketId(), /^\d+\.\d+$/);
      await back.trigger('orders', 'x', { n: 1 }, { socket_id: ann.socketId() });
      assert.deepStrictEqual(await other, { n: 1 });
      const marker = heard((got) => mine.listen('.end', got), 'marker');
      await back.trigger('orders', 'end', {});
      await marker;
      assert.deepStrictEqual(seen, []);
    });

    test(name('a refused channel calls error()'), options, async (t) => {
      const { backend, echo } = await world(t, kind);
      const ann = await echo();
      backend.refuse = true;
      const error = heard((got) => ann.private('a').error(got), 'error');
      assert.strictEqual((await error).status, 403);
    });

    test(name('encrypted private channels'), options, async (t) => {
      const { back, echo } = await world(t, kind);
      const channel = (await echo()).encryptedPrivate('vault');
      await subscribedTo(channel);
      const event = heard((got) => channel.listen('.secret', got), 'event');
      await back.trigger('private-encrypted-vault', 'secret', { pin: 1 });
      assert.deepStrictEqual(await event, { pin: 1 });
    });

    test(name('leaving a channel ends its events'), options, async (t) => {
      const { back, echo, server } = await world(t, kind);
      const ann = await echo();
      await subscribedTo(ann.channel('orders'));
      await subscribedTo(ann.channel('kept'));
      ann.leave('orders');
      // The unsubscribe and a request travel on different connections.
      const left = async () => {
        const { channels } = await require('./lib/api').get(server, '/channels');
        return !('orders' in channels);
      };
      await poll(left, 'the channel without subscribers');
      const kept = heard((got) => ann.channel('kept').listen('.x', got), 'event');
      await back.trigger(['orders', 'kept'], 'x', {});
      await kept;
      const { channels } = await require('./lib/api').get(server, '/channels');
      assert.deepStrictEqual(Object.keys(channels), ['kept']);
    });
  }

  test(`Echo ${version}: signin`, { workers: [1, 2] }, async (t) => {
    const kind = { version, broadcaster: 'pusher' };
    const { back, echo } = await world(t, kind);
    const ann = await echo({ id: '42' });
    ann.connector.signin();
    const { pusher } = ann.connector;
    await within(pusher.user.signinDonePromise, 'sign-in');
    const event = fires(pusher.user, 'hello');
    await back.sendToUser('42', 'hello', { a: 1 });
    assert.deepStrictEqual(await event, { a: 1 });
  });
}
