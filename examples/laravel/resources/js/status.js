import { find } from './dom';

const TEXTS = { connected: 'Live', connecting: 'Connecting…', unavailable: 'Reconnecting…' };

// The dot in the header.
export default function status() {
    const badge = find('#status');
    const { connection } = window.Echo.connector.pusher;

    const show = (state) => {
        badge.dataset.state = state;
        badge.querySelector('span').textContent = TEXTS[state] ?? 'Offline';
    };

    show(connection.state);
    connection.bind('state_change', ({ current }) => show(current));
}
