// SPDX-License-Identifier: MIT
//
// judge_http.js: what Node's strict HTTP server makes of the bytes of a connection, and where it
// may differ from us.
'use strict';

const http = require('node:http');
const { Duplex } = require('node:stream');

const turn = () => new Promise((resolve) => setImmediate(resolve));

class Judge {
  constructor() {
    this.server = http.createServer({ insecureHTTPParser: false });
    const take = (request, response) => this._take(request, response);
    this.server.on('request', take);
    this.server.on('checkContinue', take);
    this.server.on('connect', (request, socket) => {
      this._seen(socket).requests.push({ ...this._shape(request), body: '', done: true });
    });
    this.server.on('clientError', (error, socket) => {
      this._seen(socket).error ??= error.code; // requests before it are still being handed out
    });
  }

  _seen(socket) {
    return socket.seen;
  }

  _shape(request) {
    const fields = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      fields.push(`${request.rawHeaders[i]}:${request.rawHeaders[i + 1]}\n`);
    const hex = (text) => Buffer.from(text, 'latin1').toString('hex');
    return {
      method: request.method,
      minor: request.httpVersionMinor,
      target: hex(request.url),
      headers: hex(fields.join('')),
    };
  }

  _take(request, response) {
    const one = { ...this._shape(request), done: false };
    const chunks = [];
    this._seen(request.socket).requests.push(one);
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      one.body = Buffer.concat(chunks).toString('hex');
      one.done = true;
      response.end();
    });
    request.on('error', () => {});
  }

  // { requests: complete ones as verdict.c writes them, refused }
  async judge(data) {
    const seen = { requests: [], error: null, answers: '' };
    const socket = new Duplex({
      read() {},
      write(chunk, encoding, done) {
        seen.answers += chunk.toString('latin1');
        done();
      },
    });
    socket.seen = seen;
    socket.setTimeout = socket.setNoDelay = socket.setKeepAlive = () => socket;
    socket.on('error', () => {});
    this.server.emit('connection', socket);
    socket.push(data);
    let before = -1;
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn();
      const now = seen.requests.filter((one) => one.done).length + seen.answers.length;
      if (now !== before) quiet = 0;
      before = now;
    }
    socket.destroy();
    const requests = seen.requests
      .filter((one) => one.done)
      .map((one) => `${one.method}/${one.minor}/${one.target}/${one.headers}/${one.body}`);
    const status = /^HTTP\/1\.1 (4\d\d|5\d\d)/m.exec(seen.answers);
    return { requests, refused: seen.error ?? status?.[1] ?? null };
  }
}

const METHODS = new Set(http.METHODS);

// Our line, as data.
function readOurs(line) {
  const words = line.split(' ');
  const requests = words.filter((word) => word.includes('/') && /^[^/]+\/[01]\//.test(word));
  const end = words.slice(requests.length).join(' ');
  return { requests, end };
}

const latin1 = (hex) => Buffer.from(hex, 'hex').toString('latin1');

// Differences that are none: why we take a request that Node does not take, or not so.
const EXPLAINED = [
  ['a method that Node has no name for: we answer 405', (it) => !METHODS.has(it.method)],
  ['CONNECT: Peal is no proxy, the API answers 405', (it) => it.method === 'CONNECT'],
  ['octets above 0x7f in the target: Node refuses them', (it) => /[\x80-\xff]/.test(it.target)],
  [
    'form of the target: judged by url_split(), not by the parser of requests',
    (it) => it.error === 'HPE_INVALID_URL' || !/^(\/|\*$|https?:\/\/)/.test(it.target),
  ],
  [
    'a chunk extension that is no token: skipped up to its CR LF, as all are',
    (it) => it.error === 'HPE_STRICT' && /^transfer-encoding:chunked$/im.test(it.headers),
  ],
  [
    'a tab behind a value is white space (RFC 9110 section 5.6.3); Node takes spaces only',
    (it) =>
      /^HPE_INVALID_(TRANSFER_ENCODING|CONTENT_LENGTH)$/.test(it.error) &&
      /^(transfer-encoding:chunked|content-length:\d+)$/im.test(it.headers),
  ],
  [
    'after a request to upgrade, Node reads no more requests',
    (it) => !it.error && it.before.some((one) => /^upgrade:/im.test(latin1(one.split('/')[3]))),
  ],
];

// What is wrong with us, given Node's view; null: nothing. We must not take what Node refuses, nor
// take it otherwise, nor find other borders. `note` is told why a difference is none.
function compare(ours, theirs, data, note) {
  const at = ours.requests.findIndex((one, i) => one !== theirs.requests[i]);
  if (at >= 0) {
    const [method, , target, headers] = ours.requests[at].split('/');
    const it = {
      method,
      target: latin1(target),
      headers: latin1(headers),
      error: theirs.refused,
      before: ours.requests.slice(0, at),
    };
    if (theirs.requests[at]) return `we read ${ours.requests[at]}, Node ${theirs.requests[at]}`;
    const why = EXPLAINED.find(([, holds]) => holds(it));
    if (why) return note(why[0]);
    return `we take what Node does not (${theirs.refused ?? 'it waits for more'})`;
  }
  const more = theirs.requests.length - ours.requests.length;
  if (ours.end === 'close' || more <= 0) return null;
  if (ours.end.startsWith('no ')) return note(`stricter: ${ours.end.slice(3)}`);
  if (/\r\n\r(?!\n)/.test(data.toString('latin1')))
    return note('a CR ends a head for Node 18; we wait for its LF, and refuse what else comes');
  return `we wait for more where Node has ${more} requests more`;
}

module.exports = { Judge, compare, readOurs };
