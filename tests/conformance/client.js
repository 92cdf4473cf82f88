// SPDX-License-Identifier: MIT
//
// client.js: one TCP connection of a case: it writes bytes in any cut and sees exactly what comes
// back: HTTP heads, frames, the end of the stream, and whether the end was a reset.
'use strict';

const net = require('node:net');
const { close, readFrame } = require('./frames');

const LIMIT_MS = 20_000;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='; // of KEY, RFC 6455 section 1.3

const turn = () => new Promise((resolve) => setImmediate(resolve));

const HEADERS = {
  Host: 'localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

// A handshake request. changes: { name: value, null (left out) or [values] (more than one line) }.
function request(path, changes = {}, line = `GET ${path} HTTP/1.1`) {
  const lines = [line];
  for (const [name, value] of Object.entries({ ...HEADERS, ...changes })) {
    if (value === null) continue;
    for (const one of [].concat(value)) lines.push(`${name}: ${one}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

class Client {
  // Connected, nothing sent.
  static async connect(target, options = {}) {
    const client = new Client(target);
    const { socket } = client;
    socket.connect({ host: '127.0.0.1', port: target.port, ...options });
    await client._until(() => client.connected, 'TCP connection');
    return client;
  }

  // With an open WebSocket.
  static async open(target) {
    const client = await Client.connect(target);
    client.send(request(target.path));
    const head = await client.head();
    if (head.status !== 101) throw new Error(`handshake: ${head.first}`);
    if (head.headers['sec-websocket-accept'] !== ACCEPT) throw new Error('wrong accept key');
    if (target.greets) await client.frame();
    return client;
  }

  constructor(target) {
    this.target = target;
    this.socket = new net.Socket({ allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.connected = this.ended = this.closed = this._ending = false;
    this.error = null;
    this._chunks = [];
    this._size = 0;
    this._wake = () => {};
    const note = (change) => (value) => {
      change(value);
      this._wake();
    };
    this.socket.on(
      'connect',
      note(() => (this.connected = true)),
    );
    this.socket.on(
      'end',
      note(() => (this.ended = true)),
    );
    this.socket.on(
      'close',
      note(() => (this.closed = true)),
    );
    this.socket.on(
      'error',
      note((error) => (this.error = error)),
    );
    this.socket.on(
      'data',
      note((chunk) => {
        this._chunks.push(chunk);
        this._size += chunk.length;
      }),
    );
  }

  get bytes() {
    if (this._chunks.length > 1) this._chunks = [Buffer.concat(this._chunks, this._size)];
    return this._chunks[0] ?? Buffer.alloc(0);
  }

  _take(n) {
    const all = this.bytes;
    this._chunks = n < all.length ? [all.subarray(n)] : [];
    this._size = all.length - n;
  }

  // Until `ready()` is true, or nothing can come any more.
  _until(ready, what, ms = LIMIT_MS) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this._wake = () => {};
        reject(new Error(`no ${what} within ${ms} ms`));
      }, ms);
      this._wake = () => {
        let done = true;
        let failure = null;
        try {
          done = ready();
          if (!done && this.error) failure = new Error(`no ${what}: ${this.error.code}`);
          else if (!done && (this.closed || (this.ended && !this._ending)))
            failure = new Error(`no ${what}: closed`);
        } catch (error) {
          failure = error;
        }
        if (!done && !failure) return;
        clearTimeout(timer);
        this._wake = () => {};
        if (failure) reject(failure);
        else resolve();
      };
      this._wake();
    });
  }

  send(data) {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  // In pieces that the kernel gets one by one.
  async chop(data, size) {
    const all = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    for (let at = 0; at < all.length; at += size) {
      this.send(all.subarray(at, at + size));
      await turn();
    }
  }

  // The next HTTP response with its body: { first, status, headers, body }.
  async head() {
    let end;
    await this._until(() => (end = this.bytes.indexOf('\r\n\r\n')) >= 0, 'HTTP response');
    const [first, ...lines] = this.bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const status = Number(first.split(' ')[1]);
    const length = status === 101 ? 0 : Number(headers['content-length'] ?? 0);
    await this._until(() => this._size >= end + 4 + length, 'body of the HTTP response');
    const body = this.bytes.subarray(end + 4, end + 4 + length).toString();
    this._take(end + 4 + length);
    return { first, status, headers, body };
  }

  // `min` guards against joining the chunks of a large frame again and again.
  async frame() {
    let found = null;
    let min = 2;
    await this._until(() => {
      if (this._size < min) return false;
      found = readFrame(this.bytes);
      if (!found && this._size > 65536) min = this._size * 1.5;
      if (!found && this._size > 10) min = Math.min(min, this._missing());
      return found !== null;
    }, 'frame');
    this._take(found.size);
    return found;
  }

  _missing() {
    const all = this.bytes;
    const field = all[1] & 0x7f;
    if (field < 126) return 2 + field;
    return field === 126 ? 4 + all.readUInt16BE(2) : 10 + Number(all.readBigUInt64BE(2));
  }

  // The server closes: nothing more comes, and no reset, neither before nor after we close too.
  async end() {
    await this._until(() => this.ended || this.error, 'end of the stream');
    if (this._size) throw new Error(`${this._size} more bytes before the end`);
    this._ending = true;
    this.socket.end();
    await this._until(() => this.closed, 'close of the connection');
    if (this.error) throw new Error(`the connection was broken: ${this.error.code}`);
  }

  // A close frame with this code (null: without one) and then the end.
  async failed(code) {
    const got = await this.frame();
    if (got.name !== 'close') throw new Error(`${got.name} instead of close ${code}`);
    if (got.code !== code) throw new Error(`close ${got.code} "${got.reason}", not ${code}`);
    await this.end();
    return got;
  }

  async cleanClose(code = 1000) {
    this.send(close(code));
    return this.failed(code);
  }

  destroy() {
    this.socket.destroy();
  }
}

module.exports = { ACCEPT, Client, HEADERS, KEY, LIMIT_MS, request, turn };
