// SPDX-License-Identifier: MIT
//
// peal bench: against Peal it finds nothing wrong; against a server that misbehaves on purpose it
// finds each misdeed, and counts it.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { WebSocketServer } = require('ws');
const { test } = require('./lib/suite');
const { poll } = require('./lib/wait');

const EX = { OK: 0, USAGE: 64, NOHOST: 68, UNAVAILABLE: 69, SOFTWARE: 70, IOERR: 74 };
const BRIEF = ['--duration', '1', '--warmup', '0', '--wait', '1'];
const SHORT = [...BRIEF, '--json'];

const place = (server) => ['--host', server.host, '--port', String(server.port)];
const appOf = ({ app }) => ['--app', `${app.id}:${app.key}:${app.secret}`];
const target = (server) => [...place(server), ...appOf(server)];

async function bench(t, args) {
  const got = await t.command(['bench', ...args, ...SHORT]).ended();
  const result = got.stdout ? JSON.parse(got.stdout) : null;
  return { ...got, result, what: `peal bench ${args.join(' ')}: ${got.code}: ${got.stderr}` };
}

async function clean(t, args) {
  const got = await bench(t, args);
  assert.strictEqual(got.code, EX.OK, got.what);
  for (const [name, n] of Object.entries(got.result.faults))
    assert.strictEqual(n, name === 'first' ? '' : 0, `${name}: ${got.what}`);
  assert.strictEqual(got.result.connected, got.result.connections);
  return got.result;
}

test('open loop: everything comes, at the rate that was asked for', { quick: true }, async (t) => {
  const server = await t.server();
  const args = ['--connections', '20', '--rate', '50', '--pid', String(server.pid)];
  const result = await clean(t, [...target(server), ...args]);
  assert.deepStrictEqual([result.mode, result.rate, result.stopped], ['open', 50, false]);
  assert.deepStrictEqual([result.asked, result.sent, result.published], [50, 50, 50]);
  assert.strictEqual(result.delivered, 50 * 20);
  assert.strictEqual(result.latency_ns.count, 50 * 20);
  assert.strictEqual(result.api_ns.count, 50);
  const { p50, p90, p99, p99_9, max } = result.latency_ns;
  assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= p99_9 && p99_9 <= max, got(result));
  assert.ok(result.server.cpu_ns > 0 && result.server.rss_bytes_after > 1e6, got(result));
});

const got = (result) => JSON.stringify(result);

test('closed loop, many channels, several publishers', { workers: [1, 2] }, async (t) => {
  const server = await t.server();
  const args = ['--connections', '30', '--channels', '12', '--per-connection', '3'];
  const result = await clean(t, [
    ...target(server),
    ...args,
    ...['--burst', '24', '--publishers', '4', '--size', '1000'],
  ]);
  assert.strictEqual(result.published % 24, 0);
  // 30 connections with 3 of 12 channels each: 7.5 subscribers a channel.
  assert.strictEqual(result.delivered, result.published * 7.5);
});

test('private and presence channels are signed for', async (t) => {
  const server = await t.server();
  for (const prefix of ['private-bench', 'presence-bench']) {
    const args = ['--prefix', prefix, '--connections', '20', '--channels', '4', '--rate', '40'];
    const result = await clean(t, [...target(server), ...args]);
    assert.strictEqual(result.delivered, 40 * 5);
  }
});

test('a --pid that is not the server is doubted', async (t) => {
  const server = await t.server();
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.defer(() => bystander.kill());
  const args = [...target(server), '--connections', '5', '--rate', '50', '--pid'];
  const text = async (pid) => (await t.command(['bench', ...args, String(pid), ...BRIEF]).ended()).stdout;
  assert.match(await text(bystander.pid), /does --pid name the server\?/);
  assert.doesNotMatch(await text(server.pid), /does --pid name the server/);
});

// A run that is under way: something was published already.
async function underWay(t, server, args) {
  const run = t.command(['bench', ...target(server), ...args, '--warmup', '0', '--json']);
  const begun = async () => (await server.admin('/admin/workers')).some(({ published }) => published > 0);
  await poll(begun, 'a publish');
  return run;
}

