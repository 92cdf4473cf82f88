// SPDX-License-Identifier: MIT
//
// /ready and /usage: the server's publish to itself, which also comes back after a reload, a restart
// in place, and a freeze of the whole process.
'use strict';

const assert = require('node:assert');
const { test } = require('./lib/suite');
const { pause, poll } = require('./lib/wait');

const TWO = { workers: [1, 2] };

function cameBack(server, what) {
  const back = async () => {
    const { ready, reasons, self_test: self } = await server.admin('/ready');
    assert.deepStrictEqual({ ready, reasons, ok: self.ok }, { ready: true, reasons: [], ok: true });
    return 'age_ms' in self && self;
  };
  return poll(back, what);
}

test('/ready tells of the last publish that came back', { quick: true, ...TWO }, async (t) => {
  const server = await t.server();
  const { age_ms: age, took_us: took, text } = await cameBack(server, 'the first publish');
  assert.ok(age >= 0 && took > 0);
  assert.match(text, /^the last publish came back \d+ (ms|s) ago in [\d.]+ ms$/);
  const { memory } = await server.admin('/usage');
  assert.deepStrictEqual(Object.keys(memory), ['free', 'used', 'total', 'percent']);
  assert.strictEqual(memory.free + memory.used, memory.total);
  assert.ok(memory.percent > 0 && memory.percent <= 100);
});

test('it comes back after a reload and a restart in place', TWO, async (t) => {
  const server = await t.server();
  await cameBack(server, 'the first publish');
  server.signal('SIGHUP');
  await poll(() => server.stderr.includes('server reloaded'), 'a reload');
  await cameBack(server, 'a publish after the reload');
  server.signal('SIGUSR2');
  await server.generation(2);
  await cameBack(server, 'a publish after the restart');
});

test('a process that was frozen is ready as soon as it goes on', { full: true }, async (t) => {
  const server = await t.server({ workers: 2 });
  await cameBack(server, 'the first publish');
  process.kill(server.child.pid, 'SIGSTOP');
  await pause(16_000); // longer than a publish may be away
  process.kill(server.child.pid, 'SIGCONT');
  await cameBack(server, 'a publish after the freeze');
});
