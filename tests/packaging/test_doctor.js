// SPDX-License-Identifier: MIT
//
// peal doctor: each diagnosis is made to come by breaking that one thing, with a real nginx in front
// where it is about proxies. Names come from libnss-wrapper and the time from faketime, so nothing of
// the machine is changed.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const { test } = require('../e2e/lib/suite');
const { freePort } = require('../e2e/lib/nginx');
const { startSite } = require('./lib/site');

const triple = (app) => `${app.id}:${app.key}:${app.secret}`;
const library = (names) => names.find((name) => fs.existsSync(name));

const NSS_WRAPPER = library([
  '/usr/lib/x86_64-linux-gnu/libnss_wrapper.so',
  '/usr/lib/aarch64-linux-gnu/libnss_wrapper.so',
]);
const FAKETIME = library([
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
]);

// Resolves to { code, broken, of } of `peal doctor --json`; of(link): the finding that is no ok.
async function doctor(t, args, options = {}) {
  const command = t.command(['doctor', '--json', ...args], options);
  const { code, stdout, stderr } = await command.ended(30_000);
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw new Error(`no JSON (exit code ${code}): ${stdout}${stderr}`);
  }
  const of = (link) =>
    answer.findings.find((one) => one.link === link && one.state !== 'ok') ??
    answer.findings.find((one) => one.link === link);
  return { code, broken: answer.first_broken, of, all: answer.findings };
}

const url = (server) => `http://127.0.0.1:${server.port}`;
const secure = (site) => [`https://${site.host}:${site.port}`, '--ca', site.ca, '--app', triple(site.app)];

// What is found is that link, with these words, and a line to change with those.
function found(result, link, text, change) {
  assert.strictEqual(result.broken, link, JSON.stringify(result.all));
  assert.strictEqual(result.code, 69);
  assert.match(result.of(link).text, text);
  assert.match(result.of(link).change, change);
}

// --- nothing is broken ---

test('all is well, directly and through nginx with TLS', async (t) => {
  const server = await t.server();
  const direct = await doctor(t, [url(server), '--app', triple(server.app)]);
  assert.strictEqual(direct.broken, null, JSON.stringify(direct.all));
  assert.strictEqual(direct.code, 0);
  const site = await startSite(t, 'peal.conf', server);
  const through = await doctor(t, [...secure(site), '--idle', '1']);
  assert.strictEqual(through.broken, null, JSON.stringify(through.all));
  assert.match(through.of('idle').text, /lasted 1 s/);
  assert.match(through.of('connection').text, /renew|certificate is good for/);
});

test('for people it prints a line for each link, and where to begin', async (t) => {
  const server = await t.server();
  const command = t.command(['doctor', url(server), '--app', `${server.app.id}:nokey:x`]);
  const { code, stdout } = await command.ended();
  assert.strictEqual(code, 69);
  assert.match(stdout, /^ok {4}connection {3}127\.0\.0\.1:\d+ answers$/m);
  assert.match(stdout, /^FAIL {2}api {10}the server answered 401: .*\n {19}change: PUSHER_APP_KEY/m);
  assert.match(stdout, /^skip {2}event /m);
  assert.match(stdout, /The first broken link is 'api': begin there\.\n$/);
});

// --- the way ---

test('a name that nobody knows', async (t) => {
  const result = await doctor(t, ['http://nosuch.invalid:6001', '--app', 'a:b:c']);
  found(result, 'name', /nosuch\.invalid has no address/, /PUSHER_HOST/);
});

test('a name that leads elsewhere', { ms: 60_000 }, async (t) => {
  if (!NSS_WRAPPER || process.env.ASAN_OPTIONS?.includes('verify')) t.skip('no libnss-wrapper');
  const server = await t.server();
  const hosts = { 'hosts.txt': '127.0.0.9 push.example\n' };
  const env = { LD_PRELOAD: NSS_WRAPPER, NSS_WRAPPER_HOSTS: 'hosts.txt' };
  const args = [`http://push.example:${server.port}`, '--app', triple(server.app)];
  const result = await doctor(t, args, { files: hosts, env });
  assert.match(result.of('name').text, /push\.example is 127\.0\.0\.9/);
  found(result, 'connection', /nothing listens on push\.example/, /PUSHER_PORT/);
});

test('a port where nobody listens', async (t) => {
  const port = await freePort();
  const result = await doctor(t, [`http://127.0.0.1:${port}`, '--app', 'a:b:c']);
  found(result, 'connection', /nothing listens/, /PUSHER_PORT/);
});

