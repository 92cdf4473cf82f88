// SPDX-License-Identifier: MIT
//
// Who may use the admin listener: the requests that a hostile web page can make a browser send, by
// any name that it chooses (DNS rebinding), get nothing and change nothing.
'use strict';

const assert = require('node:assert');
const { test } = require('./lib/suite');
const { WRITE, ask, upgradeStatus } = require('./lib/watch');

const PATHS = ['/admin/apps', '/admin/facts', '/laravel-websockets/admin/facts', '/admin/workers'];

test('reading: only our own pages, by a name that is allowed', async (t) => {
  const server = await t.server();
  const own = `127.0.0.1:${server.adminPort}`;
  const rows = [
    [{}, 200],
    [{ Host: own }, 200],
    [{ Host: `localhost:${server.adminPort}` }, 200],
    [{ Host: own, Origin: `http://${own}` }, 200],
    [{ Host: own, 'Sec-Fetch-Site': 'same-origin' }, 200],
    [{ Host: own, 'Sec-Fetch-Site': 'none' }, 200],
    // DNS rebinding: the page's own name leads to us.
    [{ Host: 'evil.example' }, 403],
    [{ Host: 'evil.example', Origin: 'http://evil.example', 'Sec-Fetch-Site': 'same-origin' }, 403],
    [{ Host: '127.0.0.1.evil.example' }, 403],
    [{ Host: 'localhost.evil.example:9601' }, 403],
    // A page elsewhere asks by our name.
    [{ Host: own, Origin: 'http://evil.example' }, 403],
    [{ Host: own, Origin: 'null' }, 403],
    [{ Host: own, Origin: `http://127.0.0.1:${server.adminPort + 1}` }, 403],
    [{ Host: own, Origin: `http://${own}.evil.example` }, 403],
    [{ Host: own, 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ Host: own, 'Sec-Fetch-Site': 'same-site' }, 403],
  ];
  for (const path of PATHS)
    for (const [headers, status] of rows) {
      const answer = await ask(server, path, { headers });
      const what = `${path} ${JSON.stringify(headers)}: ${answer.text}`;
      assert.strictEqual(answer.status, status, what);
      assert.ok(
        !Object.keys(answer.headers).some((name) => name.startsWith('access-control-')),
        'no CORS headers',
      );
    }
});

test('writing needs what no form can send', async (t) => {
  const server = await t.server();
  const client = await t.raw(server);
  const own = `http://127.0.0.1:${server.adminPort}`;
  const body = JSON.stringify({ socket_id: client.socketId });
  const type = 'application/json';
  const rows = [
    ['POST', { 'Content-Type': type }, 403],
    ['POST', { 'Content-Type': type, Origin: own }, 403],
    ['POST', { 'X-Peal': '1' }, 415],
    ['POST', { 'X-Peal': '1', 'Content-Type': 'text/plain' }, 415],
    ['POST', { 'X-Peal': '1', 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ['POST', { ...WRITE, Origin: 'http://evil.example' }, 403],
    ['POST', { ...WRITE, Origin: 'null' }, 403],
    ['POST', { ...WRITE, Host: 'evil.example', Origin: 'http://evil.example' }, 403],
    ['POST', { ...WRITE, 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['GET', WRITE, 405],
    ['PUT', WRITE, 405],
    ['OPTIONS', { Origin: 'http://evil.example', 'Access-Control-Request-Headers': 'x-peal' }, 405],
  ];
  for (const [method, headers, status] of rows) {
    const answer = await ask(server, '/admin/disconnect', { method, headers, body });
    assert.strictEqual(answer.status, status, `${method} ${JSON.stringify(headers)}`);
    assert.strictEqual(answer.headers['access-control-allow-origin'], undefined);
  }
  await client.ping(); // nobody has ended it
  const good = await ask(server, '/admin/disconnect', {
    method: 'POST',
    headers: { ...WRITE, Origin: own, 'Sec-Fetch-Site': 'same-origin' },
    body,
  });
  assert.strictEqual(good.status, 200, good.text);
  await client.closed();
});

function upgrade(server, headers, path = '/app/peal-internal?protocol=7') {
  return upgradeStatus(`ws://${server.adminHost}:${server.adminPort}${path}`, headers);
}

test('the live stream is opened by our own pages and by programs only', async (t) => {
  const server = await t.server();
  const host = `127.0.0.1:${server.adminPort}`;
  const rows = [
    [{ Origin: `http://${host}` }, 101],
    [{ 'X-Peal': '1' }, 101],
    [{ Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }, 101],
    [{}, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: `https://evil.example/${host}` }, 403],
    [{ Host: 'evil.example', Origin: 'http://evil.example' }, 403],
    [{ Host: 'evil.example', 'X-Peal': '1' }, 403],
    [{ Origin: `http://${host}`, 'Sec-Fetch-Site': 'cross-site' }, 403],
  ];
  for (const [headers, status] of rows)
    assert.strictEqual(await upgrade(server, headers), status, JSON.stringify(headers));
  const elsewhere = await upgrade(server, { 'X-Peal': '1' }, `/app/${server.app.key}?protocol=7`);
  assert.strictEqual(elsewhere, 404, 'apps are not on the admin listener');
});

test('admin.hosts lets other names in', async (t) => {
  const server = await t.server({ set: { 'admin.hosts': 'peal.internal.example,loopback' } });
  for (const [host, status] of [
    ['peal.internal.example', 200],
    ['peal.internal.example:9601', 200],
    ['evil.example', 403],
  ]) {
    const headers = { Host: host, Origin: `https://${host}` };
    assert.strictEqual((await ask(server, '/admin/apps', { headers })).status, status, host);
  }
});
