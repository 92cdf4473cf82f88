export const find = (selector) => document.querySelector(selector);

// A copy of <template id="name">; each [data-field] in it gets the text of that name.
export function fromTemplate(name, fields) {
    const node = find(`#${name}`).content.firstElementChild.cloneNode(true);
    for (const slot of [node, ...node.querySelectorAll('[data-field]')]) {
        if (slot.dataset.field) slot.textContent = fields[slot.dataset.field];
    }
    return node;
}

export const time = (date) =>
    new Date(date).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

export const money = (cents) =>
    (cents / 100).toLocaleString('en', { style: 'currency', currency: 'EUR' });