test('a server that dies meanwhile has no figures', async (t) => {
  const server = await t.server();
  const args = ['--connections', '5', '--rate', '50', '--pid', String(server.pid)];
  const run = await underWay(t, server, [...args, '--duration', '3', '--wait', '1']);
  server.kill();
  const { code, stdout } = await run.ended();
  assert.strictEqual(code, EX.SOFTWARE);
  assert.strictEqual(JSON.parse(stdout).server, null);
});

test('Ctrl-C: what was measured until then is printed', async (t) => {
  const server = await t.server();
  const run = await underWay(t, server, ['--connections', '5', '--rate', '50', '--duration', '60']);
  run.signal('SIGINT');
  const { code, stdout } = await run.ended();
  const result = JSON.parse(stdout);
  assert.strictEqual(code, EX.OK);
  assert.strictEqual(result.stopped, true);
  assert.ok(result.published > 0 && result.published === result.asked, stdout);
  assert.strictEqual(result.delivered, result.published * 5);
});

test('a server that stops in good order has closed, and done nothing wrong', async (t) => {
  const server = await t.server();
  const closed = ['--connections', '5', '--burst', '1', '--duration', '60', '--wait', '20'];
  const run = await underWay(t, server, closed);
  await server.stop();
  const { code, stdout, stderr } = await run.ended(); // long before a minute is over
  const { faults, run_ns: ns } = JSON.parse(stdout);
  assert.strictEqual(code, EX.SOFTWARE, stderr);
  assert.deepStrictEqual([faults.closed, faults.wrong, faults.lost], [5, 0, 0], stdout);
  assert.ok(ns < 55e9, stdout);
});

test('two runs on the same channels do not accuse the server', async (t) => {
  const server = await t.server();
  const args = [...target(server), '--connections', '3', '--rate', '20'];
  const sizes = ['200', '300'].map((size) => clean(t, [...args, '--size', size]));
  const results = await Promise.all(sizes);
  for (const result of results) assert.strictEqual(result.delivered, 20 * 3);
  assert.ok(results.some(({ foreign }) => foreign > 0), got(results));
});

test('figures that cannot be written are a failure', async (t) => {
  const server = await t.server();
  const run = spawn(t.binary, ['bench', ...target(server), ...SHORT], {
    stdio: ['ignore', fs.openSync('/dev/full', 'w'), 'ignore'],
  });
  const [code] = await once(run, 'exit');
  assert.strictEqual(code, EX.IOERR);
});

test('over a Unix socket', async (t) => {
  const server = await t.server({ listen: 'unix:bench.sock' });
  const socket = `unix:${path.join(server.folder, 'bench.sock')}`;
  await clean(t, ['--host', socket, ...appOf(server), '--connections', '5']);
});

test('wrong command lines, and no server', { quick: true }, async (t) => {
  const app = ['--app', 'a:b:c'];
  const wrong = [
    [['--rate', '0'], /--rate/],
    [['--rate', '1', '--burst', '1'], /--burst/],
    [['--size', '10'], /--size/],
    [['--channels', '10', '--per-connection', '3'], /--per-connection/],
    [['--prefix', 'a b'], /--prefix/],
    [['--connections', '9999999'], /ulimit/],
    [['--tls'], /TLS/],
    [['word'], /word/],
  ];
  for (const [args, word] of wrong) {
    const refused = await bench(t, ['--host', '127.0.0.1', '--port', '1', ...app, ...args]);
    assert.strictEqual(refused.code, EX.USAGE, refused.what);
    assert.match(refused.stderr, word, refused.what);
    assert.strictEqual(refused.stdout, '', refused.what);
  }
  const nobody = await bench(t, ['--host', '127.0.0.1', '--port', '1', ...app]);
  assert.strictEqual(nobody.code, EX.UNAVAILABLE, nobody.what);
  assert.ok(nobody.result.faults.unopened > 0);
  const unknown = await bench(t, ['--host', 'nobody.invalid', ...app]);
  assert.strictEqual(unknown.code, EX.NOHOST, unknown.what);
});

test('a wrong secret is refused, and nothing counts as lost', async (t) => {
  const server = await t.server();
  const { app } = server;
  const args = ['--connections', '5', '--rate', '20', '--app', `${app.id}:${app.key}:wrong`];
  const { code, result, what } = await bench(t, [...place(server), ...args]);
  assert.strictEqual(code, EX.SOFTWARE, what);
  assert.strictEqual(result.faults.refused, 20, what);
  assert.strictEqual(result.faults.lost, 0, what);
  assert.match(result.faults.first, /401/);
});

