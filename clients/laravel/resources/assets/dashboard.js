// SPDX-License-Identifier: MIT
//
// The dashboard inside of the application: what the server says of itself, the channels, an event
// creator, and the events of the channels that one listens on. It speaks the Pusher protocol itself,
// so it needs no library from elsewhere; what needs a signature comes from this application.
'use strict';

const DATA = JSON.parse(document.getElementById('data').textContent);
const TOKEN = document.querySelector('meta[name=csrf-token]').content;
const REFRESH_MS = 3000;
const LOG_LINES = 200;

const $ = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function ask(path, body) {
  const options = { headers: { Accept: 'application/json' }, credentials: 'same-origin' };
  if (body) {
    options.method = 'POST';
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
    options.headers['X-CSRF-TOKEN'] = TOKEN;
  }
  const answer = await fetch(DATA.base + path, options);
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error || json.message || `status ${answer.status}`);
  return json;
}

// A connection to the server. It comes back a second after it was lost, but where the server has said
// that this makes no sense (codes 4000 to 4099).
class Connection {
  constructor(app, address, on) {
    this.app = app;
    this.on = on;
    this.wanted = new Set();
    const scheme = address.tls ? 'wss' : 'ws';
    const prefix = app.path ? `/${app.path}` : '';
    this.url =
      `${scheme}://${address.host}:${address.port}${prefix}/app/${encodeURIComponent(app.key)}` +
      '?protocol=7&client=peal-dashboard&version=1';
    this.open();
  }

