// SPDX-License-Identifier: MIT
//
// The commands: version, help, trigger, listen, and how wrong configurations are refused.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { test } = require('./lib/suite');

// From sysexits.h.
const EX = { OK: 0, USAGE: 64, DATAERR: 65, UNAVAILABLE: 69, NOPERM: 77, CONFIG: 78 };

const run = (t, args, options) => t.command(args, options).ended();

// Host, port and app of a server, for the commands that talk to one.
const target = (server, secret = server.app.secret) => [
  '--host',
  server.host,
  '--port',
  String(server.port),
  '--app',
  `${server.app.id}:${server.app.key}:${secret}`,
];

async function fails(t, args, code, ...words) {
  const { input, files, env, ...rest } = args.options ?? {};
  assert.deepStrictEqual(rest, {});
  const got = await run(t, args.args ?? args, { input, files, env });
  const what = `peal ${(args.args ?? args).join(' ')}: exit ${got.code}: ${got.stderr}`;
  assert.strictEqual(got.code, code, what);
  assert.strictEqual(got.stdout, '', what);
  for (const word of words) assert.match(got.stderr, word, what);
  return got;
}

test('version', { quick: true }, async (t) => {
  const text = await run(t, ['version']);
  assert.strictEqual(text.code, EX.OK);
  assert.match(text.stdout, /^peal \d+\.\d+\.\d+\n$/);
  const json = await run(t, ['version', '--json']);
  assert.strictEqual(`peal ${JSON.parse(json.stdout).version}\n`, text.stdout);
  assert.strictEqual((await run(t, ['--version'])).stdout, text.stdout);
});