// A Pusher server in a few lines. `deliver(n, text, sockets)` carries out publish number n (from 0);
// `answer(n, response)` answers it.
async function fakeServer(t, { deliver, answer, greet }) {
  const sockets = [];
  let n = 0;
  const all = (number, text) => sockets.forEach((socket) => socket.send(text));
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { name, channel, data } = JSON.parse(Buffer.concat(chunks));
      const number = n++;
      const text = JSON.stringify({ event: name, data, channel });
      (deliver ?? all)(number, text, sockets);
      if (answer) answer(number, response);
      else response.end('{}');
    });
  });
  const upgrades = new WebSocketServer({ server });
  upgrades.on('connection', (socket) => {
    const say = (event, data) => socket.send(JSON.stringify({ event, data, channel: 'bench-0' }));
    if (greet && !greet(socket)) return;
    say('pusher:connection_established', JSON.stringify({ socket_id: '1.1', activity_timeout: 30 }));
    socket.on('message', (message) => {
      if (JSON.parse(message).event !== 'pusher:subscribe') return;
      sockets.push(socket);
      say('pusher_internal:subscription_succeeded', '{}');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.defer(() => {
    upgrades.clients.forEach((socket) => socket.terminate());
    server.closeAllConnections?.();
    server.close();
  });
  const app = { id: 'fake', key: 'fake-key', secret: 'fake-secret' };
  return { host: '127.0.0.1', port: server.address().port, app };
}

const CLIENTS = 3;
const RATE = 20;

async function misbehaves(t, how, expected, first, rate = ['--rate', String(RATE)]) {
  const server = await fakeServer(t, how);
  const args = ['--connections', String(CLIENTS), ...rate];
  const { code, result, what } = await bench(t, [...target(server), ...args]);
  assert.strictEqual(code, EX.SOFTWARE, what);
  for (const [name, n] of Object.entries(expected))
    assert.strictEqual(result.faults[name], n, `${name}: ${JSON.stringify(result.faults)}`);
  assert.match(result.faults.first, first);
}

const each = (sockets, text) => sockets.forEach((socket) => socket.send(text));

test('a message that is lost is counted for each who missed it', (t) =>
  misbehaves(
    t,
    {
      deliver: (n, text, sockets) => n !== 7 && each(n === 9 ? sockets.slice(1) : sockets, text),
    },
    { lost: CLIENTS + 1, doubled: 0, swapped: 0 },
    /lost/,
  ));

test('a message that comes again is counted', (t) =>
  misbehaves(
    t,
    {
      deliver: (n, text, sockets) => {
        each(sockets, text);
        if (n === 4) sockets[0].send(text);
      },
    },
    { lost: 0, doubled: 1, swapped: 0 },
    /again/,
  ));

test('messages that change places are counted', (t) => {
  let late = null;
  return misbehaves(
    t,
    {
      deliver: (n, text, sockets) => {
        if (n === 5) late = text;
        else each(sockets, text);
        if (n === 8) each(sockets, late);
      },
    },
    { lost: 0, doubled: 0, swapped: CLIENTS },
    /after message/,
  );
});

test('a message that was changed is counted, and lost', (t) =>
  misbehaves(
    t,
    { deliver: (n, text, sockets) => each(sockets, n === 3 ? text.replace('abc', 'abd') : text) },
    { wrong: CLIENTS, lost: CLIENTS },
    /not published/,
  ));

const PLACES = [
  ['another channel', (text) => text.replace('bench-0', 'bench-1')],
  ['another event', (text) => text.replace('bench.event', 'bench.other')],
  ['a wrong digit of its time', (text) => text.replace(/[0-9a-f] ([^ ]*)"/, (all, rest) => `${all[0] === '0' ? '1' : '0'} ${rest}"`)],
];

for (const [what, change] of PLACES)
  test(`a message with ${what} is wrong`, (t) =>
    misbehaves(
      t,
      { deliver: (n, text, sockets) => each(sockets, n === 3 ? change(text) : text) },
      { wrong: CLIENTS, lost: CLIENTS },
      /not published/,
    ));

test('what was refused is not waited for, also where a connection ends meanwhile', (t) =>
  misbehaves(
    t,
    {
      deliver: (n, text, sockets) => {
        if (n !== 5) each(n === 9 ? sockets.slice(1) : sockets, text);
        if (n === 6) sockets.pop().close(4200, 'go away');
      },
      answer: (n, response) => response.writeHead(n === 5 ? 500 : 200).end('{}'),
    },
    { refused: 1, closed: 1, lost: 1 },
    /500/,
  ));

// Request 5 is refused, and its answer comes when 194 later messages have come.
test('a refusal that is told late is no loss', (t) => {
  const answers = [];
  return misbehaves(
    t,
    {
      deliver: (n, text, sockets) => n !== 5 && each(sockets, text),
      answer: (n, response) => {
        answers.push(() => response.writeHead(n === 5 ? 503 : 200).end('{}'));
        if (answers.length === 200) answers.splice(0).forEach((answer) => answer());
      },
    },
    { refused: 1, lost: 0 },
    /503/,
    ['--rate', '200'],
  );
});

test('a closed loop goes on after a refusal, and ends with its server', async (t) => {
  const server = await fakeServer(t, {
    deliver: (n, text, sockets) => n !== 3 && each(sockets, text),
    answer: (n, response) => {
      if (n < 20) response.writeHead(n === 3 ? 503 : 200).end('{}');
      else response.destroy();
    },
  });
  const args = ['--connections', '3', '--burst', '1', '--duration', '60', '--wait', '1'];
  const run = t.command(['bench', ...target(server), ...args, '--warmup', '0', '--json']);
  const { stdout } = await run.ended();
  const { faults, published, gone, run_ns: ns } = JSON.parse(stdout);
  assert.deepStrictEqual([published, faults.refused, faults.lost, gone], [19, 1, 0, true], stdout);
  assert.ok(ns < 30e9, stdout);
});

test('what was given up stays lost when it comes later, and when its connection ends', async (t) => {
  let late = null;
  const server = await fakeServer(t, {
    deliver: (n, text, sockets) => {
      if (n === 19) late = text; // the last one of the warm-up
      else each(sockets, text);
      if (n === 25) each(sockets, late);
      if (n === 30) sockets.pop().close(4200, 'go away');
    },
  });
  const args = ['--connections', String(CLIENTS), '--rate', '20', '--duration', '1', '--wait', '1'];
  const run = t.command(['bench', ...target(server), ...args, '--warmup', '1', '--json']);
  const { stdout } = await run.ended();
  const { faults, delivered } = JSON.parse(stdout);
  assert.deepStrictEqual([faults.lost, faults.swapped, faults.doubled], [CLIENTS, 0, 0], stdout);
  assert.strictEqual(faults.closed, 1);
  assert.strictEqual(delivered, 11 * CLIENTS + 9 * (CLIENTS - 1), stdout);
});

test('a connection that the server ends is counted', (t) =>
  misbehaves(
    t,
    {
      deliver: (n, text, sockets) => {
        each(sockets, text);
        if (n === 6) sockets.pop().close(4200, 'go away');
      },
    },
    { closed: 1, lost: 0 },
    /4200.*go away/,
  ));

test('connections that are refused are counted, the others go on', (t) => {
  let n = 0;
  const refuse = (socket) => {
    const text = JSON.stringify({ event: 'pusher:error', data: { code: 4004, message: 'full' } });
    socket.send(text);
    socket.close(4004);
  };
  return misbehaves(
    t,
    { greet: (socket) => n++ !== 1 || refuse(socket) },
    { unopened: 1, lost: 0 },
    /full/,
  );
});

test('servers that chunk their answers, or close after each, are fine', async (t) => {
  const answers = [
    (n, response) => {
      response.write('{');
      response.end('}');
    },
    (n, response) => response.setHeader('Connection', 'close').end('{}'),
  ];
  for (const answer of answers) {
    const server = await fakeServer(t, { answer });
    // Few, so that no request is under way when the connection closes, on a busy machine, too.
    const result = await clean(t, [...target(server), '--connections', '3', '--rate', '4']);
    assert.strictEqual(result.delivered, 12);
  }
});
