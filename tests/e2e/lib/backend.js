// SPDX-License-Identifier: MIT
//
// lib/backend.js: the application's own server, as far as clients need it: it signs channels and
// users with the Node SDK. Who somebody is, the client says itself in the form field `user`.
'use strict';

const http = require('node:http');
const PusherServer = require('pusher');

const MASTER_KEY = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

// The Node SDK, talking to our server.
function sdk(server, options = {}) {
  return new PusherServer({
    appId: server.app.id,
    key: server.app.key,
    secret: server.app.secret,
    host: server.host,
    port: String(server.port),
    useTLS: false,
    encryptionMasterKeyBase64: MASTER_KEY,
    ...options,
  });
}

function sign(signer, path, form) {
  const socketId = form.get('socket_id');
  const user = form.has('user') ? JSON.parse(form.get('user')) : undefined;
  if (path === '/broadcasting/user-auth') return signer.authenticateUser(socketId, user);
  const channel = form.get('channel_name');
  if (!channel.startsWith('presence-')) return signer.authorizeChannel(socketId, channel);
  return signer.authorizeChannel(socketId, channel, user);
}

// Starts it; `requests` are the forms that came, `refuse` makes it answer 403.
async function startBackend(server, options) {
  const signer = sdk(server, options);
  const backend = { requests: [], refuse: false };
  const listener = http.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const form = new URLSearchParams(text);
      backend.requests.push({ path: request.url, form, headers: request.headers });
      const status = backend.refuse ? 403 : 200;
      const answer = backend.refuse ? { error: 'no' } : sign(signer, request.url, form);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  backend.url = `http://127.0.0.1:${listener.address().port}`;
  backend.close = () => {
    listener.closeAllConnections();
    return new Promise((resolve) => listener.close(resolve));
  };
  return backend;
}

module.exports = { MASTER_KEY, sdk, startBackend };
