// SPDX-License-Identifier: MIT
//
// The admin API of docs/internals/watch.md. Errors carry the sentence that the server gave. Where a
// log-in is needed and there is none (any more), the log-in page is shown.

import { ref } from 'vue';

// Who is logged in: { token, ends }, or null on the admin listener, which has no log-in.
export const login = ref(null);

export function showLogin() {
  location.assign('login');
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(`admin/${path}`, { cache: 'no-store', ...options });
  } catch {
    throw new Error('The server does not answer.');
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  if (response.status === 401) showLogin();
  const error = new Error(body?.error ?? `The server answered ${response.status}.`);
  throw Object.assign(error, { status: response.status, body });
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== '' && value != null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

const read = (path, values = {}) => request(path + query(values));
const write = (path, body) =>
  request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Peal': login.value?.token ?? '1' },
    body: JSON.stringify(body),
  });

export const api = {
  apps: () => read('apps'),
  figures: (app) => read('figures', { app }),
  channels: (app, prefix) => read('channels', { app, prefix }),
  channel: (app, name) => read('channel', { app, name }),
  connection: (socketId) => read('connection', { socket_id: socketId }),
  disconnect: (socketId, code) => write('disconnect', { socket_id: socketId, code }),
  publish: (event) => write('publish', event),
  facts: (filter) => read('facts', filter),
  explain: (id, socket) => read('explain', { id, socket }),
  session: () => read('session'),
  stream: () => read('stream'),
  secret: (app) => write('secret', { app }),
  logout: () => write('logout', {}),
  statistics: (app, from, to, step) => read('statistics', { app, from, to, step }),
};