  open() {
    this.on.state('connecting', '');
    this.socket = new WebSocket(this.url);
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = (event) => {
      this.id = undefined;
      const final = event.code >= 4000 && event.code < 4100;
      const why = event.reason || (event.code === 1006 ? 'no connection' : String(event.code));
      this.on.state(final ? `refused: ${why}` : `lost: ${why}`, 'bad');
      if (!this.closed && !final) this.timer = setTimeout(() => this.open(), 1000);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }

  send(event, data) {
    this.socket.send(JSON.stringify({ event, data }));
  }

  async subscribe(channel) {
    this.wanted.add(channel);
    if (!this.id) return;
    const data = { channel };
    if (/^(private|presence)-/.test(channel)) {
      const body = { socket_id: this.id, channel_name: channel, appId: this.app.id };
      try {
        Object.assign(data, await ask('/auth', body));
      } catch (error) {
        this.wanted.delete(channel);
        this.on.event({ event: 'not allowed', channel, data: error.message });
        return;
      }
    }
    this.send('pusher:subscribe', data);
  }

  unsubscribe(channel) {
    this.wanted.delete(channel);
    if (this.id) this.send('pusher:unsubscribe', { channel });
  }

  take(frame) {
    if (frame.event === 'pusher:ping') {
      this.send('pusher:pong', {});
    } else if (frame.event === 'pusher:connection_established') {
      this.id = JSON.parse(frame.data).socket_id;
      this.on.state('connected', 'good');
      for (const channel of this.wanted) this.subscribe(channel);
    } else if (frame.event !== 'pusher:pong') {
      this.on.event(frame);
    }
  }
}

let connection;

function app() {
  return DATA.apps.find(({ id }) => id === $('app').value);
}

function connect() {
  if (connection) connection.close();
  const chosen = app();
  if (!chosen) return;
  const form = $('address');
  const address = {
    host: form.host.value,
    port: Number(form.port.value),
    tls: form.tls.checked,
  };
  connection = new Connection(chosen, address, { state: showState, event: showEvent });
}

function chooseApp() {
  const chosen = app();
  const form = $('address');
  form.host.value = chosen.host || location.hostname;
  form.port.value = chosen.port;
  form.tls.checked = chosen.tls || location.protocol === 'https:';
  $('log').replaceChildren();
  connect();
  refresh();
  showStatistics();
}

function showState(text, className) {
  $('connection').textContent = text;
  $('connection').className = `pill ${className}`;
}

function showEvent(frame) {
  const line = element('li');
  const time = new Date().toLocaleTimeString();
  line.append(
    element('small', `${time} ${frame.channel || ''} `),
    element('b', frame.event.replace(/^pusher_internal:/, '')),
  );
  if (frame.data !== undefined && frame.data !== '{}') {
    const text = typeof frame.data === 'string' ? frame.data : JSON.stringify(frame.data);
    line.append(element('pre', text));
  }
  $('log').prepend(line);
  while ($('log').children.length > LOG_LINES) $('log').lastChild.remove();
  $('log-empty').hidden = true;
}

function figure(name, value) {
  const box = element('div', undefined, 'card figure');
  box.append(element('b', String(value)), element('small', name));
  return box;
}

function showStatus({ servers, apps }) {
  const up = servers.filter((server) => server.answers);
  const here = apps.find(({ id }) => id === $('app').value) || {};
  $('server').textContent = here.problem
    ? here.problem
    : up.length > 0
      ? `running, pid ${up[0].pid}`
      : 'running';
  $('server').className = `pill ${here.problem ? 'bad' : 'good'}`;
  const counters = up.length > 0 ? up[0].counters : {};
  $('figures').replaceChildren(
    figure('connections of this app', here.connections ?? '–'),
    figure('channels of this app', here.channels ?? '–'),
    figure('events published', counters.published ?? '–'),
    figure('client events', counters.client_events ?? '–'),
    figure('delivered', counters.delivered ?? '–'),
  );
}

function showChannels(channels) {
  $('channel-count').textContent = String(channels.length);
  const rows = channels.map((channel) => {
    const row = element('tr');
    const listens = connection && connection.wanted.has(channel.name);
    const button = element('button', listens ? 'Leave' : 'Listen');
    button.onclick = () => {
      if (listens) connection.unsubscribe(channel.name);
      else connection.subscribe(channel.name);
      setTimeout(refresh, 200);
    };
    const last = element('td', undefined, 'number');
    last.append(button);
    row.append(
      element('td', channel.name),
      element('td', channel.subscription_count ?? '', 'number'),
      last,
    );
    return row;
  });
  $('channels').replaceChildren(...rows);
}

async function refresh() {
  const id = $('app').value;
  try {
    showStatus(await ask('/api/status'));
    const { channels } = await ask(`/api/${encodeURIComponent(id)}/channels`);
    if ($('app').value === id) showChannels(channels);
  } catch (error) {
    $('server').textContent = error.message;
    $('server').className = 'pill bad';
    showChannels([]);
  }
}

const SVG = 'http://www.w3.org/2000/svg';

function chart(name, { y }) {
  const most = Math.max(1, ...y);
  const points = y.map((value, index) => {
    const x = y.length > 1 ? (index / (y.length - 1)) * 600 : 0;
    return `${x.toFixed(1)},${(58 - (value / most) * 56).toFixed(1)}`;
  });
  const box = document.createElementNS(SVG, 'svg');
  box.setAttribute('viewBox', '0 0 600 60');
  box.setAttribute('preserveAspectRatio', 'none');
  const line = document.createElementNS(SVG, 'polyline');
  line.setAttribute('points', points.join(' '));
  line.setAttribute('fill', 'none');
  line.setAttribute('stroke', 'currentColor');
  line.setAttribute('vector-effect', 'non-scaling-stroke');
  box.append(line);
  const all = element('div');
  all.append(element('small', `${name}, at most ${most}`), box);
  return all;
}

async function showStatistics() {
  const id = encodeURIComponent($('app').value);
  const figures = await ask(`/api/${id}/statistics`).catch(() => null);
  const any = figures && figures.peak_connections.y.length > 0;
  $('statistics').hidden = !any;
  if (!any) return;
  $('charts').replaceChildren(
    chart('Peak connections', figures.peak_connections),
    chart('Messages of clients', figures.websocket_messages_count),
    chart('Messages of back ends', figures.api_messages_count),
  );
}

async function sendEvent(form) {
  const result = $('event-result');
  result.className = '';
  result.textContent = '…';
  try {
    await ask('/event', {
      appId: $('app').value,
      channel: form.channel.value,
      event: form.elements.event.value,
      data: form.data.value,
    });
    result.className = 'good';
    result.textContent = 'sent';
  } catch (error) {
    result.className = 'bad';
    result.textContent = error.message;
  }
}

function onSubmit(id, what) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    what(event.target);
  });
}

for (const { id, name } of DATA.apps) {
  const option = element('option', name);
  option.value = id;
  $('app').append(option);
}
$('app').addEventListener('change', chooseApp);
onSubmit('address', connect);
onSubmit('event', sendEvent);
onSubmit('listen', (form) => {
  if (connection) connection.subscribe(form.channel.value);
  form.reset();
  setTimeout(refresh, 200);
});
if (DATA.apps.length > 0) {
  chooseApp();
  setInterval(refresh, REFRESH_MS);
  setInterval(showStatistics, 10 * REFRESH_MS);
} else {
  $('server').textContent = 'no app in config/websockets.php';
}
