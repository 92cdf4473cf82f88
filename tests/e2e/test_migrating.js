// SPDX-License-Identifier: MIT
//
// docs/guide/migrating/: what its blocks of settings and code say works with the program as it is. Each
// .env and peal.yaml goes through peal config, each Echo and each SDK connects and publishes. A block
// that is added to a page fails until it has its line here.
'use strict';

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const Pusher = require('pusher');
const PusherJs = require('pusher-js');
const { test } = require('./lib/suite');
const { within } = require('./lib/wait');

const GUIDE = path.join(__dirname, '../../docs/guide/migrating');
const AUTOLOAD = path.join(__dirname, 'php/vendor/autoload.php');

const REVERB = { apps: { 256980: 'f4l2tmwqf6eg0f6jz0mw' }, port: 8080, warnings: [] };
const HOSTED = { apps: { 1234567: '3f9c2a7b1d0e4c5f6a7b' }, port: 6001, warnings: [] };
const SOKETI = {
  apps: { 'app-id': 'app-key' },
  port: 6001,
  values: {
    'apps.app-id.limits.connections': 200,
    'apps.app-id.limits.message_bytes': 102400,
    'apps.app-id.limits.presence_members': 0,
    'apps.app-id.cache_ttl_s': 3600,
    'apps.app-id.client_events': 'members',
  },
};
const WEBHOOKS = /^warning: SOKETI_DEFAULT_APP_WEBHOOKS has no effect/;
const GUESSABLE = /^warning: app 'app-id': the secret is easy to guess/;

// For each page its blocks in the order in which they stand: ini is a .env; yaml a peal.yaml, which
// lies beside the `env`th .env; js and php code, to be run with the `env`th .env. No `to`: a before.
const PAGES = {
  'laravel-websockets': {
    ini: [{ apps: { 12345: 'ABCDEFG' }, port: 6001, warnings: [] }],
    yaml: [
      {
        env: 0,
        apps: { 12345: 'ABCDEFG' },
        port: 6001,
        values: {
          'apps.12345.client_events': 'none',
          'apps.12345.limits.connections': 1000,
          'apps.12345.allowed_origins': ['example.com'],
          'apps.12345.limits.message_bytes': 256000,
          'statistics.retention_days': 60,
        },
      },
    ],
    js: [{ env: 0, to: 'echo' }],
  },
  soketi: {
    ini: [
      { ...SOKETI, warnings: [WEBHOOKS, GUESSABLE] },
      { ...SOKETI, warnings: [] },
    ],
    yaml: [
      {
        apps: { shop: 'shop-key', chat: 'chat-key' },
        port: 6001,
        values: {
          'apps.shop.client_events': 'members',
          'apps.shop.limits.connections': 200,
          'apps.shop.limits.client_events_per_second': 5,
          'apps.shop.limits.publishes_per_second': 0,
          'apps.shop.user_authentication': false,
          'apps.chat.user_authentication': true,
          'apps.chat.client_events': 'none',
          'apps.chat.limits.message_bytes': 102400,
          'apps.chat.limits.presence_members': 100,
          'apps.chat.cache_ttl_s': 3600,
        },
      },
    ],
    js: [
      { env: 0, to: 'publish' },
      { env: 0, to: 'echo' },
    ],
  },
  reverb: {
    ini: [
      { ...REVERB, port: 6001, warnings: [/^warning: .*clients dial localhost, port 8080/] },
      REVERB,
      REVERB,
    ],
    yaml: [
      {
        env: 1,
        apps: { ...REVERB.apps, 481516: 'another-key' },
        port: 8080,
        values: {
          'apps.256980.allowed_origins': ['example.com', '*.example.com'],
          'apps.256980.limits.connections': 500,
        },
      },
    ],
    js: [{ env: 1, to: 'echo' }],
  },
  pusher: {
    ini: [HOSTED, HOSTED, HOSTED],
    yaml: [
      {
        env: 1,
        apps: HOSTED.apps,
        port: 6001,
        values: {
          'apps.1234567.client_events': 'none',
          'apps.1234567.subscription_count': true,
          'apps.1234567.user_authentication': true,
          'apps.1234567.watchlist': true,
        },
      },
    ],
    js: [{}, { env: 1, to: 'echo' }, { env: 1, to: 'publish' }, { env: 1, to: 'publish' }],
  },
};

// Blocks of code of a page, by language: {ini: [text, …], …}
function readBlocks(page) {
  const text = fs.readFileSync(path.join(GUIDE, `${page}.md`), 'utf8');
  const blocks = {};
  for (const [, language, body] of text.matchAll(/^```(\w+)\n(.*?)^```$/gms))
    (blocks[language] ??= []).push(body);
  return blocks;
}

