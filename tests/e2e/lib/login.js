// SPDX-License-Identifier: MIT
//
// lib/login.js: a server whose dashboard is exposed, and somebody with a browser's cookies who logs in
// to it by hand, so that each part can be made wrong.
'use strict';

const crypto = require('node:crypto');
const api = require('./api');

const PASSWORD = 'correct horse & battery+staple ü';
const PATH = '/laravel-websockets';

// As `peal password` makes it, but cheap.
function hashOf(password) {
  const salt = crypto.randomBytes(16);
  const made = crypto.scryptSync(password, salt, 32, { N: 16384, r: 8, p: 1 });
  return `scrypt$16384$8$1$${salt.toString('base64')}$${made.toString('base64')}`;
}

const HASH = hashOf(PASSWORD);

// As t.server().
function exposed(t, { set = {}, secrets = [], ...options } = {}) {
  return t.server({
    set: { 'dashboard.expose': 'true', 'dashboard.password_hash': HASH, ...set },
    secrets: [HASH, PASSWORD, ...secrets],
    ...options,
  });
}

// One browser: keeps cookies, knows its origin. `headers` go with each request; `send` as that of api.
class Visitor {
  constructor(server, { path = PATH, headers = {}, send = api.send } = {}) {
    this.server = server;
    this.path = path;
    this.headers = headers;
    this.request = send;
    this.origin = `http://${server.host}:${server.port}`;
    this.cookies = new Map();
  }

  async send(method, below, { body, headers = {} } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.request(this.server, {
      method,
      target: this.path + below,
      body,
      headers: { ...(cookie ? { Cookie: cookie } : {}), ...this.headers, ...headers },
    });
    answer.cookies = (answer.headers['set-cookie'] ?? []).map((line) => {
      const [pair, ...flags] = line.split('; ');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      return { name, value, flags };
    });
    for (const { name, value, flags } of answer.cookies)
      if (flags.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    return answer;
  }

  get(below, headers) {
    return this.send('GET', below, { headers });
  }

  // The token of the form, as the page has it.
  async open(t) {
    const page = await this.get('/login');
    if (page.status === 404 && /without its dashboard/.test(page.text))
      t.skip('built without the dashboard');
    this.form = /name="token" value="([^"]*)"/.exec(page.text)?.[1];
    return page;
  }

  submit(password, { token = this.form, headers = {} } = {}) {
    return this.send('POST', '/login', {
      body: new URLSearchParams({ token, username: 'dashboard', password }).toString(),
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Origin: this.origin,
        'Sec-Fetch-Site': 'same-origin',
        ...headers,
      },
    });
  }

  async logIn(t, password = PASSWORD) {
    await this.open(t);
    const answer = await this.submit(password);
    if (answer.status !== 303) throw new Error(`not logged in: ${answer.status} ${answer.text}`);
    this.token = JSON.parse((await this.get('/admin/session')).text).login.token;
    return answer;
  }

  post(below, body, headers = {}) {
    return this.send('POST', below, {
      body: JSON.stringify(body),
      headers: {
        'Content-Type': 'application/json',
        'X-Peal': this.token ?? '1',
        Origin: this.origin,
        ...headers,
      },
    });
  }

  get cookieHeader() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  // Path and headers of a WebSocket for the live stream.
  async stream() {
    const { token } = JSON.parse((await this.get('/admin/stream')).text);
    return {
      path: `${this.path}/app/peal-internal?token=${token}&protocol=7`,
      headers: { Cookie: this.cookieHeader, Origin: this.origin },
    };
  }
}

module.exports = { HASH, PASSWORD, PATH, Visitor, exposed, hashOf };
