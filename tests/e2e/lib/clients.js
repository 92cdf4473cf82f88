// SPDX-License-Identifier: MIT
//
// lib/clients.js: the two kinds of WebSocket clients of the tests. RawClient speaks the protocol by
// hand and sees each frame; makePusher gives a released pusher-js, set up as its users do it.
'use strict';

const assert = require('node:assert');
const WebSocket = require('ws');
const { channelAuth, userAuth } = require('./api');
const { Inbox, within } = require('./wait');

const PUSHER_JS = {
  4: () => require('pusher-js-4'),
  7: () => require('pusher-js-7'),
  8: () => require('pusher-js'),
};

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// A frame as the tests look at it: its members, `json`: data decoded, `text`: all of it as it came.
function readFrame(text) {
  const frame = readJson(text) ?? {};
  const json = typeof frame.data === 'string' ? readJson(frame.data) : frame.data;
  return { ...frame, json, text };
}

class RawClient {
  // Connects and waits for connection_established. options: key, query, path (all of it), url
  // (instead of all of these), headers, protocols, app (whose secret signs), ws (options of the ws
  // library).
  static async open(server, options = {}) {
    const client = new RawClient(server, options);
    const first = await client.take(() => true, 'first frame');
    assert.strictEqual(first.event, 'pusher:connection_established', first.text);
    client.socketId = first.json.socket_id;
    client.established = first;
    return client;
  }

