import axios from 'axios';
import Echo from 'laravel-echo';
import Pusher from 'pusher-js';
import reconnect from './reconnect';

// Echo finds axios here and adds the header X-Socket-ID to each request: toOthers() needs it.
window.axios = axios;
window.Pusher = Pusher;

// An application whose server has a fixed address takes these from import.meta.env.VITE_PUSHER_*.
const { pusherKey, pusherCluster, pusherPort, pusherScheme } = document.body.dataset;

window.Echo = new Echo({
    broadcaster: 'pusher',
    key: pusherKey,
    cluster: pusherCluster,
    wsHost: window.location.hostname,
    wsPort: pusherPort,
    wssPort: pusherPort,
    forceTLS: pusherScheme === 'https',
    enabledTransports: ['ws', 'wss'],
});

reconnect(window.Echo.connector.pusher);
