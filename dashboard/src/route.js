// SPDX-License-Identifier: MIT
//
// The address bar's hash is where we are: #/view/argument?name=value. No library: six views.
import { reactive } from 'vue';

export const route = reactive({ view: 'live', argument: '', values: {} });

// Somebody may have typed it.
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, ...rest] = path.split('/');
  route.view = view || 'live';
  route.argument = decode(rest.join('/'));
  route.values = Object.fromEntries(new URLSearchParams(search));
}

export function link(view, argument = '', values = {}) {
  const search = new URLSearchParams(values).toString();
  const end = argument === '' ? '' : `/${encodeURIComponent(argument)}`;
  return `#/${view}${end}${search ? `?${search}` : ''}`;
}

addEventListener('hashchange', read);
read();
