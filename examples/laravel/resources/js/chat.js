import { find, fromTemplate, time } from './dom';

export default function chat() {
    const page = find('#chat');
    if (!page) return;

    const { roomId, userName } = page.dataset;
    const url = `/chat/${roomId}/messages`;
    const people = new Map();

    const channel = window.Echo.join(`chat.${roomId}`)
        .here((users) => {
            people.clear();
            users.forEach((user) => people.set(user.id, user));
            showPeople(people);
            page.dataset.joined = 'yes';
            reload(url);
        })
        .joining((user) => {
            people.set(user.id, user);
            showPeople(people);
            note(`${user.name} joined`);
        })
        .leaving((user) => {
            people.delete(user.id);
            showPeople(people);
            note(`${user.name} left`);
        })
        .listen('NewChatMessage', ({ user, message }) => {
            showTyping('');
            add({ ...message, user });
        })
        .listenForWhisper('typing', ({ name }) => showTyping(name))
        .error(({ status }) => {
            page.dataset.joined = 'no';
            find('#refused p').textContent = status === 403
                ? 'You may not join this room (403).'
                : `Joining did not work (${status || 'no answer'}). Reload the page.`;
        });

    let whispered = 0;
    const form = find('#message');
    form.addEventListener('submit', async (event) => {
        event.preventDefault();
        const text = form.elements.text.value.trim();
        if (!text) return;

        form.reset();
        whispered = 0;
        const { data } = await window.axios.post(url, { text });
        add(data);
    });

    // One whisper a second is enough; the server allows ten.
    form.elements.text.addEventListener('input', () => {
        if (Date.now() - whispered < 1000) return;

        whispered = Date.now();
        channel.whisper('typing', { name: userName });
    });
}

// After each connection: what was said meanwhile was broadcast to others only.
async function reload(url) {
    const { data } = await window.axios.get(url);
    data.forEach(add);
}

function add({ id, text, user, created_at }) {
    const list = find('#messages');
    if (list.querySelector(`[data-id="${id}"]`)) return;

    const item = fromTemplate('chat-message', { text, name: user.name, time: time(created_at), initials: user.initials });
    item.dataset.id = id;
    item.classList.toggle('mine', String(user.id) === document.body.dataset.userId);
    item.style.setProperty('--color', user.color);
    const newer = [...list.children].find((other) => Number(other.dataset.id) > id);
    list.insertBefore(item, newer ?? null);
    list.scrollTop = list.scrollHeight;
}

function note(text) {
    const list = find('#messages');
    const item = document.createElement('li');
    item.className = 'note';
    item.textContent = text;
    list.append(item);
    list.scrollTop = list.scrollHeight;
}

function showPeople(people) {
    const sorted = [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
    const items = sorted.map(({ name, initials, color }) => {
        const item = fromTemplate('person', { name, initials });
        item.style.setProperty('--color', color);
        return item;
    });
    find('#people').replaceChildren(...items);
    find('#count').textContent = items.length === 1 ? '1 person here' : `${items.length} people here`;
}

let timer;

function showTyping(name) {
    clearTimeout(timer);
    find('#typing').textContent = name && `${name} is typing…`;
    if (name) timer = setTimeout(() => showTyping(''), 3000);
}
