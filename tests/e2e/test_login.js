// SPDX-License-Identifier: MIT
//
// The dashboard on the main listener: nothing without a log-in, and what a log-in is worth: who may
// try, how often, from which page, how long it lasts and what ends it.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const api = require('./lib/api');
const { HASH, PASSWORD, PATH, Visitor, exposed, hashOf } = require('./lib/login');
const { findNginx, startNginx } = require('./lib/nginx');
const { test } = require('./lib/suite');
const { poll, within } = require('./lib/wait');
const watch = require('./lib/watch');

const EX = { OK: 0, USAGE: 64, DATAERR: 65, NOINPUT: 66, CONFIG: 78 };
const APP = ['--app', 'shop:shop-key:shop-secret-99'];

// What is logged comes by another way than the answer.
const logged = (server, pattern) => poll(() => pattern.test(server.stderr), `${pattern} in the log`);

// --- the command and the configuration ---

test('peal password prints a line that the server takes, and another one each time', async (t) => {
  const run = (args, input) => t.command(['password', ...args], { input }).ended();
  const text = await run([], `${PASSWORD}\n`);
  assert.strictEqual(text.code, EX.OK, text.stderr);
  const [, env] = /^PEAL_DASHBOARD_PASSWORD_HASH='(scrypt\$32768\$8\$3\$[^$']+\$[^$']+)'$/m.exec(text.stdout);
  assert.ok(text.stdout.includes(`dashboard:\n  password_hash: '${env}'\n`));
  const { password_hash: json } = JSON.parse((await run(['--json'], PASSWORD)).stdout);
  assert.notStrictEqual(json, env);
  for (const hash of [env, json]) {
    const [, n, r, p, salt, made] = hash.split('$');
    const options = { N: Number(n), r: Number(r), p: Number(p), maxmem: 256 << 20 };
    const again = require('node:crypto').scryptSync(PASSWORD, Buffer.from(salt, 'base64'), 32, options);
    assert.strictEqual(again.toString('base64'), made);
  }
  for (const files of [{ '.env': text.stdout.split('\n\n')[0] }, { 'peal.yaml': text.stdout.split('\n\n')[1] }]) {
    const show = t.command(['config', 'show', '--json', '--set', 'dashboard.expose=true', ...APP], { files });
    const got = await show.ended();
    assert.strictEqual(got.code, EX.OK, got.stderr);
    assert.ok(!got.stdout.includes(env.slice(-20)), 'config show hides it');
    assert.match(got.stdout, /hidden/);
  }
});

test('peal password refuses what is short, and what stands in the command line', async (t) => {
  const run = (args, input) => t.command(['password', ...args], { input }).ended();
  const rows = [
    [[], 'elevenchars\n', EX.DATAERR, /12 characters/],
    [[], '\n', EX.DATAERR, /12 characters/],
    [[], '', EX.NOINPUT, /no password/],
    [[], `${'a'.repeat(2000)}\n`, EX.DATAERR, /1024/],
    [[], 'twelve chars\0\n', EX.DATAERR, /NUL/],
    [['correct-horse-battery'], '', EX.USAGE, /history/],
  ];
  for (const [args, input, code, words] of rows) {
    const got = await run(args, input);
    assert.strictEqual(got.code, code, got.stderr);
    assert.strictEqual(got.stdout, '');
    assert.match(got.stderr, words);
    assert.ok(!got.stderr.includes('correct-horse'));
  }
});

// In a terminal of its own (script, of bsdutils); answers each prompt with the next text.
function typed(t, ...texts) {
  const child = spawn('script', ['-qec', `${t.binary} password`, '/dev/null']);
  const prompts = [];
  let shown = '';
  child.stdout.on('data', (bytes) => {
    shown += bytes;
    while (prompts.length < shown.split('assword: ').length - 1 && texts.length > 0) {
      prompts.push(1);
      child.stdin.write(`${texts.shift()}\n`);
    }
  });
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, shown })));
  t.defer(() => child.kill());
  return within(ended, 'end of peal password');
}