test('TLS spoken to a plain port, and plain HTTP to a port with TLS', async (t) => {
  const server = await t.server();
  const tls = await doctor(t, [`https://127.0.0.1:${server.port}`, '--app', triple(server.app)]);
  found(tls, 'connection', /does not speak TLS/, /PUSHER_SCHEME=http/);
  const site = await startSite(t, 'peal.conf', server);
  const plain = await doctor(t, [`http://localhost:${site.port}`, '--app', triple(server.app)]);
  found(plain, 'server', /wants TLS/, /PUSHER_SCHEME=https/);
});

test('a certificate of nobody known, and one for another name', async (t) => {
  const server = await t.server();
  const own = await startSite(t, 'peal.conf', server);
  const args = [`https://localhost:${own.port}`, '--app', triple(server.app)];
  found(await doctor(t, args), 'connection', /certificate is not trusted/, /whole chain|--ca/);
  const other = await startSite(t, 'peal.conf', server, { host: 'other.example' });
  found(await doctor(t, secure(other)), 'connection', /not trusted/, /for this very name/);
});

test('something that is no HTTP server', async (t) => {
  const noise = net.createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n'));
  await new Promise((resolve) => noise.listen(0, '127.0.0.1', resolve));
  t.defer(() => noise.close());
  const result = await doctor(t, [`http://127.0.0.1:${noise.address().port}`, '--app', 'a:b:c']);
  found(result, 'server', /no HTTP answer/, /port of Peal/);
});

// --- the proxy ---

// The application behind the proxy knows neither /app nor /apps.
const noApplication = (text) => text.replace(/fastcgi_pass .*;/, 'return 404;');

