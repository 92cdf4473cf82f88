// SPDX-License-Identifier: MIT
//
// The live stream: the reserved app peal-internal, through pusher-js. What nobody looks at is not
// subscribed to, so that the server has nothing to do for it.
import Pusher from 'pusher-js';
import { ref } from 'vue';
import { api, login } from './api.js';

const RETRY_MS = 1000;
const GONE = ['unavailable', 'failed', 'disconnected'];

export const connection = ref('connecting');

let pusher = null;
const listeners = new Set();

function attach(listener) {
  const channel = pusher.subscribe(listener.channel);
  channel.bind(listener.event, listener.handle);
  channel.bind('pusher:subscription_error', listener.onError);
}

function detach(listener) {
  const channel = pusher?.channel(listener.channel);
  if (!channel) return;
  channel.unbind(listener.event, listener.handle);
  channel.unbind('pusher:subscription_error', listener.onError);
  const others = [...listeners].some((other) => other.channel === listener.channel);
  if (!others) pusher.unsubscribe(listener.channel);
}

// Over the main listener the stream is below the page's path and needs a token, good for a minute. Its
// key is the one place where pusher-js lets parameters through.
async function place() {
  if (!login.value) return { key: 'peal-internal' };
  const { token } = await api.stream();
  return { key: `peal-internal?token=${token}&`, wsPath: location.pathname.replace(/\/[^/]*$/, '') };
}

function onState({ previous, current }) {
  connection.value = current;
  if (login.value && (previous === 'connected' || GONE.includes(current))) again();
}

// The token may be over by now: another connection, with another one. The old one ends when it has done
// what it was about to do, which might be to connect again.
function again() {
  const old = pusher;
  old?.connection.unbind('state_change', onState);
  pusher = null;
  connection.value = 'connecting';
  setTimeout(() => old?.disconnect());
  setTimeout(connect, RETRY_MS);
}

// Also where nothing is listened to yet: whether the server is there is always shown.
export async function connect() {
  let at;
  try {
    at = await place();
  } catch {
    again();
    return;
  }
  pusher = new Pusher(at.key, {
    cluster: '',
    wsHost: location.hostname,
    wsPort: location.port || 80,
    wssPort: location.port || 443,
    wsPath: at.wsPath ?? '',
    forceTLS: location.protocol === 'https:',
    enabledTransports: ['ws', 'wss'],
    enableStats: false,
  });
  pusher.connection.bind('state_change', onState);
  for (const listener of listeners) attach(listener);
}

// Calls `handle` for each event of that channel, `refused` with a sentence where it is not to be had,
// until the returned function is called.
function listen(channel, event, handle, refused = () => {}) {
  const listener = { channel, event, handle, onError: ({ error }) => refused(error) };
  listeners.add(listener);
  if (pusher) attach(listener);
  return () => {
    listeners.delete(listener);
    detach(listener);
  };
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export const listenToStats = (handle) => listen('stats', 'stats', handle);

export function listenToEvents(filter, handle, refused) {
  const given = Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value && value.length > 0),
  );
  const name = Object.keys(given).length > 0 ? `watch-${base64url(JSON.stringify(given))}` : 'watch';
  return listen(name, 'watch', handle, refused);
}