test('help of every command, with examples', { quick: true }, async (t) => {
  const list = await run(t, ['help']);
  assert.strictEqual(list.code, EX.OK);
  assert.strictEqual((await run(t, ['--help'])).stdout, list.stdout);
  const commands = [...list.stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  for (const name of ['serve', 'trigger', 'listen', 'version'])
    assert.ok(commands.includes(name), name);
  for (const name of commands) {
    const page = await run(t, ['help', name]);
    assert.strictEqual(page.code, EX.OK, name);
    assert.match(page.stdout, new RegExp(`^usage: peal ${name}`), name);
    assert.match(page.stdout, /examples:/, name);
    assert.strictEqual((await run(t, [name, '--help'])).stdout, page.stdout, name);
  }
});

test('wrong command lines: exit 64 and a hint', { quick: true }, async (t) => {
  await fails(t, [], EX.USAGE, /usage/);
  await fails(t, ['trigge'], EX.USAGE, /trigge/, /trigger/);
  await fails(t, ['help', 'trigge'], EX.USAGE, /trigger/);
  await fails(t, ['serve', '--prot', '1'], EX.USAGE, /--prot/, /--port/);
  await fails(t, ['serve', '--port'], EX.USAGE, /--port/);
  await fails(t, ['serve', 'word'], EX.USAGE, /word/);
  await fails(t, ['version', '--port', '1'], EX.USAGE);
  await fails(t, ['trigger'], EX.USAGE, /channel/i);
  await fails(t, ['listen'], EX.USAGE, /channel/i);
  await fails(t, ['trigger', 'a', 'b', '{}', 'more'], EX.USAGE);
});

test('serve refuses what is configured wrong, and names it', async (t) => {
  const app = ['--app', 'a:b:top-secret-1'];
  await fails(t, ['serve', '--port', '0'], EX.CONFIG, /app/, /--dev/);
  const wrong = [
    [['--set', 'log.loevel=info'], /log\.loevel/, /log\.level/],
    [['--set', 'workers=0'], /workers/],
    [['--set', 'workers=many'], /workers/, /many/],
    [['--set', 'apps.a.activity_timeout_s=100'], /activity_timeout_s/],
    [['--set', 'apps.nobody.enabled=true'], /nobody/],
    [['--set', 'admin.listen=nonsense:port'], /admin\.listen/],
    [['--config', 'missing.yaml'], /missing\.yaml/],
    [['--env', 'missing.env'], /missing\.env/],
    [['--app', 'a:b:another-secret'], /\ba\b/],
    [['--app', 'only-an-id'], /ID:KEY:SECRET/],
    [['--app', '@missing'], /missing/],
  ];
  for (const [args, ...words] of wrong) {
    const got = await run(t, ['serve', '--port', '0', ...app, ...args]);
    const what = `${args.join(' ')}: exit ${got.code}: ${got.stderr}`;
    assert.ok([EX.USAGE, EX.CONFIG].includes(got.code), what);
    for (const word of words) assert.match(got.stderr, word, what);
    assert.ok(!/top-secret|another-secret/.test(got.stderr), what);
  }
});

test('serve: files and environment', async (t) => {
  const serve = ['serve', '--port', '0'];
  const yaml = (text, ...words) =>
    fails(
      t,
      { args: serve, options: { files: { 'peal.yaml': text } } },
      EX.CONFIG,
      /peal\.yaml/,
      ...words,
    );
  await yaml('apps: [', /1|line/);
  await yaml('log:\n  loevel: info\n', /loevel/, /level/, /2/);
  await yaml('workers: none\n', /workers/);
  await yaml('apps:\n  - id: a\n    key: k\n', /secret/);
  const env = (text, ...words) =>
    fails(t, { args: serve, options: { files: { '.env': text } } }, EX.CONFIG, ...words);
  const two = 'PUSHER_APP_ID=a\nPUSHER_APP_KEY=k\nPUSHER_APP_SECRET=s3cr3t-x\n';
  await env(
    `${two}REVERB_APP_ID=a\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s3cr3t-y\n`,
    /PUSHER/,
    /REVERB/,
  );
  await env(`${two}SOKETI_PORT=1\nREVERB_SERVER_PORT=2\n`, /SOKETI_PORT/, /REVERB_SERVER_PORT/);
  const peal = { args: serve, options: { env: { PEAL_LOG_LOEVEL: 'info' } } };
  await fails(t, peal, EX.CONFIG, /PEAL_LOG_LOEVEL/, /PEAL_LOG_LEVEL/);
});

test('config check and config show', async (t) => {
  const list = await run(t, ['help']);
  if (!/^ {2}config /m.test(list.stdout)) t.skip('there is no peal config yet');
  const app = ['--app', 'shop:shop-key:top-secret-1'];
  assert.strictEqual((await run(t, ['config', 'check', ...app])).code, EX.OK);
  const bad = await run(t, ['config', 'check', ...app, '--set', 'workers=0']);
  assert.strictEqual(bad.code, EX.CONFIG);
  const show = await run(t, ['config', 'show', ...app, '--set', 'workers=3']);
  assert.strictEqual(show.code, EX.OK);
  assert.match(show.stdout, /workers.*3.*--set/);
  assert.match(show.stdout, /shop-key/);
  assert.ok(!show.stdout.includes('top-secret-1'));
});

test('serve --dev: an app, and a page of what to do next', { quick: true }, async (t) => {
  const server = await t.server({ apps: [], args: ['--dev'] });
  const app = { id: 'app-id', key: 'app-key', secret: 'app-secret' };
  const client = await t.raw(server, { key: app.key, app });
  await client.subscribe('private-a');
  await api.publish(server, 'private-a', 'x', '1', {}, { app });
  await client.event('x');
  const words = [
    /PUSHER_APP_KEY=app-key/,
    /new Echo/,
    /peal trigger/,
    new RegExp(`:${server.port}\\b`),
  ];
  for (const word of words) assert.match(server.stderr, word);
});

test('trigger: data from the command line, and what it prints', { quick: true }, async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const got = await run(t, ['trigger', 'orders', 'shipped', '{"id":7,"x":1.0}', ...target(server)]);
  assert.strictEqual(got.code, EX.OK, got.stderr);
  const frame = await client.event('shipped');
  assert.strictEqual(frame.data, '{"id":7,"x":1.0}');
  const plain = await run(t, ['trigger', 'orders', 'noted', 'just text', ...target(server)]);
  assert.strictEqual(plain.code, EX.OK, plain.stderr);
  assert.strictEqual((await client.event('noted')).data, 'just text');
  const json = await run(t, ['trigger', 'orders', 'x', '{}', '--json', ...target(server)]);
  assert.strictEqual(json.code, EX.OK, json.stderr);
  assert.strictEqual(typeof JSON.parse(json.stdout), 'object');
  await client.event('x');
  const none = await run(t, ['trigger', 'orders', 'y', ...target(server)], { input: '' });
  assert.strictEqual(none.code, EX.OK, none.stderr);
  await client.event('y');
});

test('trigger: data from stdin', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const input = JSON.stringify({ text: 'é 🚀 "\\'.repeat(5000) });
  const got = await run(t, ['trigger', 'orders', 'x', '-', ...target(server)], { input });
  assert.strictEqual(got.code, EX.OK, got.stderr);
  assert.strictEqual((await client.event('x')).data, input);
});