test('peal password asks twice and shows nothing of it', async (t) => {
  const good = await typed(t, 'a terminal password', 'a terminal password');
  assert.strictEqual(good.code, EX.OK, good.shown);
  assert.match(good.shown, /PEAL_DASHBOARD_PASSWORD_HASH='scrypt/);
  assert.ok(!good.shown.includes('terminal'), good.shown);
  const other = await typed(t, 'a terminal password', 'another password!');
  assert.strictEqual(other.code, EX.DATAERR, other.shown);
  assert.ok(!/scrypt|terminal|another/.test(other.shown), other.shown);
});

test('an exposed dashboard needs a password, and a hash must be one', async (t) => {
  const serve = (...set) =>
    t.command(['serve', '--port', '0', ...APP, ...set.flatMap((text) => ['--set', text])]).ended();
  const open = await serve('dashboard.expose=true');
  assert.strictEqual(open.code, EX.CONFIG);
  assert.match(open.stderr, /dashboard\.expose.*dashboard\.password_hash.*peal password.*ssh -L/s);
  for (const bad of ['my-plain-choice-77', HASH.slice(0, -4), HASH.replace('16384', '64')]) {
    const got = await serve('dashboard.expose=true', `dashboard.password_hash=${bad}`);
    assert.strictEqual(got.code, EX.CONFIG);
    assert.match(got.stderr, /dashboard\.password_hash.*must be.*peal password/s);
    assert.ok(!got.stderr.includes(bad.slice(-8)), got.stderr);
  }
  const server = await t.server({ args: ['--dev'], set: { 'dashboard.expose': 'true' } });
  const away = await api.send(server, { target: `${PATH}/login` });
  assert.strictEqual(away.status, 404, 'with --dev there is no page without a password');
});

// --- strangers ---

const PATHS = [
  '/index.html',
  '/assets/index.js',
  '/assets/index.css',
  '/login.html',
  '/nothing',
  '/admin',
  '/admin/',
  '/admin/nothing',
  '/metrics',
  '/live',
  '/app/peal-internal',
  '/app/shop-key',
  '//admin/apps',
  '/%61dmin/apps',
];
const CALLS = [
  'apps',
  'channels?app=shop',
  'channel?app=shop&name=a',
  'connection?socket_id=1.2',
  'connections?app=shop',
  'workers',
  'facts',
  'explain?id=0-1',
  'statistics?app=shop',
  'session',
  'stream',
];

test('who is not logged in gets the log-in page, and of all else nothing', async (t) => {
  const server = await exposed(t);
  const stranger = new Visitor(server);
  for (const [below, where] of [
    ['', 'laravel-websockets/'],
    ['/', 'login'],
  ]) {
    const answer = await stranger.get(below);
    assert.strictEqual(answer.status, 302, below);
    assert.strictEqual(answer.headers.location, where, 'relative, for proxies');
  }
  const guesses = [{}, { Cookie: 'peal_session=' }, { Cookie: `peal_session=${'0'.repeat(64)}` }];
  for (const below of [...PATHS, ...CALLS.map((call) => `/admin/${call}`)])
    for (const headers of guesses) {
      const answer = await stranger.get(below, headers);
      assert.strictEqual(answer.status, 401, below);
      assert.deepStrictEqual(answer.json, { error: 'Log in first.', code: 401 });
      assert.strictEqual(answer.headers['access-control-allow-origin'], undefined);
    }
  for (const call of ['disconnect', 'publish', 'logout', 'secret'])
    assert.strictEqual((await stranger.post(`/admin/${call}`, {})).status, 401, call);
  for (const method of ['PUT', 'DELETE', 'OPTIONS'])
    assert.strictEqual((await stranger.send(method, '/login')).status, 405, method);
  for (const target of ['/admin/apps', '/metrics', '/live', '/ready', '/laravel-websocketsx', '/login'])
    assert.strictEqual((await api.send(server, { target })).status, 404, target);
});

test('where the dashboard is not exposed, nothing of it is there', async (t) => {
  const server = await t.server({ set: { 'dashboard.password_hash': HASH }, secrets: [HASH] });
  for (const below of ['', '/', '/login', '/assets/login.css', '/admin/apps'])
    assert.strictEqual((await new Visitor(server).get(below)).status, 404, below);
});

test('a stranger may send no large body', async (t) => {
  const server = await exposed(t);
  const stranger = new Visitor(server);
  const large = { body: 'x'.repeat(20_000) };
  assert.strictEqual((await stranger.send('POST', '/login', large)).status, 413);
  assert.strictEqual((await stranger.send('POST', '/admin/publish', large)).status, 413);
});

// --- logging in and out ---

const flagsOf = (answer, name) => answer.cookies.find((cookie) => cookie.name === name)?.flags;

test('the right password opens the page, its calls and its writes', async (t) => {
  const server = await exposed(t);
  const someone = new Visitor(server);
  const page = await someone.open(t);
  assert.strictEqual(page.status, 200);
  assert.match(page.headers['content-security-policy'], /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
  assert.strictEqual(page.headers['cache-control'], 'no-store');
  assert.deepStrictEqual(flagsOf(page, 'peal_form'), [
    `Path=${PATH}`,
    'Max-Age=3600',
    'HttpOnly',
    'SameSite=Strict',
  ]);
  const answer = await someone.submit(PASSWORD);
  assert.strictEqual(answer.status, 303);
  assert.strictEqual(answer.headers.location, './');
  assert.strictEqual(answer.headers['cache-control'], 'no-store');
  assert.deepStrictEqual(flagsOf(answer, 'peal_session'), [
    `Path=${PATH}`,
    'Max-Age=43200',
    'HttpOnly',
    'SameSite=Strict',
  ]);
  assert.match((await someone.get('/')).text, /id="app"/);
  assert.strictEqual((await someone.get('/login')).status, 302);
  assert.deepStrictEqual(
    (await someone.get('/admin/apps')).json.map((app) => app.id),
    [server.app.id],
  );
  assert.strictEqual((await someone.get('/admin/workers')).status, 404, 'only what the page uses');
  const { login } = (await someone.get('/admin/session')).json;
  assert.ok(Math.abs(login.ends - Date.now() - 43_200_000) < 60_000, login.ends);
  someone.token = login.token;
  const client = await t.raw(server);
  await client.subscribe('orders');
  const sent = await someone.post('/admin/publish', {
    app: server.app.id,
    channel: 'orders',
    name: 'paid',
    data: { text: 'x'.repeat(30_000) },
  });
  assert.strictEqual(sent.json.verdict, 'delivered', sent.text);
  await client.event('paid');
  await logged(server, /logged in client=.127\.0\.0\.1/);
});

test('secrets are in no answer', async (t) => {
  const server = await exposed(t);
  const someone = new Visitor(server);
  await someone.logIn(t);
  for (const below of ['/', '/login', ...CALLS.map((call) => `/admin/${call}`)]) {
    const { text } = await someone.get(below.replace('app=shop', `app=${server.app.id}`));
    for (const secret of [server.app.secret, HASH, HASH.slice(-20)])
      assert.ok(!text.includes(secret), below);
  }
});

test('an app’s secret is shown to who is logged in and asks for it, and to nobody else', async (t) => {
  const server = await exposed(t, { apps: [{ id: 'shop', key: 'k1', secret: 'shop-secret-11' }, { id: 'blog', key: 'k2', secret: 'blog-secret-22' }] });
  const someone = new Visitor(server);
  assert.strictEqual((await someone.post('/admin/secret', { app: 'shop' })).status, 401);
  await someone.logIn(t);
  assert.strictEqual((await someone.get('/admin/secret?app=shop')).status, 405);
  assert.strictEqual((await someone.post('/admin/secret', { app: 'shop' }, { 'X-Peal': '1' })).status, 403);
  assert.strictEqual((await someone.post('/admin/secret', { app: 'shop' }, { Origin: 'http://evil.example' })).status, 403);
  assert.strictEqual((await someone.post('/admin/secret', { app: 'nobody' })).status, 404);
  assert.strictEqual((await someone.post('/admin/secret', {})).status, 404);
  const answer = await someone.post('/admin/secret', { app: 'blog' });
  assert.deepStrictEqual(answer.json, { secret: 'blog-secret-22' });
  assert.strictEqual(answer.headers['cache-control'], 'no-store');
  await logged(server, /secret shown app=.blog. client=.127\.0\.0\.1/);
  const admin = await watch.post(server, '/admin/secret', { app: 'blog' });
  assert.strictEqual(admin.status, 403, 'the admin listener has no log-in');
});

test('another log-in of the same browser ends the one before', async (t) => {
  const server = await exposed(t);
  const someone = new Visitor(server);
  await someone.logIn(t);
  const before = someone.cookies.get('peal_session');
  await someone.submit(PASSWORD);
  assert.notStrictEqual(someone.cookies.get('peal_session'), before);
  assert.strictEqual((await someone.get('/admin/apps')).status, 200);
  const old = await new Visitor(server).get('/admin/apps', { Cookie: `peal_session=${before}` });
  assert.strictEqual(old.status, 401);
});

test('cookies are for https only where that is how people come', async (t) => {
  const server = await exposed(t);
  const own = `127.0.0.1:${server.port}`;
  const rows = [
    [{ 'X-Forwarded-Proto': 'https' }, {}, true],
    [{ 'X-Forwarded-Proto': 'http' }, {}, false],
    [{}, { Origin: `https://${own}` }, true], // a browser says so, the proxy does not
    [{ 'X-Forwarded-Proto': 'http, https' }, {}, true],
  ];
  for (const [headers, more, secure] of rows) {
    const someone = new Visitor(server, { headers });
    await someone.open(t);
    const answer = await someone.submit(PASSWORD, { headers: more });
    assert.strictEqual(answer.status, 303, JSON.stringify([headers, more]));
    const name = `${secure ? '__Secure-' : ''}peal_session`;
    assert.strictEqual(flagsOf(answer, name)?.includes('Secure'), secure, name);
    assert.strictEqual((await someone.get('/admin/apps')).status, 200);
  }
  const far = await exposed(t, { set: { trusted_proxies: 'none' } });
  const page = await new Visitor(far, { headers: { 'X-Forwarded-Proto': 'https' } }).open(t);
  assert.ok(!flagsOf(page, 'peal_form').includes('Secure'), 'said by nobody whom we trust');
});

test('people are told where their password can be read on its way', async (t) => {
  const server = await exposed(t);
  const told = async (headers) => /not encrypted/.test((await new Visitor(server, { headers }).open(t)).text);
  assert.strictEqual(await told({}), false, 'on this machine');
  assert.strictEqual(await told({ 'X-Forwarded-For': '192.0.2.7' }), true);
  assert.strictEqual(await told({ 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }), false);
});

test('a wrong password opens nothing, and is not in the log', async (t) => {
  const server = await exposed(t, { secrets: ['wrong-password-77'] });
  const someone = new Visitor(server);
  await someone.open(t);
  for (const wrong of ['wrong-password-77', PASSWORD.toUpperCase(), `${PASSWORD} `, '']) {
    const answer = await someone.submit(wrong);
    assert.strictEqual(answer.status, 403);
    assert.match(answer.text, /That is not the password/);
    assert.strictEqual(flagsOf(answer, 'peal_session'), undefined);
  }
  assert.strictEqual((await someone.submit('x'.repeat(1025))).status, 400);
  assert.strictEqual((await someone.get('/admin/apps')).status, 401);
  await logged(server, /log-in refused client=.127\.0\.0\.1. status=403/);
  assert.strictEqual((await someone.submit(PASSWORD)).status, 303);
});

test('after log-out the cookie is worth nothing, and the stream ends', async (t) => {
  const server = await exposed(t);
  const [one, other] = [new Visitor(server), new Visitor(server)];
  await one.logIn(t);
  await other.logIn(t);
  const stream = await t.raw(server, await one.stream());
  const kept = await t.raw(server, await other.stream());
  const stolen = one.cookies.get('peal_session');
  const answer = await one.post('/admin/logout', {});
  assert.strictEqual(answer.status, 200, answer.text);
  assert.ok(flagsOf(answer, 'peal_session').includes('Max-Age=0'));
  assert.strictEqual(one.cookies.has('peal_session'), false);
  const again = await one.get('/admin/apps', { Cookie: `peal_session=${stolen}` });
  assert.strictEqual(again.status, 401);
  assert.strictEqual((await stream.closed()).code, 4009);
  assert.strictEqual((await other.get('/admin/apps')).status, 200);
  await kept.ping();
});

test('a session ends by itself, and its stream with it', async (t) => {
  const server = await exposed(t, { set: { 'dashboard.session_s': '2' } });
  const someone = new Visitor(server);
  const answer = await someone.logIn(t);
  assert.ok(flagsOf(answer, 'peal_session').includes('Max-Age=2'));
  const stream = await t.raw(server, await someone.stream());
  assert.strictEqual((await stream.closed()).code, 4009);
  await poll(async () => (await someone.get('/admin/apps')).status === 401, 'end of the session');
});

// --- reload ---

const yamlOf = (settings) =>
  `apps:\n  - { id: shop, key: shop-key, secret: shop-secret-99 }\ndashboard:\n${Object.entries(settings)
    .map(([name, value]) => `  ${name}: '${value}'\n`)
    .join('')}`;

async function reload(server, settings) {
  const said = () => server.stderr.split('server reloaded').length;
  const before = said();
  fs.writeFileSync(path.join(server.folder, 'e2e.yaml'), yamlOf(settings));
  server.signal('SIGHUP');
  await poll(() => said() > before, 'reload');
}

test('another password ends all sessions and streams; the same one does not', async (t) => {
  const other = 'another password altogether';
  const app = { id: 'shop', key: 'shop-key', secret: 'shop-secret-99' };
  const settings = { expose: true, password_hash: HASH };
  const server = await t.server({ apps: [], app, config: yamlOf(settings), workers: 2, secrets: [HASH, PASSWORD, other] });
  const someone = new Visitor(server);
  await someone.logIn(t);
  const stream = await t.raw(server, await someone.stream());
  await reload(server, { ...settings, session_s: 600 });
  assert.strictEqual((await someone.get('/admin/apps')).status, 200);
  await stream.ping();
  await reload(server, { ...settings, password_hash: hashOf(other) });
  assert.strictEqual((await someone.get('/admin/apps')).status, 401);
  assert.strictEqual((await stream.closed()).code, 4009);
  await someone.open(t);
  assert.strictEqual((await someone.submit(PASSWORD)).status, 403);
  await someone.logIn(t, other);
  const next = await t.raw(server, await someone.stream());
  await reload(server, { ...settings, expose: false, password_hash: hashOf(other) });
  assert.strictEqual((await someone.get('/')).status, 404);
  assert.strictEqual((await next.closed()).code, 4009);
});

// --- who guesses ---

test('who fails often waits longer and longer, others do not', async (t) => {
  const server = await exposed(t);
  const from = (address) => new Visitor(server, { headers: { 'X-Forwarded-For': address } });
  const guesser = from('192.0.2.1');
  await guesser.open(t);
  for (let n = 0; n < 5; n++) assert.strictEqual((await guesser.submit(`guess ${n}`)).status, 403);
  let braked = await guesser.submit('guess 5');
  assert.strictEqual(braked.status, 429);
  assert.strictEqual(braked.headers['retry-after'], '1');
  assert.match(braked.text, /Please wait 1 s/);
  assert.strictEqual((await guesser.submit(PASSWORD)).status, 429, 'also with the right one');
  await poll(async () => (await guesser.submit('guess 6')).status === 403, 'the end of the wait');
  braked = await guesser.submit('guess 7');
  assert.strictEqual(braked.headers['retry-after'], '2');
  await logged(server, /log-in refused client=.192\.0\.2\.1. status=429/);
  await from('192.0.2.2').logIn(t);
  // The same customer of a provider.
  const six = from('2001:db8:0:1::1');
  await six.open(t);
  for (let n = 0; n < 5; n++) assert.strictEqual((await six.submit('guess')).status, 403);
  const neighbour = from('2001:db8:0:1:ffff::2');
  await neighbour.open(t);
  assert.strictEqual((await neighbour.submit('guess')).status, 429);
});

test('many addresses together are braked; a browser that was in before is not', async (t) => {
  const server = await exposed(t);
  const known = new Visitor(server);
  await known.logIn(t);
  await known.post('/admin/logout', {});
  assert.deepStrictEqual([...known.cookies.keys()].sort(), ['peal_device', 'peal_form']);
  const statuses = [];
  for (let n = 0; !statuses.includes(429) && n < 60; n++) {
    const guesser = new Visitor(server, { headers: { 'X-Forwarded-For': `198.51.100.${n}` } });
    await guesser.open(t);
    statuses.push((await guesser.submit('guess')).status);
  }
  assert.ok(statuses.length > 25 && statuses.at(-1) === 429, statuses.join());
  await known.logIn(t);
  // What says that it was in before cannot be made up.
  const liar = new Visitor(server, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
  liar.cookies.set('peal_device', `${'0'.repeat(32)}.${'0'.repeat(64)}`);
  await liar.open(t);
  assert.strictEqual((await liar.submit(PASSWORD)).status, 429);
});

// 0.2 s each, or more: much longer than a ping takes.
const SLOW = (() => {
  const crypto = require('node:crypto');
  const salt = Buffer.alloc(16, 7);
  const made = crypto.scryptSync(PASSWORD, salt, 32, { N: 65536, r: 8, p: 1, maxmem: 256 << 20 });
  return `scrypt$65536$8$1$${salt.toString('base64')}$${made.toString('base64')}`;
})();

test('while passwords are looked at, the server serves; too many at once are sent away', async (t) => {
  const server = await exposed(t, { set: { 'dashboard.password_hash': SLOW }, workers: 1 });
  const client = await t.raw(server);
  const people = [];
  for (let n = 0; n < 10; n++)
    people.push(new Visitor(server, { headers: { 'X-Forwarded-For': `192.0.2.${n}` } }));
  for (const one of people) await one.open(t);
  let done = 0;
  const answers = people.map((one) => one.submit(PASSWORD).then((answer) => (done++, answer.status)));
  await poll(() => done > 0, 'those who are sent away');
  await client.ping();
  await api.publish(server, 'orders', 'paid');
  assert.ok(done < people.length - 2, `${done} answers: the server waited for passwords`);
  const statuses = await Promise.all(answers);
  const n = (status) => statuses.filter((one) => one === status).length;
  assert.strictEqual(n(303) + n(503), people.length, statuses.join());
  assert.ok(n(503) > 0 && n(303) >= 4, statuses.join());
});

test('a server that is told to stop does not wait for passwords', async (t) => {
  const server = await exposed(t, { set: { 'dashboard.password_hash': SLOW } });
  const one = new Visitor(server);
  await one.open(t);
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(one.submit(PASSWORD).catch((error) => error));
  await one.get('/assets/login.css');
  await server.stop();
  await Promise.all(answers);
});

// --- other pages ---

test('no other page can log in, and none can send the form', async (t) => {
  const server = await exposed(t);
  const [one, other] = [new Visitor(server), new Visitor(server)];
  await one.open(t);
  await other.open(t);
  const rows = [
    [{ headers: { Origin: 'http://evil.example' } }, 403],
    [{ headers: { Origin: 'null' } }, 403],
    [{ headers: { Origin: `http://127.0.0.1:${server.port + 1}` } }, 403],
    [{ headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
    [{ headers: { 'Sec-Fetch-Site': 'same-site' } }, 403],
    [{ headers: { 'Content-Type': 'text/plain' } }, 415],
    [{ headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }, 415],
    [{ token: '' }, 403],
    [{ token: other.form }, 403],
    [{ token: one.form.replace(/^\d/, (digit) => String((Number(digit) + 1) % 10)) }, 403],
  ];
  for (const [options, status] of rows) {
    const answer = await one.submit(PASSWORD, options);
    assert.strictEqual(answer.status, status, JSON.stringify(options));
    assert.strictEqual(flagsOf(answer, 'peal_session'), undefined);
  }
  const bare = await new Visitor(server).submit(PASSWORD, { token: one.form });
  assert.strictEqual(bare.status, 403, 'the token without its cookie');
  assert.strictEqual((await one.submit(PASSWORD)).status, 303);
});

test('writes need the token of the session, from its own page', async (t) => {
  const server = await exposed(t);
  const client = await t.raw(server);
  const [one, other] = [new Visitor(server), new Visitor(server)];
  await one.logIn(t);
  await other.logIn(t);
  const body = { socket_id: client.socketId };
  const stream = (await one.get('/admin/stream')).json.token;
  const rows = [
    [{ 'X-Peal': '' }, 403],
    [{ 'X-Peal': '1' }, 403],
    [{ 'X-Peal': other.token }, 403],
    [{ 'X-Peal': stream }, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Content-Type': 'text/plain' }, 415],
  ];
  for (const [headers, status] of rows)
    for (const call of ['/admin/disconnect', '/admin/logout']) {
      const answer = await one.post(call, body, headers);
      assert.strictEqual(answer.status, status, `${call} ${JSON.stringify(headers)}`);
      assert.strictEqual(answer.headers['access-control-allow-origin'], undefined);
    }
  for (const headers of [{ Origin: 'http://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }])
    assert.strictEqual((await one.get('/admin/apps', headers)).status, 403);
  await client.ping(); // nobody has ended it
  assert.strictEqual((await one.post('/admin/disconnect', body)).status, 200);
  await client.closed();
});

function upgrade(server, { path: target, headers }) {
  return watch.upgradeStatus(`ws://${server.host}:${server.port}${target}`, headers);
}

test('the live stream needs the session, a token of it, and its own page', async (t) => {
  const server = await exposed(t, { workers: 2 });
  const [one, other] = [new Visitor(server), new Visitor(server)];
  await one.logIn(t);
  await other.logIn(t);
  const good = await one.stream();
  const change = (headers) => ({ ...good, headers: { ...good.headers, ...headers } });
  const rows = [
    [good, 101],
    [change({ 'Sec-Fetch-Site': 'same-origin' }), 101],
    [change({ Cookie: '' }), 401],
    [change({ Cookie: other.cookieHeader }), 403],
    [change({ Origin: 'http://evil.example' }), 403],
    [change({ Origin: 'null' }), 403],
    [change({ 'Sec-Fetch-Site': 'cross-site' }), 403],
    [{ ...good, headers: { Cookie: one.cookieHeader } }, 403],
    [{ ...good, path: `${PATH}/app/peal-internal?protocol=7` }, 403],
    [{ ...good, path: `${PATH}/app/peal-internal?token=${one.token}&protocol=7` }, 403],
    [{ ...good, path: `${PATH}/app/${server.app.key}?protocol=7` }, 404],
  ];
  for (const [request, status] of rows)
    assert.strictEqual(await upgrade(server, request), status, JSON.stringify(request));
  const stream = await t.raw(server, await one.stream());
  await stream.subscribe('stats');
  await stream.subscribe('watch');
  await stream.event('stats');
  await api.publish(server, 'orders', 'paid');
  const { json } = await stream.event('watch');
  assert.strictEqual(json.events[0].type, 'api-message');
});

// --- elsewhere ---

test('below a path_prefix, and by another name for the dashboard', async (t) => {
  const server = await exposed(t, { set: { path_prefix: '/ws', 'dashboard.path': '/a/board' } });
  const someone = new Visitor(server, { path: '/ws/a/board' });
  assert.strictEqual((await someone.get('')).headers.location, 'board/');
  const answer = await someone.logIn(t);
  assert.ok(flagsOf(answer, 'peal_session').includes('Path=/ws/a/board'));
  assert.strictEqual((await someone.get('/')).status, 200);
  await (await t.raw(server, await someone.stream())).ping();
  assert.strictEqual((await new Visitor(server, { path: '/a/board' }).get('/login')).status, 404);
});

test('through Nginx', async (t) => {
  if (!findNginx()) t.skip('Nginx is not installed');
  const server = await exposed(t);
  const nginx = await startNginx(t, server);
  const someone = new Visitor(nginx);
  await someone.logIn(t);
  assert.strictEqual((await someone.get('/admin/apps')).json[0].id, server.app.id);
  const stream = await t.raw(nginx, await someone.stream());
  await stream.subscribe('stats');
  await stream.event('stats');
});
