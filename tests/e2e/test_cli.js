// SPDX-License-Identifier: MIT
//
// The commands: version, help, trigger, listen, and how wrong configurations are refused.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const http = require('node:http');
const api = require('./lib/api');
const { poll } = require('./lib/wait');
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

test('help of a command and its first word is the page of the command', async (t) => {
  const page = await run(t, ['help', 'config']);
  for (const word of ['show', 'check']) {
    const got = await run(t, ['help', 'config', word]);
    assert.deepStrictEqual([got.code, got.stdout], [EX.OK, page.stdout]);
  }
});

test('wrong command lines: exit 64 and a hint', { quick: true }, async (t) => {
  await fails(t, [], EX.USAGE, /usage/);
  await fails(t, ['trigge'], EX.USAGE, /trigge/, /trigger/);
  await fails(t, ['help', 'trigge'], EX.USAGE, /trigger/);
  await fails(t, ['help', 'config', 'shw'], EX.USAGE, /one command/);
  const twice = ['serve', '--app', 'a:k:secret-one', '--app', 'a:k:secret-two'];
  const { stderr } = await fails(t, twice, EX.USAGE, /--app/, /'a' twice/);
  assert.doesNotMatch(stderr, /secret-/);
  const app = ['--app', 'a:k:secret-one'];
  const mistyped = ['config', 'check', ...app, '--set', 'apps.b.limits.connections=7'];
  await fails(t, mistyped, EX.CONFIG, /app 'b'.* has no key/, /did you mean the app 'a'\?/);
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
    [['--app', 'only-an-id'], /ID:KEY:SECRET/],
    [['--app', '@missing'], /missing/],
  ];
  for (const [args, ...words] of wrong) {
    const got = await run(t, ['serve', '--port', '0', ...app, ...args]);
    const what = `${args.join(' ')}: exit ${got.code}: ${got.stderr}`;
    assert.ok([EX.USAGE, EX.CONFIG].includes(got.code), what);
    for (const word of words) assert.match(got.stderr, word, what);
    assert.ok(!got.stderr.includes('top-secret'), what);
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
  await yaml('apps: [', /peal\.yaml:\d/);
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
  for (const name of ['orders', 'more']) await client.subscribe(name);
  const trigger = async (...args) => {
    const got = await run(t, ['trigger', ...target(server), ...args]);
    assert.strictEqual(got.code, EX.OK, got.stderr);
    return got.stdout;
  };
  assert.match(await trigger('orders', 'shipped', '{"id":7,"x":1.0}'), /200/);
  assert.strictEqual((await client.event('shipped')).data, '{"id":7,"x":1.0}');
  await trigger('orders,more', 'noted', 'just text');
  for (const name of ['orders', 'more']) {
    assert.strictEqual((await client.event('noted', name)).data, 'just text');
  }
  const json = JSON.parse(await trigger('orders', 'x', '{}', '--json'));
  assert.deepStrictEqual(json, { status: 200, body: {} });
  await client.event('x');
  await trigger('orders', 'App\\Events\\"X"', '', '--socket-id', client.socketId);
  await trigger('orders', 'App\\Events\\"X"', '--', '-x');
  assert.strictEqual((await client.event('App\\Events\\"X"')).data, '-x');
});

test('trigger: data from stdin', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const input = JSON.stringify({ text: 'é 🚀 "\\'.repeat(5000) });
  for (const args of [['-'], []]) {
    const got = await run(t, ['trigger', 'orders', 'x', ...args, ...target(server)], { input });
    assert.strictEqual(got.code, EX.OK, got.stderr);
    assert.strictEqual((await client.event('x')).data, input);
  }
  const bytes = Buffer.from([0x22, 0xff, 0x22]);
  const args = { args: ['trigger', 'orders', 'x', ...target(server)], options: { input: bytes } };
  await fails(t, args, EX.DATAERR, /UTF-8/);
});

test('trigger: the app from a file, from .env, from the environment', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  await client.subscribe('orders');
  const place = ['--host', server.host, '--port', String(server.port)];
  const { id, key, secret } = server.app;
  const app = { PUSHER_APP_ID: id, PUSHER_APP_KEY: key, PUSHER_APP_SECRET: secret };
  const dial = {
    PUSHER_HOST: server.host,
    PUSHER_PORT: String(server.port),
    PUSHER_SCHEME: 'http',
  };
  const dotenv = Object.entries({ ...app, ...dial }).map(([name, value]) => `${name}="${value}"\n`);
  const yaml = `apps:\n  - {id: ${id}, key: ${key}, secret: ${secret}}\n`;
  const ways = [
    [[...place, '--app', '@app'], { files: { app: `${id}:${key}:${secret}\n` } }],
    [place, { env: app }],
    [place, { files: { 'peal.yaml': yaml } }],
    [[], { env: { ...app, ...dial } }],
    [[], { files: { '.env': dotenv.join('') } }],
  ];
  for (const [args, options] of ways) {
    const got = await run(t, ['trigger', 'orders', 'x', '1', ...args], options);
    assert.strictEqual(got.code, EX.OK, got.stderr);
    await client.event('x');
  }
});