const BREAKS = [
  {
    name: 'a proxy without the Upgrade header',
    edit: (text) => text.replace(/ *proxy_set_header Upgrade .*\n/, ''),
    expect: ['socket', /426|400/, /proxy_set_header Upgrade/],
  },
  {
    name: 'a proxy that speaks HTTP/1.0',
    edit: (text) => text.replace(/ *proxy_http_version .*\n/, ''),
    expect: ['socket', /refused|no WebSocket/, /proxy_http_version 1\.1/],
  },
  {
    name: 'a proxy that passes on /app/ alone',
    file: 'laravel-with-peal.conf',
    edit: (text) => noApplication(text.replace('location ~ ^/apps?/', 'location ~ ^/app/')),
    expect: ['api', /answered 404/, /\/apps\/ as well as \/app\//],
  },
  {
    name: 'a proxy that passes on /apps/ alone',
    file: 'laravel-with-peal.conf',
    edit: (text) => noApplication(text.replace('location ~ ^/apps?/', 'location ~ ^/apps/')),
    expect: ['socket', /404/, /location/],
  },
  {
    name: 'a proxy that looks for Peal on another port',
    edit: (text) => text.replace(/server 127\.0\.0\.1:\d+;/, 'server 127.0.0.1:9;'),
    expect: ['api', /502/, /proxy_pass/],
  },
  {
    name: 'a proxy that leads elsewhere',
    edit: (text) => text.replace(/proxy_pass .*;/g, 'return 301 https://elsewhere.example$request_uri;'),
    expect: ['api', /answered 301/, /PUSHER_SCHEME=https and PUSHER_PORT=443/],
    also: ['socket', /301/, /PUSHER_SCHEME=https/],
  },
  {
    name: 'a proxy that cuts silent connections',
    edit: (text) => text.replace('proxy_read_timeout 120s', 'proxy_read_timeout 1s'),
    args: ['--idle', '5'],
    expect: ['idle', /cut after [12] s/, /proxy_read_timeout/],
  },
];

for (const { name, file = 'peal.conf', edit, args = [], expect, also } of BREAKS) {
  test(name, async (t) => {
    const site = await startSite(t, file, await t.server(), {
      edit: (text) => {
        const broken = edit(text);
        assert.notStrictEqual(broken, text, 'nothing was broken');
        return broken;
      },
    });
    const result = await doctor(t, [...secure(site), ...args]);
    found(result, ...expect);
    if (!also) return;
    assert.match(result.of(also[0]).text, also[1]);
    assert.match(result.of(also[0]).change, also[2]);
  });
}

// --- keys and clocks ---

test('a wrong id, key, secret, path', async (t) => {
  const server = await t.server();
  const { id, key, secret } = server.app;
  const as = (app, where = url(server)) => doctor(t, [where, '--app', app]);
  found(await as(`nobody:${key}:${secret}`), 'api', /no app with the id 'nobody'/, /PUSHER_APP_ID/);
  const wrongKey = await as(`${id}:nokey:${secret}`);
  found(wrongKey, 'api', /auth_key/, /PUSHER_APP_KEY/);
  assert.match(wrongKey.of('socket').text, /App key nokey does not exist/);
  found(await as(`${id}:${key}:nosecret`), 'api', /auth_signature/, /PUSHER_APP_SECRET/);
  found(await as(triple(server.app), `${url(server)}/ws`), 'api', /no route/, /path_prefix/);
});

test('the port of the admin listener', async (t) => {
  const server = await t.server();
  const where = `http://127.0.0.1:${server.adminPort}`;
  const result = await doctor(t, [where, '--app', triple(server.app)]);
  found(result, 'api', /admin listener/, /PUSHER_PORT.*option listen/);
  assert.match(result.of('socket').change, /PUSHER_PORT.*option listen/);
});

test('a clock that is wrong', async (t) => {
  if (!FAKETIME || process.env.ASAN_OPTIONS) t.skip('no faketime');
  const server = await t.server();
  const env = { LD_PRELOAD: FAKETIME, FAKETIME: '-1h' };
  const result = await doctor(t, [url(server), '--app', triple(server.app)], { env });
  found(result, 'api', /auth_timestamp is 36\d\d s behind/, /clocks/);
});

test('an origin that is refused, and an app that is full', async (t) => {
  const limits = await t.server({ set: { 'app_defaults.limits.connections': '1' } });
  await t.raw(limits);
  const full = await doctor(t, [url(limits), '--app', triple(limits.app)]);
  found(full, 'socket', /limits\.connections/, /limits\.connections/);
  const strict = await t.server({ set: { 'app_defaults.allowed_origins': 'https://a.example' } });
  const origin = await doctor(t, [url(strict), '--app', triple(strict.app)]);
  found(origin, 'socket', /allowed_origins/, /allowed_origins/);
});

test('an API and a WebSocket that are not the same server', async (t) => {
  const one = await t.server();
  const other = await t.server();
  const site = await startSite(t, 'laravel-with-peal.conf', one, {
    edit: (text) =>
      text.replace(
        /location ~ \^\/apps\?\/ \{/,
        `location /apps/ { proxy_pass http://127.0.0.1:${other.port}; }\n    location ~ ^/app/ {`,
      ),
  });
  found(await doctor(t, secure(site)), 'event', /did not arrive/, /another server/);
});

// --- Laravel ---

const LARAVEL = {
  artisan: '',
  '.env': 'BROADCAST_CONNECTION=pusher\nPUSHER_SCHEME=http\n',
};
const BROADCASTING = `<?php return ['connections' => ['pusher' => ['driver' => 'pusher',
  'options' => ['host' => env('PUSHER_HOST'), 'useTLS' => env('PUSHER_SCHEME') === 'https']]]];`;

async function inLaravel(t, files) {
  const server = await t.server();
  const command = t.command(['doctor', '--json', url(server), '--app', triple(server.app)], {
    files: { ...LARAVEL, ...files },
    folders: ['config'],
  });
  const answer = JSON.parse((await command.ended()).stdout);
  return answer.findings.filter((one) => one.link === 'laravel' && one.state !== 'ok');
}

test('the .env and config/broadcasting.php of a Laravel application', async (t) => {
  const good = { 'config/broadcasting.php': BROADCASTING };
  assert.deepStrictEqual(await inLaravel(t, good), []);
  const [log] = await inLaravel(t, { ...good, '.env': 'BROADCAST_DRIVER=log\n' });
  assert.match(log.change, /BROADCAST_CONNECTION=pusher/);
  const [host] = await inLaravel(t, {
    'config/broadcasting.php': BROADCASTING.replace("'host' => env('PUSHER_HOST'), ", ''),
  });
  assert.match(host.text, /events go to pusher\.com/);
  const [tls] = await inLaravel(t, {
    'config/broadcasting.php': BROADCASTING.replace("env('PUSHER_SCHEME') === 'https'", 'true'),
  });
  assert.match(tls.text, /useTLS => true/);
  const [queue] = await inLaravel(t, { ...good, '.env': `${LARAVEL['.env']}QUEUE_CONNECTION=redis\n` });
  assert.match(queue.change, /queue:work/);
});
