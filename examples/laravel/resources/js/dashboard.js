import { find, fromTemplate, money } from './dom';

export default function dashboard() {
    const page = find('#dashboard');
    if (!page) return;

    window.Echo.channel('dashboard-updates').listen('DashboardUpdate', show).subscribed(reload);

    reload();
    find('#orders').addEventListener('click', ({ target }) => {
        if (target.dataset.order) complete(target);
    });
    find('#new-order')?.addEventListener('click', ({ target }) => send(target, '/orders'));
}

let shown = 0;

// At the start, and after each new connection: updates may have been missed. One that overtakes the
// answer is newer than it.
async function reload() {
    const before = shown;
    const { data } = await window.axios.get('/dashboard', { headers: { Accept: 'application/json' } });
    if (shown === before) show(data);
}

async function complete(button) {
    const queued = find('[name=way]:checked').value === 'queued';
    const done = await send(button, `/orders/${button.dataset.order}/complete`, { queued });
    button.disabled = done; // until the update takes the order away
}

// Posts; a button that was not heard can be pressed again.
async function send(button, url, data) {
    button.disabled = true;
    find('#failed').textContent = '';
    try {
        await window.axios.post(url, data);
        return true;
    } catch ({ response }) {
        const why = response ? `status ${response.status}` : 'no answer';
        find('#failed').textContent = `That did not work (${why}). Try it again.`;
        return false;
    } finally {
        button.disabled = false;
    }
}

function show(totals) {
    shown++;
    set('revenue', money(totals.revenue));
    set('completed', totals.completed);
    set('open', totals.open);
    showOrders(totals.next);
    showProducts(totals.products);
    find('#dashboard').dataset.shown = 'yes';
}

function set(name, text) {
    const value = find(`#${name}`);
    if (value.textContent === String(text)) return;

    value.textContent = text;
    value.classList.remove('changed');
    void value.offsetWidth; // so that the animation begins again
    value.classList.add('changed');
}

function showOrders(orders) {
    const items = orders.map((order) => {
        const item = fromTemplate('order', { ...order, number: `#${order.id}`, price: money(order.cents) });
        const button = item.querySelector('button');
        if (button) button.dataset.order = order.id;
        return item;
    });
    find('#orders').replaceChildren(...items);
    find('#no-orders').hidden = items.length > 0;
}

function showProducts(products) {
    const most = Math.max(...products.map(({ cents }) => cents));
    const list = find('#products');
    for (const { name, cents } of products) {
        let item = [...list.children].find((one) => one.dataset.name === name);
        if (!item) {
            item = fromTemplate('product', { name });
            item.dataset.name = name;
            list.append(item);
        }
        item.querySelector('.amount').textContent = money(cents);
        item.style.setProperty('--share', cents / most);
    }
}
