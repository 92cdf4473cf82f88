// pusher-js gives each attempt 15 seconds, even one that is refused at once because the server is
// just starting. This begins a new one after 2 seconds, then 4, then 8; not all pages at the same
// moment.
export default function reconnect(pusher) {
    let seconds = 2;
    let timer;

    pusher.connection.bind('state_change', ({ current }) => {
        clearTimeout(timer);
        if (current === 'connected') seconds = 2;
        if (current === 'connecting') timer = setTimeout(again, seconds * (1000 + Math.random() * 500));
    });

    function again() {
        seconds = Math.min(seconds * 2, 15);
        pusher.disconnect();
        pusher.connect();
    }
}