  // Without waiting: for connections that the server is to refuse.
  constructor(server, options = {}) {
    const { key = server.app?.key, query = 'protocol=7&client=js&version=8.6.0&flash=false' } =
      options;
    const path = options.path ?? `/app/${key}?${query}`;
    const url = options.url ?? `ws://${server.host}:${server.port}${path}`;
    const { headers, protocols = [], ws } = options;
    this.server = server;
    this.app = options.app ?? server.app;
    this.frames = new Inbox((list) => list.map((frame) => frame.text).join(' '));
    this.pings = [];
    this.socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false, ...ws });
    this.socket.on('message', (bytes) => this.frames.push(readFrame(bytes.toString('utf8'))));
    this.socket.on('ping', (payload) => this.pings.push(payload.toString()));
    this._closed = new Promise((resolve) => {
      this.socket.on('error', (error) => (this.error = error));
      this.socket.on('close', (code, reason) => {
        const why = `closed with ${code} ${reason}${this.error ? ` (${this.error.message})` : ''}`;
        this.frames.end(why);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  send(frame) {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  take(match, what, ms) {
    return this.frames.take(match, what, ms);
  }

  // The next frame with this event (and channel).
  event(name, channel, ms) {
    const match = (frame) => frame.event === name && (!channel || frame.channel === channel);
    return this.take(match, channel ? `${name} on ${channel}` : name, ms);
  }

  closed(ms) {
    return within(this._closed, 'close', ms);
  }

  // After the answer, all that the server had to say to the frames before has come.
  async ping() {
    this.send({ event: 'pusher:ping', data: {} });
    await this.event('pusher:pong');
  }

  // Sends pusher:subscribe with a right signature, where the channel needs one.
  sendSubscribe(channel, { user, channelData, ...data } = {}) {
    const member = channelData ?? (user === undefined ? undefined : JSON.stringify(user));
    const signed = /^(private|presence)-/.test(channel);
    const auth = signed ? channelAuth(this.app, this.socketId, channel, member) : '';
    this.send({
      event: 'pusher:subscribe',
      data: { auth, ...(member === undefined ? {} : { channel_data: member }), channel, ...data },
    });
  }

  // Subscribes and returns the decoded data of subscription_succeeded.
  async subscribe(channel, options) {
    this.sendSubscribe(channel, options);
    const answer = (frame) =>
      frame.channel === channel &&
      ['pusher_internal:subscription_succeeded', 'pusher:subscription_error'].includes(frame.event);
    const frame = await this.take(answer, `answer to subscribing to ${channel}`);
    assert.strictEqual(frame.event, 'pusher_internal:subscription_succeeded', frame.text);
    return frame.json;
  }

  // Subscribes and returns the subscription_error frame that refuses it.
  async subscribeRefused(channel, options) {
    this.sendSubscribe(channel, options);
    const refusal = await this.take(
      (frame) => frame.channel === channel && frame.event !== 'pusher:error',
      `refusal of ${channel}`,
    );
    assert.strictEqual(refusal.event, 'pusher:subscription_error', refusal.text);
    return refusal;
  }

  unsubscribe(channel) {
    this.send({ event: 'pusher:unsubscribe', data: { channel } });
  }

  sendSignin(user, { auth } = {}) {
    const userData = typeof user === 'string' ? user : JSON.stringify(user);
    const signature = auth ?? userAuth(this.app, this.socketId, userData);
    this.send({ event: 'pusher:signin', data: { auth: signature, user_data: userData } });
    return userData;
  }

  async signin(user) {
    this.sendSignin(user);
    return this.event('pusher:signin_success');
  }

  trigger(event, channel, data) {
    this.send({ event, channel, data });
  }

  // Everything of a channel (or with an event) that nobody has taken.
  unread(match) {
    const wanted = typeof match === 'function' ? match : (frame) => frame.channel === match;
    return this.frames.unread.filter(wanted).map((frame) => frame.text);
  }

  close() {
    if (this.socket.readyState <= WebSocket.OPEN) this.socket.close(1000);
    return this.closed().catch(() => this.socket.terminate());
  }

  // As when a cable is pulled: no close frame.
  destroy() {
    this.socket.terminate();
  }
}

// Opens clients until there is one on each worker; the others are closed. `open()` makes a client
// with a socketId and a close(). Returned in the order of the workers.
async function onEachWorker(server, open, appId) {
  const found = new Map();
  const spare = [];
  while (found.size < server.workers) {
    assert.ok(found.size + spare.length < 200, 'the kernel gives all connections to one worker');
    const client = await open();
    const worker = await server.workerOf(client.socketId, appId);
    if (found.has(worker)) spare.push(client);
    else found.set(worker, client);
  }
  await Promise.all(spare.map((client) => client.close()));
  return [...found.keys()].sort((a, b) => a - b).map((worker) => found.get(worker));
}

// A pusher-js client. options go to the library; `user` is what the auth backend is to say who we
// are (see lib/backend.js).
function makePusher(server, { version = 8, backend, user, key, ...options } = {}) {
  const Pusher = PUSHER_JS[version]();
  return new Pusher(key ?? server.app.key, pusherOptions(server, { backend, user, ...options }));
}

function pusherOptions(server, { backend, user, ...options } = {}) {
  const params = user === undefined ? {} : { user: JSON.stringify(user) };
  return {
    cluster: 'mt1',
    wsHost: server.host,
    wsPort: server.port,
    wssPort: server.port,
    httpHost: server.host,
    httpPort: server.port,
    forceTLS: false,
    encrypted: false,
    disableStats: true,
    enabledTransports: ['ws'],
    ...(backend
      ? {
          authEndpoint: `${backend.url}/broadcasting/auth`,
          auth: { params },
          userAuthentication: { endpoint: `${backend.url}/broadcasting/user-auth`, params },
        }
      : {}),
    ...options,
  };
}

// The first time that `event` fires on something with bind(): a Pusher, a channel, a connection.
function fires(emitter, event, { match = () => true, ms } = {}) {
  let handler;
  const fired = new Promise((resolve) => {
    handler = (data) => {
      if (!match(data)) return;
      emitter.unbind(event, handler);
      resolve(data);
    };
    emitter.bind(event, handler);
  });
  return within(fired, `event ${event}`, ms);
}

// Until the connection of a pusher-js client is in this state.
async function inState(pusher, state, ms) {
  if (pusher.connection.state !== state) await fires(pusher.connection, state, { ms });
}

const connected = (pusher, ms) => inState(pusher, 'connected', ms);

// Subscribes with pusher-js and waits for the answer; returns the channel.
async function subscribed(pusher, name) {
  const channel = pusher.subscribe(name);
  if (channel.subscribed) return channel;
  const failed = fires(channel, 'pusher:subscription_error').then((error) => {
    throw new Error(`subscription to ${name} refused: ${JSON.stringify(error)}`);
  });
  failed.catch(() => {});
  await Promise.race([fires(channel, 'pusher:subscription_succeeded'), failed]);
  return channel;
}

module.exports = {
  PUSHER_JS,
  RawClient,
  connected,
  fires,
  inState,
  makePusher,
  onEachWorker,
  pusherOptions,
  subscribed,
};
