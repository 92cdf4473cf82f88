// SPDX-License-Identifier: MIT
//
// The live stream: the reserved app peal-internal, through pusher-js. What nobody looks at is not
// subscribed to, so that the server has nothing to do for it.
import Pusher from 'pusher-js';
import { ref } from 'vue';

export const connection = ref('connecting');

let pusher = null;

// Also where nothing is listened to yet: whether the server is there is always shown.
export function connect() {
  if (pusher) return pusher;
  pusher = new Pusher('peal-internal', {
    cluster: '',
    wsHost: location.hostname,
    wsPort: location.port || 80,
    wssPort: location.port || 443,
    forceTLS: location.protocol === 'https:',
    enabledTransports: ['ws', 'wss'],
    enableStats: false,
  });
  pusher.connection.bind('state_change', ({ current }) => {
    connection.value = current;
  });
  return pusher;
}

// Calls `handle` for each event of that channel, `refused` with a sentence where it is not to be had,
// until the returned function is called.
function listen(channel, event, handle, refused = () => {}) {
  const subscription = connect().subscribe(channel);
  const onError = ({ error }) => refused(error);
  subscription.bind(event, handle);
  subscription.bind('pusher:subscription_error', onError);
  return () => {
    subscription.unbind(event, handle);
    subscription.unbind('pusher:subscription_error', onError);
    pusher.unsubscribe(channel);
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
