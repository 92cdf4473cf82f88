// SPDX-License-Identifier: MIT
//
// table.js: the table of cases. Most are rows of data: what is sent, which frames come back, and
// how it ends; the rest are functions. A row without messages in its answer holds for Peal too.
'use strict';

const { bytes } = require('./frames');

const cases = [];

// The endings of a row.
const CLEAN = { kind: 'clean' }; // we close with 1000 and so does the server
const fails = (code) => ({ kind: 'fails', code }); // the server closes, with this code
const closes = (code) => ({ kind: 'fails', code }); // so it does, since we asked for it

const answer = (name, data = '') => ({ name, data });

// send: list of buffers, or of functions that make them; chop: how many bytes each write has.
function row(id, rfc, title, { send, expect = [], end = CLEAN, chop = 0, peal }) {
  const messages = expect.some((one) => one.name === 'text' || one.name === 'binary');
  const forPeal = peal ?? !messages;
  const run = async (client) => {
    for (const part of send) {
      const data = typeof part === 'function' ? part() : part;
      if (chop) await client.chop(data, chop);
      else client.send(data);
    }
    for (const one of expect) await expectFrame(client, one);
    if (end.kind === 'clean') await client.cleanClose();
    else await client.failed(end.code);
  };
  cases.push({ id, rfc, title, run, opens: true, forPeal });
}

async function expectFrame(client, { name, data }) {
  const got = await client.frame();
  const want = bytes(typeof data === 'function' ? data() : data);
  const shown = got.code ? `close ${got.code} "${got.reason}"` : got.name;
  if (got.name !== name) throw new Error(`${shown} instead of ${name}`);
  if (!got.data.equals(want))
    throw new Error(`${name}: ${got.data.length} bytes that are not the ${want.length} expected`);
}

// A case of its own. opens: run(client) gets an open WebSocket, else run(target) nothing yet.
// alone: nothing else runs at the time; server: options of a ws_echo of its own.
function own(id, rfc, title, options, run) {
  cases.push({ id, rfc, title, run, opens: false, forPeal: false, ...options });
}

module.exports = { CLEAN, answer, cases, closes, expectFrame, fails, own, row };