test('trigger: the app from a file, from .env, from the environment', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const place = ['--host', server.host, '--port', String(server.port)];
  const { id, key, secret } = server.app;
  const file = { app: `${id}:${key}:${secret}\n` };
  const vars = { PUSHER_APP_ID: id, PUSHER_APP_KEY: key, PUSHER_APP_SECRET: secret };
  const dotenv = Object.entries(vars).map(([name, value]) => `${name}="${value}"\n`);
  const yaml = `apps:\n  - {id: ${id}, key: ${key}, secret: ${secret}}\n`;
  const ways = [
    [[...place, '--app', '@app'], { files: file }],
    [place, { files: { '.env': dotenv.join('') } }],
    [place, { env: vars }],
    [place, { files: { 'peal.yaml': yaml } }],
    [
      [],
      {
        env: {
          ...vars,
          PUSHER_HOST: server.host,
          PUSHER_PORT: String(server.port),
          PUSHER_SCHEME: 'http',
        },
      },
    ],
  ];
  for (const [args, options] of ways) {
    const got = await run(t, ['trigger', 'orders', 'x', '1', ...args], options);
    assert.strictEqual(got.code, EX.OK, got.stderr);
    await client.event('x');
  }
});

test('trigger: what the server refuses, and a server that is not there', async (t) => {
  const server = await t.server();
  const wrong = await run(t, ['trigger', 'orders', 'x', '{}', ...target(server, 'wrong-secret-9')]);
  assert.ok(wrong.code !== 0 && wrong.code !== null, `exit ${wrong.code}`);
  assert.ok(wrong.stderr.length > 0 && !wrong.stderr.includes('wrong-secret-9'), wrong.stderr);
  const name = await run(t, ['trigger', 'not allowed', 'x', '{}', ...target(server)]);
  assert.ok(name.code !== 0, name.stderr);
  assert.match(name.stderr, /channel/i);
  const port = server.port;
  await server.stop();
  const args = [
    'trigger',
    'a',
    'x',
    '{}',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--app',
    'a:b:c',
  ];
  const gone = await run(t, args);
  assert.strictEqual(gone.code, EX.UNAVAILABLE, gone.stderr);
  assert.match(gone.stderr, new RegExp(String(port)));
});

test('listen: prints what comes, for people', { quick: true }, async (t) => {
  const server = await t.server();
  const listen = t.command(['listen', 'orders', 'private-a', ...target(server)]);
  const subscribed = async () => {
    const { channels } = await api.get(server, '/channels');
    return channels.orders && channels['private-a'];
  };
  await require('./lib/wait').poll(subscribed, 'subscriptions of peal listen');
  await api.publish(server, 'orders', 'shipped', '{"id":7}');
  await api.publish(server, 'private-a', 'evil', '"\u001b[31m\u0007"');
  assert.match(await listen.line(/shipped/), /orders.*"?id"?/);
  const evil = await listen.line(/evil/);
  assert.ok(![...evil].some((c) => c < ' '), JSON.stringify(evil));
  listen.signal('SIGINT');
  const { code, signal } = await listen.ended();
  assert.ok(code === 0 || code === 130 || signal === 'SIGINT', `exit ${code} ${signal}`);
});

test('listen --json: a line of JSON for each event', async (t) => {
  const server = await t.server();
  const listen = t.command(['listen', '--json', 'orders', 'presence-a', ...target(server)]);
  const subscribed = async () => {
    const { channels } = await api.get(server, '/channels');
    return channels.orders && channels['presence-a'];
  };
  await require('./lib/wait').poll(subscribed, 'subscriptions of peal listen');
  await api.publish(server, 'orders', 'shipped', '{"id":7}');
  const event = JSON.parse(await listen.line(/shipped/));
  assert.strictEqual(event.event, 'shipped');
  assert.strictEqual(event.channel, 'orders');
  assert.ok(['{"id":7}', '[object Object]'].includes(String(event.data)), JSON.stringify(event));
  for (const line of listen.lines.all) JSON.parse(line);
});

test('listen: a channel that the server refuses, an unknown key, no server', async (t) => {
  const server = await t.server();
  const bad = t.command(['listen', 'private-a', ...target(server, 'wrong-secret-9')]);
  const refused = await bad.ended();
  assert.ok(refused.code > 0, `exit ${refused.code}`);
  assert.match(refused.stderr, /private-a|unauthorized|signature/i);
  assert.ok(!refused.stderr.includes('wrong-secret-9'));
  const place = ['--host', server.host, '--port', String(server.port)];
  const key = await run(t, ['listen', 'a', ...place, '--app', 'x:unknown-key:y']);
  assert.ok(key.code > 0);
  assert.match(key.stderr, /unknown-key|4001/);
});