test('trigger: what the server refuses, and a server that is not there', async (t) => {
  const server = await t.server();
  const trigger = (channel, secret) => ['trigger', channel, 'x', '{}', ...target(server, secret)];
  const answered = async (args, code, ...words) => {
    const got = await run(t, args);
    assert.strictEqual(got.code, code, got.stderr);
    for (const word of words) assert.match(got.stderr, word);
    assert.ok(!got.stderr.includes('wrong-secret-9'), got.stderr);
  };
  await answered(trigger('orders', 'wrong-secret-9'), EX.NOPERM, /401/);
  await answered(trigger('not allowed'), EX.DATAERR, /400/, /not allowed/);
  const { port } = server;
  await server.stop();
  const place = ['--host', '127.0.0.1', '--port', String(port), '--app', 'a:b:c'];
  await answered(
    ['trigger', 'a', 'x', '{}', ...place],
    EX.UNAVAILABLE,
    new RegExp(String(port)),
    /start the server there \(peal serve\)/,
  );
});

test('with --json a failure is a line of JSON, too', { quick: true }, async (t) => {
  const server = await t.server();
  const place = target(server);
  const admin = ['--admin', `${server.adminHost}:${server.adminPort}`];
  await server.stop();
  for (const args of [
    ['trigger', 'a', 'x', '{}', ...place],
    ['channels', ...place],
    ['users', 'presence-a', ...place],
    ['listen', 'a', ...place],
    ['trace', ...admin],
    ['restart', ...admin],
  ]) {
    const got = await run(t, [...args, '--json']);
    assert.strictEqual(got.code, EX.UNAVAILABLE, args[0]);
    const said = JSON.parse(got.stdout);
    assert.strictEqual(said.ok, false);
    assert.ok(said.why.length > 10 && got.stderr.includes(said.why), got.stderr);
  }
});

test('with --json a refusal, and wrong settings, are a line of JSON', async (t) => {
  const server = await t.server();
  const wrong = [
    [['channels', ...target(server, 'no')], EX.NOPERM],
    [['users', 'presence-a', ...target(server, 'no')], EX.NOPERM],
    [['stats', '--set', 'workers=x'], EX.CONFIG],
    [['trace', '--set', 'workers=x'], EX.CONFIG],
  ];
  for (const [args, code] of wrong) {
    const got = await run(t, [...args, '--json']);
    assert.strictEqual(got.code, code, `${args[0]}: ${got.stderr}`);
    assert.ok(got.stderr.includes(JSON.parse(got.stdout).why), got.stderr);
  }
});

// peal listen, when the server has it subscribed to all of `channels`.
async function listening(t, server, channels, options = []) {
  const listen = t.command(['listen', ...channels, ...options, ...target(server)]);
  const subscribed = async () => {
    const { channels: list } = await api.get(server, '/channels');
    return channels.every((name) => list[name]);
  };
  await poll(subscribed, 'subscriptions of peal listen');
  return listen;
}

test('listen: prints what comes, for people', { quick: true }, async (t) => {
  const server = await t.server();
  const listen = await listening(t, server, ['orders', 'private-a']);
  await api.publish(server, 'orders', 'shipped', '{"id":7}');
  await api.publish(server, 'private-a', 'evil', '"\u001b[31m\u0007\u009b"');
  assert.match(await listen.line(/shipped/), /^\d\d:\d\d:\d\d\.\d{3} orders shipped .*"?id\\?"?/);
  const evil = await listen.line(/evil/);
  assert.ok(![...evil].some((c) => c < ' ' || (c >= '\x7f' && c < '\xa0')), JSON.stringify(evil));
  listen.signal('SIGINT');
  const { code, signal } = await listen.ended();
  assert.ok(code === 0 || code === 130 || signal === 'SIGINT', `exit ${code} ${signal}`);
});

