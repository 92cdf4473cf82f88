import { find, fromTemplate, time } from './dom';

// On all pages: whoever is logged in hears of his notifications.
export default function notifications() {
    const { userId } = document.body.dataset;
    if (!userId) return;

    window.Echo.private(`notifications.${userId}`)
        .listen('.new.notification', ({ notification }) => {
            announce(notification);
            add(notification);
        })
        .subscribed(reload);

    reload();
    find('#send')?.addEventListener('submit', send);
}

function announce({ text, sender }) {
    const toast = fromTemplate('toast', { text, sender: sender.name });
    find('#toasts').append(toast);
    setTimeout(() => toast.remove(), 6000);
}

function add(notification) {
    const list = find('#notifications');
    if (!list || list.querySelector(`[data-id="${notification.id}"]`)) return;

    const { text, sender, created_at } = notification;
    const item = fromTemplate('notification', { text, sender: sender.name, time: time(created_at) });
    item.dataset.id = notification.id;
    const older = [...list.children].find((other) => Number(other.dataset.id) < notification.id);
    list.insertBefore(item, older ?? null);
    find('#no-notifications').hidden = true;
}

// What came while the page was not connected was broadcast to nobody: the application keeps it.
async function reload() {
    if (!find('#notifications')) return;

    const { data } = await window.axios.get('/notifications', { headers: { Accept: 'application/json' } });
    data.forEach(add);
}

async function send(event) {
    event.preventDefault();
    const form = event.target;
    await window.axios.post('/notifications', {
        text: form.elements.text.value,
        user_id: event.submitter.value,
    });
    find('#sent').textContent = `Sent to ${event.submitter.dataset.name}.`;
}
