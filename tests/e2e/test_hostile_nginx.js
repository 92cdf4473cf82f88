// SPDX-License-Identifier: MIT
//
// Through a real Nginx: nobody smuggles a request into another one's connection, and no header of
// ours can be made by a client. What Nginx lets through is judged by the server in the same way.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { startNginx } = require('./lib/nginx');
const { Tcp } = require('./lib/tcp');
const { Witness } = require('./lib/attack');
const { test } = require('./lib/suite');

// Half a request, which would swallow the next client's.
const HALF = 'GET /smuggled-path HTTP/1.1\r\nHost: x\r\nX: y';

// A whole one that the witness would notice: it has the right signature.
function whole(server) {
  const body = JSON.stringify({ name: 'smuggled', channels: ['witness'], data: '1' });
  const query = api.encode(api.signedQuery(server.app, 'POST', '/apps/app-id/events', { body }));
  const head = `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

// Heads that two readers may understand differently; behind the first request comes `tail`.
function attempts(query, tail) {
  const to = `POST /apps/app-id/events?${query} HTTP/1.1\r\nHost: x\r\n`;
  const chunked = `0\r\n\r\n${tail}`;
  const lengths = `Content-Length: ${chunked.length}\r\n`;
  return {
    'CL.TE': `${to}${lengths}Transfer-Encoding: chunked\r\n\r\n${chunked}`,
    'TE.CL': `${to}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${tail}\r\n0\r\n\r\n`,
    'two lengths': `${to}Content-Length: 0\r\n${lengths}\r\n${chunked}`,
    'a list of lengths': `${to}Content-Length: 0, ${chunked.length}\r\n\r\n${chunked}`,
    'a signed length': `${to}Content-Length: +0\r\n\r\n${chunked}`,
    'a hexadecimal length': `${to}Content-Length: 0x0\r\n\r\n${chunked}`,
    'TE with a tab': `${to}${lengths}Transfer-Encoding:\tchunked\r\n\r\n${chunked}`,
    'TE with a space before the colon': `${to}${lengths}Transfer-Encoding : chunked\r\n\r\n${chunked}`,
    'TE of an unknown coding': `${to}${lengths}Transfer-Encoding: xchunked\r\n\r\n${chunked}`,
    'TE twice': `${to}${lengths}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunked}`,
    'TE in a folded line': `${to}${lengths}X: y\r\n Transfer-Encoding: chunked\r\n\r\n${chunked}`,
    'TE behind a vertical tab': `${to}${lengths}Transfer-Encoding: \x0bchunked\r\n\r\n${chunked}`,
    'a bare CR in a header': `${to}${lengths}X: y\rTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    'a bare LF in a header': `${to}${lengths}X: y\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    'a chunk size that overflows': `${to}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${tail}`,
    'a chunk extension with a LF': `${to}Transfer-Encoding: chunked\r\n\r\n1;\nx\r\nA\r\n${chunked}`,
    'a GET with a body': `GET /up HTTP/1.1\r\nHost: x\r\n${lengths}\r\n${chunked}`,
  };
}

test('request smuggling through Nginx', { workers: [1, 2], ms: 60_000 }, async (t) => {
  const server = await t.server();
  const nginx = await startNginx(t, server);
  const witness = await Witness.start(t, server);
  const query = api.encode(api.signedQuery(server.app, 'POST', '/apps/app-id/events'));
  const all = [HALF, whole(server)].flatMap((tail) => Object.entries(attempts(query, tail)));
  for (const where of [nginx, server]) {
    for (const [what, bytes] of all) {
      const tcp = await Tcp.open(where);
      tcp.write(bytes);
      await tcp.response().catch(() => {});
      tcp.socket.destroy();
      // The next ones on the kept upstream connection get their own answers.
      const up = await api.send(where, { target: '/up' });
      assert.strictEqual(up.text, '{"health":"OK"}', `after ${what}: ${up.status} ${up.text}`);
      const channels = await api.call(where, 'GET', '/channels', { app: server.app });
      assert.strictEqual(channels.status, 200, `after ${what}: ${channels.text}`);
    }
  }
  assert.doesNotMatch(server.stderr, /smuggled-path/);
  await witness.good();
});

test('header injection through Nginx and directly', async (t) => {
  const server = await t.server({
    set: { 'apps.app-id.allowed_origins': 'good.example' },
    args: ['--log-format', 'json'],
  });
  const nginx = await startNginx(t, server);
  const evil = '%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<script>';
  for (const where of [nginx, server]) {
    for (const target of [`/${evil}`, `/apps/${evil}/channels`, `/apps/app-id/channels/${evil}`, `/app/${evil}`]) {
      const answer = await api.send(where, { target });
      assert.ok(answer.status >= 400, `${target}: ${answer.status}`);
      assert.strictEqual(answer.headers['set-cookie'], undefined, target);
      assert.match(answer.headers['content-type'], /^application\/json/, target);
    }
    const origin = 'http://bad.example/"\\u0000<x>';
    const refused = t.rawUnsure(where, { headers: { Origin: origin } });
    assert.strictEqual((await refused.closed()).code, 4009);
    const spoofed = { 'X-Forwarded-For': '"\\n},{"level":"error", 1.2.3.4' };
    await api.send(where, { target: '/nowhere', headers: spoofed });
  }
  await server.stop();
  for (const line of server.stderr.trimEnd().split('\n')) {
    const { level } = JSON.parse(line);
    assert.notStrictEqual(level, 'error', line);
  }
});

test('a WebSocket through Nginx, and the address that Nginx tells', async (t) => {
  const server = await t.server();
  const nginx = await startNginx(t, server);
  const client = await t.raw(nginx);
  await client.subscribe('private-a');
  await api.publish(nginx, 'private-a', 'x', '1', {}, { app: server.app });
  await client.event('x');
  const nobody = t.rawUnsure(nginx, { key: 'nobody', headers: { 'X-Forwarded-For': '6.6.6.6' } });
  assert.strictEqual((await nobody.closed()).code, 4001);
  // Nginx is trusted, but what it was told is not hidden by what it adds.
  assert.match(server.stderr, /client not admitted client="6\.6\.6\.6"/);
});