test('listen --json --count: a line of JSON for each event', { workers: [1, 2] }, async (t) => {
  const server = await t.server();
  const listen = await listening(t, server, ['orders', 'presence-a'], ['--json', '--count', '3']);
  await api.publish(server, 'orders', 'shipped', '{"id":1.0}');
  await api.publish(server, 'presence-a', 'text', 'just text');
  const client = await t.raw(server);
  await client.subscribe('presence-a', { user: { user_id: '1' } });
  await client.trigger('client-x', 'presence-a', { a: 1 });
  const { code } = await listen.ended();
  assert.strictEqual(code, EX.OK);
  const events = listen.lines.all.map((line) => JSON.parse(line));
  const own = events.filter(({ event }) => !event.startsWith('pusher'));
  assert.deepStrictEqual(
    own.map(({ channel, event, data, user_id: userId }) => [channel, event, data, userId]),
    [
      ['orders', 'shipped', '{"id":1.0}', undefined],
      ['presence-a', 'text', 'just text', undefined],
      ['presence-a', 'client-x', { a: 1 }, '1'],
    ],
  );
});

test('listen --timeout ends with 75 before --count, with 0 without it', async (t) => {
  const server = await t.server();
  const listen = await listening(t, server, ['orders'], ['--timeout', '1', '--count', '2']);
  await api.publish(server, 'orders', 'x');
  assert.strictEqual((await listen.ended()).code, 75);
  const plain = await listening(t, server, ['orders'], ['--timeout', '1']);
  assert.strictEqual((await plain.ended()).code, EX.OK);
});

test('listen comes back after a restart of the server', { ms: 40_000 }, async (t) => {
  const server = await t.server();
  const listen = await listening(t, server, ['orders'], ['--count', '1']);
  await server.stop();
  const next = await t.server({ port: server.port });
  await poll(
    async () => (await api.get(next, '/channels')).channels.orders,
    'subscription after the restart',
    30_000,
  );
  await api.publish(next, 'orders', 'back');
  assert.match(await listen.line(/back/), /orders/);
  assert.strictEqual((await listen.ended()).code, EX.OK);
});

// A server that is not ours: answers the handshake with these events and hangs up, without a close.
async function startCurt(t, events) {
  const curt = http.createServer();
  curt.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'];
    const accept = crypto
      .createHash('sha1')
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    for (const event of events) {
      const text = Buffer.from(JSON.stringify(event));
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    }
    socket.end();
  });
  await new Promise((resolve) => curt.listen(0, '127.0.0.1', resolve));
  t.defer(() => curt.close());
  return ['--host', '127.0.0.1', '--port', String(curt.address().port), '--app', 'i:k:s'];
}

test('listen: errors are said as sentences, also where no close frame follows', async (t) => {
  const error = (data) => ({ event: 'pusher:error', data });
  const gone = await startCurt(t, [error({ code: 4003, message: 'App \x1b[31mdisabled' })]);
  const disabled = await run(t, ['listen', 'a', ...gone]);
  assert.strictEqual(disabled.code, EX.NOPERM, disabled.stderr);
  assert.strictEqual(
    disabled.stderr,
    'peal listen: closed for good, code 4003: App \\x1b[31mdisabled\n',
  );
  const full = await startCurt(t, [error('{"code":4004,"message":"Over quota"}')]);
  const quota = await run(t, ['listen', 'a', ...full]);
  assert.strictEqual(quota.code, EX.UNAVAILABLE, quota.stderr);
  assert.match(quota.stderr, /closed for good, code 4004: Over quota\n/);
  const socket_id = '1.2';
  const later = await startCurt(t, [
    { event: 'pusher:connection_established', data: JSON.stringify({ socket_id }) },
    error({ code: null, message: 'Existing subscription' }),
    { ...error({ code: 4301, message: 'Slow down' }), channel: 'b' },
    error([]),
  ]);
  const { code, stderr } = await run(t, ['listen', 'a', '--timeout', '1', ...later]);
  assert.strictEqual(code, EX.OK, stderr);
  assert.match(stderr, /^peal listen: the server says: Existing subscription$/m);
  assert.match(stderr, /^peal listen: the server says: b: Slow down \(code 4301\)$/m);
  assert.match(stderr, /^peal listen: the server says: \[\]$/m);
});

test('listen: a wrong secret, an unknown key, a server that is none', async (t) => {
  const server = await t.server();
  const refused = await run(t, ['listen', 'private-a', ...target(server, 'wrong-secret-9')]);
  assert.strictEqual(refused.code, EX.NOPERM, refused.stderr);
  assert.match(refused.stderr, /private-a/);
  assert.ok(!refused.stderr.includes('wrong-secret-9'));
  const place = ['--host', server.host, '--port', String(server.port)];
  const unknown = await run(t, ['listen', 'a', ...place, '--app', 'x:unknown-key:y']);
  assert.strictEqual(unknown.code, EX.NOPERM, unknown.stderr);
  assert.strictEqual(
    unknown.stderr,
    'peal listen: closed for good, code 4001: App key unknown-key does not exist.\n',
  );
  const admin = ['--host', server.adminHost, '--port', String(server.adminPort), '--app', 'a:b:c'];
  await fails(t, ['listen', 'a', ...admin], 76);
});
