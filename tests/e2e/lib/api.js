// SPDX-License-Identifier: MIT
//
// lib/api.js: signed requests to the HTTP API, made by hand, so that each part can be made wrong.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const http = require('node:http');
const { within } = require('./wait');

const hmac = (secret, text) => crypto.createHmac('sha256', secret).update(text).digest('hex');
const md5 = (bytes) => crypto.createHash('md5').update(bytes).digest('hex');

// The `auth` of a channel: KEY:SIGNATURE over socket_id:channel[:channel_data].
function channelAuth(app, socketId, channel, channelData) {
  const text = [socketId, channel].concat(channelData === undefined ? [] : [channelData]).join(':');
  return `${app.key}:${hmac(app.secret, text)}`;
}

function userAuth(app, socketId, userData) {
  return `${app.key}:${hmac(app.secret, `${socketId}::user::${userData}`)}`;
}

// The query of a signed request. `auth` replaces parameters (undefined: leaves one out), before the
// signature is made; `signature` replaces the signature itself.
function signedQuery(app, method, path, { query = {}, body = '', auth = {}, signature } = {}) {
  const params = {
    auth_key: app.key,
    auth_timestamp: String(Math.floor(Date.now() / 1000)),
    auth_version: '1.0',
    ...(body.length > 0 ? { body_md5: md5(body) } : {}),
    ...query,
    ...auth,
  };
  for (const name of Object.keys(params)) if (params[name] === undefined) delete params[name];
  const text = Object.entries(params)
    .map(([name, value]) => [name.toLowerCase(), value])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const made = hmac(app.secret, `${method}\n${path}\n${text}`);
  return { ...params, auth_signature: signature ?? made };
}

function encode(query) {
  return Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

// A request; resolves to { status, headers, text, json }.
function send(server, { method = 'GET', target, body = '', headers = {}, agent = false }) {
  const options = { host: server.host, port: server.port, method, path: target, headers, agent };
  const answer = new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, text, json });
      });
    });
    const what = `${method} ${target.slice(0, 80)}`;
    request.on('error', (error) => reject(new Error(`${what}: ${error.message}`)));
    request.end(body);
  });
  return within(answer, `answer to ${method} ${target.slice(0, 80)}`);
}

function bodyText(body) {
  if (body === undefined) return '';
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

// A signed request to /apps/{id}{path}; see signedQuery for the options.
function call(server, method, path, options = {}) {
  const app = options.app ?? server.app;
  const full = `/apps/${app.id}${path}`;
  const body = bodyText(options.body);
  const query = signedQuery(app, method, options.signedPath ?? full, { ...options, body });
  const target = `${options.prefix ?? ''}${full}?${(options.encode ?? encode)(query)}`;
  const headers = {
    ...(body.length > 0 ? { 'Content-Type': 'application/json' } : {}),
    ...options.headers,
  };
  if (body.length > 0) headers['Content-Length'] = Buffer.byteLength(body);
  return send(server, { method, target, body, headers, agent: options.agent });
}

// The JSON of a signed request that must succeed.
async function ok(server, method, path, options) {
  const answer = await call(server, method, path, options);
  assert.strictEqual(answer.status, 200, `${method} ${path}: ${answer.status} ${answer.text}`);
  assert.ok(answer.json, `${method} ${path}: no JSON: ${answer.text}`);
  return answer.json;
}

const get = (server, path, query, options) => ok(server, 'GET', path, { query, ...options });

// Publishes; `channels` is a name or a list of names, `data` a string (sent as it is).
function publish(server, channels, name, data = '{}', extra = {}, options = {}) {
  const body = { name, channels: [].concat(channels), data, ...extra };
  return ok(server, 'POST', '/events', { body, ...options });
}

module.exports = {
  call,
  channelAuth,
  encode,
  get,
  hmac,
  md5,
  ok,
  publish,
  send,
  signedQuery,
  userAuth,
};