// NAME=value and NAME="${OTHER}", which is all that the pages have.
function readDotenv(text) {
  const values = {};
  for (const [, name, value] of text.matchAll(/^(\w+)=(.*)$/gm))
    values[name] = value
      .replace(/^(["'])(.*)\1$/, '$2')
      .replace(/\$\{(\w+)\}/g, (_, other) => values[other]);
  return values;
}

async function checkSettings(t, files, expected) {
  const check = await t.command(['config', 'check'], { files }).ended();
  assert.strictEqual(check.code, 0, check.stderr);
  const warnings = check.stderr.split('\n').filter((line) => line !== '');
  if (expected.warnings) {
    assert.strictEqual(warnings.length, expected.warnings.length, check.stderr);
    expected.warnings.forEach((pattern, i) => assert.match(warnings[i], pattern));
  }
  const show = await t.command(['config', 'show', '--json'], { files }).ended();
  const settings = JSON.parse(show.stdout);
  assert.deepStrictEqual(settings.listen.value, [`0.0.0.0:${expected.port}`]);
  const keys = {};
  for (const [name, { value }] of Object.entries(settings)) {
    const app = /^apps\.(.*)\.key$/.exec(name);
    if (app) keys[app[1]] = value;
  }
  assert.deepStrictEqual(keys, expected.apps);
  for (const [name, value] of Object.entries(expected.values ?? {}))
    assert.deepStrictEqual(settings[name]?.value, value, name);
}

// A server with the app of a .env, which must be the one that the .env itself makes.
async function serve(t, dotenv) {
  const values = readDotenv(dotenv);
  const group = ['PUSHER', 'REVERB'].find((name) => values[`${name}_APP_ID`]);
  const [id, key, secret] = ['ID', 'KEY', 'SECRET'].map((part) => values[`${group}_APP_${part}`]);
  const server = await t.server({ apps: [], app: { id, key, secret }, files: { '.env': dotenv } });
  return { server, values };
}

const back = ({ server }) =>
  new Pusher({
    appId: server.app.id,
    key: server.app.key,
    secret: server.app.secret,
    host: server.host,
    port: String(server.port),
    useTLS: false,
  });

// The code as it stands, but for the port, which is that of the server.
async function listenWithEcho(t, world, code) {
  const { default: Echo } = await import('laravel-echo-2');
  const { server, values } = world;
  let echo;
  class Here extends Echo {
    constructor(options) {
      super({ ...options, Pusher: PusherJs, withoutInterceptors: true });
      echo = this;
    }
  }
  const env = { ...values };
  for (const name of Object.keys(env)) if (/_PORT$/.test(name)) env[name] = String(server.port);
  const run = code.replaceAll('import.meta.env', 'env').replaceAll('6001', String(server.port));
  new Function('Echo', 'window', 'env', run)(Here, { location: { hostname: '127.0.0.1' } }, env);
  t.defer(() => echo.disconnect());
  const channel = echo.channel('orders');
  const heard = new Promise((resolve) => channel.listen('OrderShipped', resolve));
  await within(new Promise((resolve) => channel.subscribed(resolve)), 'subscription');
  await back(world).trigger('orders', 'App\\Events\\OrderShipped', { id: 7 });
  assert.deepStrictEqual(await within(heard, 'event'), { id: 7 });
}

async function publishWithNode(t, { server }, code) {
  const client = await t.raw(server);
  await client.subscribe('orders');
  const run = `${code.replaceAll('6001', String(server.port))}; return pusher;`;
  await new Function('Pusher', run)(Pusher).trigger('orders', 'shipped', { id: 7 });
  assert.deepStrictEqual((await client.event('shipped', 'orders')).json, { id: 7 });
}

for (const [page, expected] of Object.entries(PAGES)) {
  test(`${page}: each .env and peal.yaml is what the page says`, { quick: true }, async (t) => {
    const { ini, yaml } = readBlocks(page);
    assert.strictEqual(ini.length, expected.ini.length, 'blocks of .env');
    assert.strictEqual(yaml.length, expected.yaml.length, 'blocks of peal.yaml');
    for (const [i, text] of ini.entries()) await checkSettings(t, { '.env': text }, expected.ini[i]);
    for (const [i, text] of yaml.entries()) {
      const { env } = expected.yaml[i];
      const files = { 'peal.yaml': text, ...(env === undefined ? {} : { '.env': ini[env] }) };
      await checkSettings(t, files, expected.yaml[i]);
    }
  });

  test(`${page}: Echo and the Node SDK, as the page writes them`, async (t) => {
    const { ini, js } = readBlocks(page);
    assert.strictEqual(js.length, expected.js.length, 'blocks of JavaScript');
    for (const [i, { env, to }] of expected.js.entries()) {
      if (!to) continue;
      const world = await serve(t, ini[env]);
      if (to === 'echo') await listenWithEcho(t, world, js[i]);
      else await publishWithNode(t, world, js[i]);
    }
  });
}

test('pusher: the PHP SDK, as the page writes it', async (t) => {
  const { ini, php } = readBlocks('pusher');
  assert.strictEqual(php.length, 1, 'blocks of PHP');
  const { server } = await serve(t, ini[1]);
  const client = await t.raw(server);
  await client.subscribe('orders');
  const code = `error_reporting(E_ALL & ~E_DEPRECATED); require '${AUTOLOAD}';
    ${php[0].replaceAll('6001', String(server.port))}
    $pusher->trigger('orders', 'shipped', ['id' => 7]);`;
  await promisify(execFile)('php', ['-r', code]);
  assert.deepStrictEqual((await client.event('shipped', 'orders')).json, { id: 7 });
});
