// SPDX-License-Identifier: MIT
//
// The admin API of docs/internals/watch.md. Errors carry the sentence that the server gave.

const WRITE = { 'Content-Type': 'application/json', 'X-Peal': '1' };

async function request(path, options) {
  let response;
  try {
    response = await fetch(`admin/${path}`, { cache: 'no-store', ...options });
  } catch {
    throw new Error('The server does not answer.');
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const error = new Error(body?.error ?? `The server answered ${response.status}.`);
  throw Object.assign(error, { status: response.status, body });
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== '' && value != null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

const read = (path, values = {}) => request(path + query(values));
const write = (path, body) =>
  request(path, { method: 'POST', headers: WRITE, body: JSON.stringify(body) });

export const api = {
  apps: () => read('apps'),
  channels: (app, prefix) => read('channels', { app, prefix }),
  channel: (app, name) => read('channel', { app, name }),
  connection: (socketId) => read('connection', { socket_id: socketId }),
  disconnect: (socketId, code) => write('disconnect', { socket_id: socketId, code }),
  publish: (event) => write('publish', event),
  facts: (filter) => read('facts', filter),
  explain: (id, socket) => read('explain', { id, socket }),
  statistics: (app, from, to, step) => read('statistics', { app, from, to, step }),
};
