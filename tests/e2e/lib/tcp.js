// SPDX-License-Identifier: MIT
//
// lib/tcp.js: a bare TCP connection to the server, for what no library would send.
'use strict';

const assert = require('node:assert');
const net = require('node:net');
const { makeFrame, readFrame } = require('./frame');
const { within } = require('./wait');

class Tcp {
  static async open(server, options = {}) {
    const tcp = new Tcp(net.connect({ host: server.host, port: server.port, ...options }));
    await within(tcp._connected, 'TCP connection');
    return tcp;
  }

  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this._look = () => {};
    this._connected = new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this._look();
    });
    socket.on('error', (error) => (this.error = error));
    this._closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.over = true;
        this._look();
        resolve(this.bytes);
      });
    });
  }

  write(data) {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  // Half-close: no more will come from us.
  end() {
    this.socket.end();
  }

  // Everything that came before the server closed the connection.
  closed(ms) {
    return within(this._closed, 'close of the TCP connection', ms);
  }

  // Until `read(bytes)` gives [value, length] of what the buffer begins with; takes that out.
  next(read, what, ms) {
    const found = new Promise((resolve, reject) => {
      this._look = () => {
        const got = read(this.bytes);
        if (got) {
          this._look = () => {};
          this.bytes = this.bytes.subarray(got[1]);
          resolve(got[0]);
        } else if (this.over) {
          reject(
            new Error(`no ${what}: closed; left: ${this.bytes.toString('latin1').slice(0, 300)}`),
          );
        }
      };
      this._look();
    });
    return within(found, what, ms);
  }

  response(ms) {
    return this.next(readResponse, 'HTTP response', ms);
  }

  frame(ms) {
    return this.next(readFrame, 'WebSocket frame', ms);
  }

  // A WebSocket upgrade by hand; the connection_established frame is read, too.
  async upgrade(server, { path = `/app/${server.app.key}?protocol=7`, headers = [] } = {}) {
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${server.host}:${server.port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      ...headers,
    ];
    this.write(`${lines.join('\r\n')}\r\n\r\n`);
    const response = await this.response();
    assert.strictEqual(response.status, 101, `upgrade: ${response.status} ${response.body}`);
    const first = await this.frame();
    return JSON.parse(JSON.parse(first.payload).data).socket_id;
  }
}

// One HTTP response with a Content-Length (or without body, as 1xx, 101, 204 are).
function readResponse(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(first.split(' ')[1]);
  const bare = status < 200 || status === 204;
  const length = bare ? 0 : Number(headers['content-length'] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  const body = bytes.subarray(end + 4, end + 4 + length).toString('utf8');
  return [{ first, status, headers, body }, end + 4 + length];
}

module.exports = { Tcp, makeFrame };
