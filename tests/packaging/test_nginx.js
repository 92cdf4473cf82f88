// SPDX-License-Identifier: MIT
//
// packaging/nginx/: each file in a real nginx with TLS, and clients that come through it.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { signedQuery, encode } = require('../e2e/lib/api');
const { PASSWORD, Visitor, exposed } = require('../e2e/lib/login');
const { test } = require('../e2e/lib/suite');
const { startSite } = require('./lib/site');

const FILES = ['peal.conf', 'laravel-with-peal.conf'];
const GUIDE = path.resolve(__dirname, '../../docs/guide/nginx.md');
const PACKAGED = path.resolve(__dirname, '../../packaging/nginx/peal.conf');

function open(t, site) {
  return t.raw(site, {
    url: `wss://${site.host}:${site.port}/app/${site.app.key}?protocol=7&client=js&version=8.4.0`,
    ws: { ca: site.pem },
  });
}

function request(site, method, target, body = '', more = {}) {
  return new Promise((resolve, reject) => {
    const options = { host: site.host, port: site.port, ca: site.pem, path: target, method };
    const usual = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const sent = https.request({ ...options, headers: { ...usual, ...more }, agent: false }, (response) => {
      let text = '';
      response.on('data', (bytes) => (text += bytes));
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function publish(site, channel, name, data) {
  const body = JSON.stringify({ name, channels: [channel], data });
  const target = `/apps/${site.app.id}/events`;
  const query = encode(signedQuery(site.app, 'POST', target, { body }));
  return request(site, 'POST', `${target}?${query}`, body);
}

for (const file of FILES) {
  test(`${file}: wss and https reach the server, and an event comes through`, async (t) => {
    const site = await startSite(t, file, await t.server());
    const client = await open(t, site);
    await client.subscribe('news');
    const { status, text } = await publish(site, 'news', 'hello', '"ü"');
    assert.strictEqual(status, 200, text);
    assert.strictEqual((await client.event('hello')).data, '"ü"');
  });

  test(`${file}: a body of several megabytes gets Peal's answer, not nginx's`, async (t) => {
    const site = await startSite(t, file, await t.server());
    const { status, text } = await publish(site, 'news', 'hello', 'x'.repeat(3_000_000));
    assert.strictEqual(status, 413);
    assert.match(text, /limits\.message_bytes/);
  });

  test(`${file}: the log has the address that nginx saw, not one that the client made up`, async (t) => {
    const server = await t.server({ set: { trusted_proxies: '127.0.0.1/32' } });
    const site = await startSite(t, file, server);
    const headers = { 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9' };
    const nobody = t.rawUnsure(site, {
      url: `wss://${site.host}:${site.port}/app/nobody?protocol=7`,
      headers,
      ws: { ca: site.pem, localAddress: '127.0.0.2', family: 4 },
    });
    await nobody.closed();
    assert.match(server.stderr, /client="127\.0\.0\.2"/);
    assert.ok(!server.stderr.includes('203.0.113.9'), server.stderr);
  });
}

test('laravel-with-peal.conf: what is not Peal’s goes to the application', async (t) => {
  const site = await startSite(t, 'laravel-with-peal.conf', await t.server());
  fs.writeFileSync(path.join(site.root, 'robots.txt'), 'of the application');
  const robots = await request(site, 'GET', '/robots.txt');
  assert.strictEqual(robots.status, 200);
  assert.strictEqual(robots.text, 'of the application');
  const { text } = await request(site, 'GET', '/application/x');
  assert.ok(!/peal/i.test(text), text);
});

test('the guide shows the file that is packaged', () => {
  const lines = (text) =>
    text
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trimEnd())
      .filter((line) => line !== '')
      .join('\n');
  const shown = /```nginx\n([\s\S]*?)```/.exec(fs.readFileSync(GUIDE, 'utf8'))[1];
  assert.strictEqual(lines(shown), lines(fs.readFileSync(PACKAGED, 'utf8')));
});

// nginx listens on another port here than 443, and the file passes the name alone on.
test('peal.conf: the exposed dashboard, with cookies that are for https only', async (t) => {
  const site = await startSite(t, 'peal.conf', await exposed(t));
  const send = (to, { method, target, body, headers }) => request(to, method, target, body, headers);
  const someone = new Visitor(site, { send });
  someone.origin = `https://${site.host}`;
  const page = await someone.open(t);
  assert.ok(!/not encrypted/.test(page.text));
  const answer = await someone.submit(PASSWORD);
  assert.strictEqual(answer.status, 303, answer.text);
  const session = answer.cookies.find(({ name }) => name === '__Secure-peal_session');
  assert.ok(session.flags.includes('Secure'), session.flags.join());
  assert.strictEqual((await someone.get('/admin/facts')).status, 200);
  const { path: at, headers } = await someone.stream();
  const url = `wss://${site.host}:${site.port}${at}`;
  const stream = await t.raw(site, { url, headers, ws: { ca: site.pem } });
  await stream.subscribe('stats');
  await stream.event('stats');
});
