// SPDX-License-Identifier: MIT
//
// lib/watch.js: the admin listener as the dashboard uses it: questions, writes, the live stream by
// pusher-js, explanations.
'use strict';

const assert = require('node:assert');
const http = require('node:http');
const WebSocket = require('ws');
const api = require('./api');
const { PUSHER_JS, pusherOptions, subscribed } = require('./clients');
const { Inbox, poll, within } = require('./wait');

// Any request to the admin listener; resolves to { status, headers, json }.
function ask(server, target, { method = 'GET', headers = {}, body = '' } = {}) {
  const options = {
    host: server.adminHost,
    port: server.adminPort,
    path: target,
    method,
    headers: { ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}), ...headers },
    agent: false,
  };
  const answer = new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      let text = '';
      response.on('data', (bytes) => (text += bytes));
      response.on('end', () => {
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, json, text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
  return within(answer, `answer to ${method} ${target}`);
}

async function get(server, target) {
  const answer = await ask(server, target);
  assert.strictEqual(answer.status, 200, `${target}: ${answer.status} ${answer.text}`);
  return answer.json;
}

const WRITE = { 'X-Peal': '1', 'Content-Type': 'application/json' };

function post(server, target, body, headers = WRITE) {
  return ask(server, target, { method: 'POST', headers, body: JSON.stringify(body) });
}

const query = (params) => new URLSearchParams(params).toString();
const facts = async (server, params = {}) =>
  (await get(server, `/admin/facts?${query(params)}`)).facts;
const explain = (server, id, more = {}) => get(server, `/admin/explain?${query({ id, ...more })}`);

// The newest fact that fits, once it is there and handed out.
async function newest(server, params = {}) {
  let found;
  const there = async () => {
    [found] = await facts(server, params);
    return found?.done;
  };
  await poll(there, `a fact of ${JSON.stringify(params)}`);
  return found;
}

const filterChannel = (filter) =>
  `watch-${Buffer.from(JSON.stringify(filter)).toString('base64url')}`;

// A pusher-js that is no browser, and so says X-Peal; in browsers it sends its Origin.
function watcher(t, server, options = {}) {
  const Pusher = PUSHER_JS[8]();
  Pusher.Runtime.createWebSocket = (url) =>
    new WebSocket(url, { headers: { 'X-Peal': '1' }, perMessageDeflate: false });
  const pusher = new Pusher(
    options.key ?? 'peal-internal',
    pusherOptions({ host: server.adminHost, port: server.adminPort, ...options.at }),
  );
  t.defer(() => pusher.disconnect());
  return pusher;
}

// What happens, event by event, as the debug console sees it.
async function watch(t, server, filter, options) {
  const pusher = watcher(t, server, options);
  const channel = await subscribed(pusher, filter ? filterChannel(filter) : 'watch');
  const seen = new Inbox((list) => list.map((event) => JSON.stringify(event)).join(' '));
  channel.bind('watch', (batch) => {
    assert.strictEqual(batch.skipped, 0);
    for (const event of batch.events) seen.push(event);
  });
  return seen;
}

// Asks for a WebSocket; resolves to the status, 101: it was opened.
function upgradeStatus(url, headers) {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const status = new Promise((resolve, reject) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (request, response) => resolve(response.statusCode));
    socket.on('error', reject);
  });
  return within(status, 'answer to the upgrade').finally(() => socket.terminate());
}

// A token for watching this app over the main listener, as its back end makes them.
function token(app, expires = Math.floor(Date.now() / 1000) + 60) {
  const id = Buffer.from(app.id).toString('base64url');
  return `v1.${id}.${expires}.${api.hmac(app.secret, `peal-internal:${app.id}:${expires}`)}`;
}

module.exports = {
  WRITE,
  ask,
  explain,
  facts,
  filterChannel,
  get,
  newest,
  post,
  token,
  upgradeStatus,
  watch,
  watcher,
};
