// SPDX-License-Identifier: MIT
//
// peal sign: what it prints, what the server then accepts, and why it calls a signature wrong.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const http = require('node:http');
const { test } = require('./lib/suite');

const EX = { OK: 0, USAGE: 64, DATAERR: 65 };
const APP = ['--app', 'app-id:app-key:app-secret'];

const run = (t, args, options) => t.command(['sign', ...args], options).ended();

async function json(t, args, options) {
  const got = await run(t, [...args, '--json'], options);
  assert.ok([EX.OK, EX.DATAERR].includes(got.code), got.stderr);
  return { code: got.code, ...JSON.parse(got.stdout) };
}

const hmac = (text, secret = 'app-secret') =>
  crypto.createHmac('sha256', secret).update(text).digest('hex');

const request = (server, { method = 'GET', path, body = '' }) =>
  new Promise((resolve, reject) => {
    const { host, port } = server;
    const sent = http.request({ host, port, method, path }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    sent.on('error', reject);
    sent.end(body);
  });

test('the vectors of the protocol page', { quick: true }, async (t) => {
  const channel = await run(t, ['channel', '1234.5678', 'private-orders.7', ...APP]);
  assert.strictEqual(channel.code, EX.OK);
  const hex = 'dc19424a29b38517f4c6c1c59e921ce4a0cee1d403b94033cb50b395052470cf';
  assert.strictEqual(
    channel.stdout,
    [
      'string             1234.5678:private-orders.7\n',
      `signature          ${hex}\n`,
      `auth               app-key:${hex}\n`,
    ].join(''),
  );
  assert.strictEqual(channel.stderr, '');
  const data = '{"id":"42","user_info":{"name":"Ann Lee"},"watchlist":["7","9"]}';
  const user = await json(t, ['user', '1234.5678', data, ...APP]);
  assert.deepStrictEqual(user, {
    code: EX.OK,
    kind: 'user',
    string: `1234.5678::user::${data}`,
    signature: '0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e',
    auth: 'app-key:0fefadba66ae3b57e632310ad322f8981e0ce750fc799196c416d6763b91831e',
    notes: [],
  });
  const body =
    '{"name":"order.shipped","channels":["orders","private-orders.7"],"data":"{\\"id\\":7,\\"ok\\":true}"}';
  const path = '/apps/app-id/events?auth_timestamp=1700000000';
  const post = await json(t, ['request', 'post', path, body, ...APP]);
  const md5 = '573403b777c2e9b3cff45f775a37e418';
  const query = `auth_key=app-key&auth_timestamp=1700000000&auth_version=1.0&body_md5=${md5}`;
  assert.strictEqual(post.string, `POST\n/apps/app-id/events\n${query}`);
  const signature = '09cc2bdfaead7deec1735d23249e5c787b87574143db9f07818d0c2d5dfed84f';
  assert.strictEqual(post.signature, signature);
  assert.deepStrictEqual(
    Object.fromEntries(new URLSearchParams(post.query)),
    Object.fromEntries(new URLSearchParams(`${query}&auth_signature=${signature}`)),
  );
  assert.match(post.notes.join(), /auth_timestamp is \d+ s behind/);
  const hook =
    '{"time_ms":1700000000123,"events":[{"name":"channel_occupied","channel":"orders"}]}';
  const webhook = await run(t, ['webhook', '-', ...APP], { input: hook });
  assert.match(webhook.stdout, /^X-Pusher-Key +app-key$/m);
  assert.match(
    webhook.stdout,
    /^X-Pusher-Signature +9a9643f2f8b0ed829a06db8607338a30675bf728a1b21e2f5186ef85d1f2f4a8$/m,
  );
});

test('the server accepts what is signed', async (t) => {
  const server = await t.server();
  const { id, key, secret } = server.app;
  const app = ['--app', `${id}:${key}:${secret}`];
  const client = await t.raw(server);
  const data = JSON.stringify({ user_id: 'a/é' });
  const presence = await json(t, ['channel', client.socketId, 'presence-a', '-', ...app], {
    input: `${data}\n`,
  });
  client.send({
    event: 'pusher:subscribe',
    data: { channel: 'presence-a', channel_data: data, auth: presence.auth },
  });
  await client.event('pusher_internal:subscription_succeeded', 'presence-a');
  const get = `/apps/${id}/channels?info=subscription_count,user_count&filter_by_prefix=presence-`;
  const { query } = await json(t, ['request', 'GET', get, ...app]);
  const path = `/apps/${id}/channels?${query}`;
  assert.strictEqual(await request(server, { path }), 200);
  assert.strictEqual(await request(server, { path: path.replace(/.$/, 'x') }), 401);
  const body = '{"name":"x","channel":"presence-a","data":"1"}\n';
  const events = `/apps/${id}/events`;
  const post = await json(t, ['request', 'POST', events, '-', ...app], { input: body });
  const posted = { method: 'POST', path: `${events}?${post.query}`, body };
  assert.strictEqual(await request(server, posted), 200);
  await client.event('x');
  // What was sent can be checked as it stands.
  const checked = await json(t, ['request', 'POST', posted.path, body, ...app]);
  assert.deepStrictEqual([checked.code, checked.check], [EX.OK, { ok: true, why: [] }]);
});

test('--check says what is wrong', { quick: true }, async (t) => {
  const channel = ['channel', '1234.5678', 'presence-a'];
  const data = '{"user_id":"é/1"}';
  const php = `1234.5678:presence-a:{"user_id":"\\u00e9\\/1"}`;
  const check = async (args, signature) => {
    const got = await json(t, [...args, ...APP, '--check', signature]);
    assert.strictEqual(got.code, got.check.ok ? EX.OK : EX.DATAERR);
    return `${got.check.ok ? 'right' : 'wrong'}: ${got.check.why.join('; ')}`;
  };
  assert.match(
    await check([...channel, data], `app-key:${hmac(`1234.5678:presence-a:${data}`)}`),
    /^right: $/,
  );
  assert.match(
    await check([...channel, data], `app-key:${hmac(php)}`),
    /^wrong: .*written again as JSON .*\\u/,
  );
  assert.match(
    await check([...channel, data], hmac('1234.5678:presence-a')),
    /^wrong: .*without channel_data/,
  );
  assert.match(
    await check(channel, `app-id:${hmac('1234.5678:presence-a')}`),
    /^wrong: .*app's id/,
  );
  assert.match(
    await check(channel, hmac('1234.5678:presence-a').toUpperCase()),
    /^wrong: .*capitals/,
  );
  assert.match(
    await check(channel, hmac('1234.5678:presence-a', 'app-key')),
    /^wrong: .*key instead of its secret/,
  );
  assert.match(await check(channel, 'abc'), /^wrong: .*64 hexadecimal digits, this one has 3/);
  const people = await run(t, [...channel, ...APP, '--check', `app-secret:${hmac('x')}`]);
  assert.strictEqual(people.code, EX.DATAERR);
  assert.match(people.stdout, /^check +wrong$/m);
  assert.match(people.stdout, /is a secret/);
  assert.ok(!`${people.stdout}${people.stderr}`.includes('app-secret'));
});

test('--check of a request: prefix, method, body and clock', async (t) => {
  const path = '/ws/apps/app-id/events';
  const now = Math.floor(Date.now() / 1000);
  const body = '{"name":"x", "channel":"a", "data":"1"}';
  const md5 = crypto.createHash('md5').update(body).digest('hex');
  const check = async (string, sent = {}) => {
    const { hash = md5, time = now, text = body } = sent;
    const query = `auth_key=app-key&auth_timestamp=${time}&auth_version=1.0&body_md5=${hash}`;
    const target = `${path}?${query}&auth_signature=${hmac(string(query))}`;
    const got = await json(t, ['request', 'POST', target, text, ...APP]);
    return `${got.check.ok ? 'right' : 'wrong'}: ${got.check.why.join('; ')} / ${got.notes.join('; ')}`;
  };
  const good = (query) => `POST\n/apps/app-id/events\n${query}`;
  assert.match(await check(good), /^right:  \/ '\/ws' in front of the path is not signed$/);
  assert.match(
    await check((query) => `POST\n${path}\n${query}`),
    /^right: .*with the prefix.*Peal accepts/,
  );
  assert.match(
    await check((query) => `GET\n/apps/app-id/events\n${query}`),
    /^wrong: .*another method/,
  );
  assert.match(
    await check((query) => `POST\\n/apps/app-id/events\\n${query}`),
    /^wrong: .*double quotes in PHP/,
  );
  assert.match(
    await check(good, { text: `${body}\n` }),
    /^wrong: .*body_md5 is .*but the MD5 of the body/,
  );
  assert.match(await check(good, { time: now - 5000 }), /^right: .*\d+ s behind the clock here/);
  const compact = crypto
    .createHash('md5')
    .update(JSON.stringify(JSON.parse(body)))
    .digest('hex');
  assert.match(
    await check((query) => good(query.replace(md5, compact))),
    /^wrong: .*body_md5 of the body written again as JSON \(no spaces/,
  );
});

test('which of several apps and secrets', async (t) => {
  const yaml = [
    'apps:',
    '  - { id: shop, key: shop-key, secrets: [new-secret-0123, old-secret-0123] }',
    '  - { id: blog, key: blog-key, secret: blog-secret-0123 }',
    '',
  ].join('\n');
  const options = { files: { 'peal.yaml': yaml } };
  const none = await run(t, ['channel', '1.2', 'private-a'], options);
  assert.strictEqual(none.code, 78);
  assert.match(none.stderr, /2 apps.*--app/);
  const shop = await json(t, ['channel', '1.2', 'private-a', '--app', 'shop'], options);
  assert.strictEqual(shop.auth, `shop-key:${hmac('1.2:private-a', 'new-secret-0123')}`);
  const check = (secret) =>
    json(
      t,
      ['channel', '1.2', 'private-a', '--app', 'shop', '--check', hmac('1.2:private-a', secret)],
      options,
    );
  const old = await check('old-secret-0123');
  assert.deepStrictEqual([old.check.ok, old.code], [true, EX.OK]);
  assert.match(old.check.why[0], /secret 2 of the app/);
  const blog = await check('blog-secret-0123');
  assert.deepStrictEqual([blog.check.ok, blog.code], [false, EX.DATAERR]);
  assert.match(blog.check.why[0], /the app 'blog'/);
  assert.ok(!/(new|old|blog)-secret/.test(JSON.stringify([shop, old, blog])));
});

test('wrong arguments and doubts', { quick: true }, async (t) => {
  const usage = async (args, word) => {
    const got = await run(t, [...args, ...APP]);
    assert.strictEqual(got.code, EX.USAGE, got.stderr);
    assert.match(got.stderr, word);
    assert.strictEqual(got.stdout, '');
  };
  await usage(['chanel', '1.2', 'private-a'], /did you mean channel\?/);
  await usage([], /channel, user, request or webhook/);
  await usage(['else', '1.2', 'private-a'], /channel, user, request or webhook/);
  await usage(['channel', '1.2'], /SOCKET_ID CHANNEL/);
  await usage(['user', '1.2', '{}', 'more'], /SOCKET_ID USER_DATA/);
  await usage(['request', 'GET', 'no-path'], /PATH/);
  await usage(
    ['request', 'GET', '/apps/app-id/channels', '--check', 'a'.repeat(64)],
    /auth_key is missing/,
  );
  await usage(['request', 'GET', '/apps/app-id/channels?a=%zz'], /percent-encoding/);
  const notes = async (...args) => (await json(t, [...args, ...APP])).notes.join('; ');
  assert.match(await notes('channel', 'x', 'orders'), /two numbers.*public channel/);
  assert.match(await notes('channel', '1.2', 'presence-a'), /CHANNEL_DATA/);
  assert.match(await notes('channel', '1.2', 'presence-a', '{"id":1}'), /user_id/);
  assert.match(await notes('user', '1.2', '{"user_id":1}'), /no member id/);
  assert.match(await notes('channel', '1.2', '#server-to-user-1'), /signing in/);
  assert.match(await notes('request', 'GET', '/apps/else/channels'), /names the app 'else'/);
  const people = await run(t, ['channel', '1.2', 'orders', ...APP]);
  assert.match(people.stderr, /^note: this is a public channel/m);
  const escaped = await run(t, ['webhook', '-', ...APP], {
    input: Buffer.from('a\u001b[31m\xff', 'latin1'),
  });
  assert.match(escaped.stdout, /^string +a\\x1b\[31m\\xff$/m);
});
