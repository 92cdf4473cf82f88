// SPDX-License-Identifier: MIT
//
// Answers that teach: what a person sees who has made a mistake, in the answer and in the log.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const http = require('node:http');
const tls = require('node:tls');
const api = require('./lib/api');
const { Tcp, makeFrame } = require('./lib/tcp');
const { poll } = require('./lib/wait');
const { test } = require('./lib/suite');

const QUICK = { quick: true };

// GET of a path; what the answer says as error.
async function refused(server, target, status, pattern, method = 'GET') {
  const answer = await api.send(server, { method, target });
  assert.strictEqual(answer.status, status, `${target}: ${answer.text}`);
  assert.match(answer.json.error, pattern, target);
}

async function told(server, pattern) {
  await poll(() => pattern.test(server.stderr), `line ${pattern} in the log: ${server.stderr}`);
}

test('a wrong path', QUICK, async (t) => {
  const server = await t.server();
  await refused(server, '/apps/app-id/event', 404, /nearest one is POST \/apps\/\{app_id\}\/events/);
  await refused(server, '/broadcasting/auth', 404, /your application.*authEndpoint/);
  await refused(server, '/socket.io/?EIO=4', 404, /not Socket\.IO.*broadcaster: 'pusher'/);
  await refused(server, '/metrics', 404, /admin\.listen/);
  await refused(server, '/ws/app/app-key', 404, /path_prefix/);
  await refused(server, '/apps/app-id/events', 405, /GET is not allowed .* allowed are POST/);
  await told(server, /api refused status=404 .*path="\/broadcasting\/auth".*why=".*authEndpoint/);
});

test('a wrong app id: other apps are not named, but with --dev', QUICK, async (t) => {
  const apps = [
    { id: 'app-id', key: 'app-key', secret: 'e2e-secret-1' },
    { id: 'tenant-two', key: 'key-of-two', secret: 'e2e-secret-2' },
  ];
  const server = await t.server({ apps });
  for (const id of ['tenant-twi', 'app-ie', 'x']) {
    const { status, text } = await api.send(server, { target: `/apps/${id}/channels` });
    assert.strictEqual(status, 404);
    assert.doesNotMatch(text, /tenant-two|app-id|key|secret/, text);
  }
  await refused(server, '/apps/key-of-two/channels', 404, /is the key of an app; the path takes/);
  const dev = await t.server({ apps, args: ['--dev'] });
  await refused(dev, '/apps/tenant-twi/channels', 404, /Did you mean 'tenant-two'\?/);
});

test('a wrong key, and a secret in its place', QUICK, async (t) => {
  const apps = [
    { id: 'app-id', key: 'app-key', secret: 'e2e-secret-1' },
    { id: 'two', key: 'key-of-two', secret: 'e2e-secret-2' },
  ];
  const server = await t.server({ apps });
  const auth = (key) => api.call(server, 'GET', '/channels', { auth: { auth_key: key } });
  assert.match((await auth('nobody')).json.error, /auth_key 'nobody' is not the key \(request of/);
  assert.match((await auth('key-of-two')).json.error, /not the key, but the key of another app/);
  assert.match((await auth('app-id')).json.error, /not the key, but the id/);
  const leaked = await auth('e2e-secret-1');
  assert.match(leaked.json.error, /is an app's secret instead of its key.*change it/);
  assert.doesNotMatch(leaked.text, /e2e-secret/);
  // That it is not in the log is what every test looks at in the end.
  await told(server, /is an app's secret instead of its key/);
  const other = await auth('e2e-secret-2');
  assert.match(other.json.error, /is an app's secret instead of its key/);
  for (const target of ['/app/e2e-secret-1', '/apps/e2e-secret-2/channels', '/x/e2e%2Dsecret-1']) {
    const answer = await api.send(server, { target });
    assert.match(answer.json.error, /an app's secret/, target);
    assert.doesNotMatch(answer.text, /e2e-secret/, target);
  }
  await told(server, /path="\(not shown, since a part of it is an app's secret\)"/);
});

test('a client with the secret in place of the key', QUICK, async (t) => {
  const server = await t.server();
  for (const key of [server.app.secret, server.app.secret.replace('-', '%2D')]) {
    const client = t.rawUnsure(server, { key });
    const { data } = await client.event('pusher:error');
    assert.strictEqual(data.code, 4001);
    assert.match(data.message, /^This is not the key of an app, but its secret.*so change it\.$/);
    assert.strictEqual((await client.closed()).code, 4001);
  }
  await told(server, /client not admitted .*key="\(a secret\)" .*code=4001 why="This is not the key/);
});

test('a bad signature: which part differs', QUICK, async (t) => {
  const server = await t.server();
  const { app } = server;
  const query = api.signedQuery(app, 'GET', '/apps/app-id/channels', { query: { info: 'a' } });
  delete query.auth_signature;
  const params = (some) =>
    Object.keys(some)
      .sort()
      .map((name) => `${name}=${some[name]}`)
      .join('&');
  const { info, ...rest } = query;
  const sign = (text, secret = app.secret) => api.hmac(secret, text);
  const path = '/apps/app-id/channels';
  const cases = [
    [sign(`POST\n${path}\n${params(query)}`), /made for the method POST, the request's is GET/],
    [sign(`GET\n${path}/\n${params(query)}`), /made for the path '\/apps\/app-id\/channels\/'/],
    [sign(`GET\n${path}\n${params(rest)}`), /made without the parameter 'info'/],
    [sign(`GET\n${path}\n${params(query)}`, app.key), /with the app's key instead of its secret/],
    [sign(`GET\n${path}\n${params(query)}`, 'other'), /Is it made with the secret of this app\?/],
    ['abc', /It has 3 characters, an HMAC-SHA256 in hexadecimal has 64/],
  ];
  for (const [signature, pattern] of cases) {
    const target = `${path}?${api.encode({ ...query, auth_signature: signature })}`;
    await refused(server, target, 401, pattern);
  }
  assert.strictEqual(info, 'a');
  const body = await api.call(server, 'POST', '/events', {
    body: { name: 'x', channels: ['a'], data: '1' },
    auth: { body_md5: api.md5('other') },
  });
  assert.match(body.json.error, /body_md5 is '[0-9a-f]{32}'; the MD5 of the body that arrived \(\d+/);
  await told(server, /api refused status=401 .*app="app-id" why=".*auth_signature does not match/);
});

test('clocks that differ: by how much', QUICK, async (t) => {
  const server = await t.server();
  const at = (seconds) => ({ auth_timestamp: String(Math.floor(Date.now() / 1000) + seconds) });
  const late = await api.call(server, 'GET', '/channels', { auth: at(-700) });
  assert.strictEqual(late.status, 401);
  assert.match(late.json.error, /is 70\d s behind the server's clock; auth_timestamp_window_s .*600/);
  const early = await api.call(server, 'GET', '/channels', { auth: at(3700) });
  assert.match(early.json.error, /is 3(700|699) s ahead of the server's clock/);
  await told(server, /status=401 .*why=".*behind the server's clock/);
});

test('plain HTTP on the WebSocket path', QUICK, async (t) => {
  const server = await t.server();
  const known = await api.send(server, { target: '/app/app-key?protocol=7' });
  assert.strictEqual(known.status, 426);
  assert.strictEqual(known.headers.upgrade, 'websocket');
  assert.match(known.json.error, /no valid `Upgrade: websocket`. Does a proxy drop/);
  assert.doesNotMatch(known.json.error, /no app/);
  await refused(server, '/app/nobody', 426, /And there is no app with the key 'nobody'/);
});

test('TLS on the plain port: an alert, and a line in the log', QUICK, async (t) => {
  const server = await t.server();
  const socket = tls.connect({ host: server.host, port: server.port, rejectUnauthorized: false });
  const error = await new Promise((resolve) => socket.on('error', resolve));
  assert.match(error.message, /alert/, error.message);
  await told(server, /TLS on a plain port client="127\.0\.0\.1" hint=".*forceTLS: false/);
});

test('the HTTP/2 preface', QUICK, async (t) => {
  const server = await t.server();
  const tcp = await Tcp.open(server);
  tcp.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const { status, body } = await tcp.response();
  assert.strictEqual(status, 505);
  assert.match(body, /HTTP\/2 without negotiation; this port speaks HTTP\/1\.1/);
  await told(server, /status=505 client="127\.0\.0\.1" .*must be set to HTTP\/1\.1/);
});

test('an origin that is not allowed: which, and what to add', QUICK, async (t) => {
  const server = await t.server({ set: { 'apps.app-id.allowed_origins': 'example.com' } });
  const evil = { headers: { Origin: 'https://shop.example.org:8443' } };
  const client = t.rawUnsure(server, evil);
  const { data } = await client.event('pusher:error');
  assert.strictEqual(data.code, 4009);
  assert.match(
    data.message,
    /https:\/\/shop\.example\.org:8443 is not in allowed_origins of app app-id\. To allow it, add "shop\.example\.org"/,
  );
  const none = await t.rawUnsure(server, {}).event('pusher:error');
  assert.match(none.data.message, /the request has no Origin/);
  await told(server, /client not admitted .*origin="https:\/\/shop.*add \\"shop\.example\.org\\"/);
  const allowed = await t.server({
    set: { 'apps.app-id.allowed_origins': 'example.com,shop.example.org' },
  });
  await t.raw(allowed, evil);
});

test('each limit: measured, limit, option, app, channel', QUICK, async (t) => {
  const set = {
    connections: 2,
    subscriptions: 2,
    client_events_per_second: 1,
    message_bytes: 100,
    event_name: 20,
    channel_name: 20,
    channels_per_publish: 2,
    batch: 2,
    presence_members: 1,
    presence_member_bytes: 50,
    publishes_per_second: 50,
  };
  const limits = Object.entries(set).map(([name, n]) => [`apps.app-id.limits.${name}`, n]);
  const server = await t.server({ set: Object.fromEntries(limits) });
  const client = await t.raw(server);
  const second = await t.raw(server);
  const error = async (what) => (await what.event('pusher:error')).data.message;
  const third = t.rawUnsure(server);
  assert.match(await error(third), /limits\.connections of app app-id allows 2/);

  await client.subscribe('private-a');
  const user = (id, info) => ({ user: { user_id: id, user_info: info } });
  const big = await client.subscribeRefused('presence-b', user('1', 'x'.repeat(60)));
  assert.match(big.data.error, /user_info has 60 bytes \(app app-id, option limits\.presence_member_b/);
  await client.subscribe('presence-b', user('1', 'x'));
  const full = await second.subscribeRefused('presence-b', user('2', 'x'));
  assert.match(full.data.error, /limits\.presence_members of app app-id allows 1/);
  const many = await client.subscribeRefused('c');
  assert.match(many.data.error, /has 2 subscriptions; limits\.subscriptions of app app-id allows 2/);
  const long = await second.subscribeRefused('d'.repeat(21));
  assert.match(long.data.error, /21.*20|20.*21/);

  client.trigger('client-long', 'private-a', 'x'.repeat(101));
  assert.match(await error(client), /has 101 bytes, the limit is 100 \(app app-id, option limits\.message/);
  client.trigger(`client-${'n'.repeat(20)}`, 'private-a', 1);
  assert.match(await error(client), /is 20\. It has 27 characters \(app app-id, option limits\.event_name/);
  for (let n = 0; n < 3; n++) client.trigger('client-fast', 'private-a', n);
  assert.match(await error(client), /limits\.client_events_per_second of app app-id allows 1/);

  const publish = async (body, path = '/events') => {
    const answer = await api.call(server, 'POST', path, { body });
    assert.ok(answer.status >= 400, answer.text);
    return answer.json.error;
  };
  const event = { name: 'x', channel: 'chan', data: '1' };
  const app = "app 'app-id'";
  const cases = [
    [{ ...event, data: 'd'.repeat(101) }, ['chan', '101', 'limits.message_bytes', '100', app]],
    [{ ...event, name: 'n'.repeat(21) }, ['21', 'limits.event_name', '20', app, 'chan']],
    [{ ...event, channel: 'c'.repeat(21) }, ['21', '20', app]],
    [{ ...event, channel: undefined, channels: ['a', 'b', 'c'] }, ['3', 'limits.channels_per_publish', '2', app]],
  ];
  for (const [body, words] of cases) {
    const text = await publish(body);
    for (const word of words) assert.ok(text.includes(word), `${word}: ${text}`);
    await poll(() => server.stderr.includes(`why="${text.replace(/"/g, '\\"')}`), `log of ${text}`);
  }
  const batch = await publish({ batch: [event, event, event] }, '/batch_events');
  assert.match(batch, /'batch' has 3; limits\.batch of app 'app-id' allows 2/);
  for (const pattern of [
    /client not admitted .*limits\.connections of app app-id allows 2/,
    /client refused app="app-id" .*channel="presence-b" .*limits\.presence_members/,
    /client refused app="app-id" .*channel="c" .*has 2 subscriptions/,
    /client refused app="app-id" .*channel="private-a" .*has 101 bytes/,
  ])
    await told(server, pattern);
});

test('limits on frames, heads and bodies', QUICK, async (t) => {
  const server = await t.server({ set: { handshake_timeout_ms: 500, body_timeout_ms: 500 } });
  const tcp = await Tcp.open(server);
  await tcp.upgrade(server);
  tcp.write(makeFrame('', { length: 2 ** 30 }));
  assert.strictEqual((await tcp.frame()).code, 1009);
  await told(server, /frames refused app="app-id" .*code=1009 .*option="limits\.message_bytes" limit=262144/);
  const long = await api.send(server, { target: `/${'x'.repeat(9000)}` });
  assert.strictEqual(long.status, 414);
  assert.match(long.json.error, /limit (is|of) 8192/);
  await told(server, /request refused status=414 .*limit (is|of) 8192/);
  const query = api.encode(api.signedQuery(server.app, 'POST', '/apps/app-id/events', { body: 'x' }));
  const post = (length) =>
    `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  const large = await Tcp.open(server);
  large.write(post(50_000_000));
  const { status, body } = await large.response();
  assert.strictEqual(status, 413);
  assert.match(body, /50000000, the limit is \d+ \(from limits\.message_bytes of the app\)/);
  await told(server, /request refused status=413 client=".*" app="app-id" why=".*limits\.message_bytes/);
  for (const [bytes, option] of [
    ['GET /up', 'handshake_timeout_ms'],
    [post(10), 'body_timeout_ms'],
  ]) {
    const slow = await Tcp.open(server);
    slow.write(bytes);
    const answer = await slow.response();
    assert.strictEqual(answer.status, 408);
    assert.match(answer.body, new RegExp(`within 500 ms \\(${option}\\)`));
    await told(server, new RegExp(`request timed out .*option="${option}" limit=500`));
  }
});

const HTML = { Accept: 'text/html,application/xhtml+xml' };

test('GET / with --dev: a page for browsers, text for others', QUICK, async (t) => {
  const server = await t.server({ args: ['--dev'] });
  const text = await api.send(server, { target: '/' });
  assert.strictEqual(text.status, 200);
  assert.match(text.headers['content-type'], /^text\/plain/);
  const page = await api.send(server, { target: '/', headers: HTML });
  assert.match(page.headers['content-type'], /^text\/html/);
  const unescaped = page.text
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
  for (const one of [text.text, unescaped]) {
    for (const line of [
      'PUSHER_APP_ID=app-id',
      'PUSHER_APP_KEY=app-key',
      `PUSHER_APP_SECRET=${server.app.secret}`,
      `PUSHER_PORT=${server.port}`,
      "broadcaster: 'pusher'",
      `ws://127.0.0.1:${server.port}/app/app-key`,
      `${t.binary} trigger my-channel my-event '{"hello":"world"}' --host 127.0.0.1`,
    ])
      assert.ok(one.includes(line), line);
  }
  // The policy lets in nothing but the style sheet that is there.
  const policy = page.headers['content-security-policy'];
  const style = /<style>(.*)<\/style>/s.exec(page.text)[1];
  const hash = crypto.createHash('sha256').update(style).digest('base64');
  assert.ok(policy.includes(`style-src 'sha256-${hash}'`), policy);
  assert.match(policy, /^default-src 'none'; .*frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|http/);
  assert.doesNotMatch(page.text, /<script|src=|href="(?!data:,)|@import|url\(/);
  // No other origin may read it.
  assert.strictEqual(page.headers['access-control-allow-origin'], undefined);
  assert.strictEqual(page.headers['cache-control'], 'no-store');
});

test('GET / with --dev: the secret stays on this machine', QUICK, async (t) => {
  const server = await t.server({ args: ['--dev'] });
  const sees = async (headers) => {
    const { status, text } = await api.send(server, { target: '/', headers });
    assert.strictEqual(status, 200);
    return text.includes(server.app.secret);
  };
  const port = server.port;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'localhost'])
    assert.ok(await sees({ Host: host }), host);
  for (const host of [`evil.example:${port}`, '127.evil.example', 'localhost.evil.example', '10.0.0.1'])
    assert.ok(!(await sees({ Host: host })), host);
  assert.ok(!(await sees({ 'X-Forwarded-For': '192.0.2.7' })), 'behind a proxy');
});

test('GET / without --dev: OK, and nothing about the app', QUICK, async (t) => {
  const server = await t.server();
  for (const headers of [{}, HTML]) {
    const { status, text } = await api.send(server, { target: '/', headers });
    assert.deepStrictEqual([status, text], [200, 'OK']);
  }
});

test('the page of a server on a Unix socket is just OK', async (t) => {
  const server = await t.server({ args: ['--dev'], listen: 'unix:peal.sock' });
  const text = await new Promise((resolve, reject) => {
    const request = http.get({ socketPath: `${server.folder}/peal.sock`, path: '/' }, (response) => {
      let all = '';
      response.on('data', (bytes) => (all += bytes));
      response.on('end', () => resolve(all));
    });
    request.on('error', reject);
  });
  assert.strictEqual(text, 'OK');
});

test('each line of a JSON log parses, whatever was sent', QUICK, async (t) => {
  const server = await t.server({ args: ['--log-format', 'json', '--log-level', 'debug'] });
  const nasty = ['"', '\\', '\u001b[31m', '\u2028', '\u0000'.repeat(3), '\n{"level":"error"}', 'é'];
  for (const text of nasty) {
    await api.send(server, { target: `/${encodeURIComponent(text)}` });
    await t.rawUnsure(server, { key: encodeURIComponent(text) }).closed();
    const client = await t.raw(server);
    client.sendSubscribe(`private-${text}`, { auth: `app-key:${text}` });
    client.trigger(`client-${text}`, text, text);
    await client.ping();
    client.destroy();
  }
  const tcp = await Tcp.open(server);
  tcp.write(Buffer.from(Array.from({ length: 256 }, (_, n) => n)));
  await tcp.closed();
  await server.stop();
  const lines = server.stderr.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.ok(lines.length > 10);
  for (const line of lines) {
    assert.match(line.ts, /^\d{4}-\d\d-\d\dT/);
    assert.notStrictEqual(line.level, 'error');
    assert.ok(line.event && line.subsystem);
  }
});
