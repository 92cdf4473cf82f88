// SPDX-License-Identifier: MIT
//
// Data passes byte for byte: what JSON reads as equal is not equal for everybody.
'use strict';

const assert = require('node:assert');
const api = require('./lib/api');
const { connected, fires, subscribed } = require('./lib/clients');
const { test } = require('./lib/suite');

const BOTH = { workers: [1, 2] };

// The inner text of JSON strings, as it may stand between the quotes.
const STRINGS = {
  plain: 'hello',
  slashes: 'a\\/b a/b',
  escapes: '\\" \\\\ \\b \\f \\n \\r \\t',
  'escaped ASCII': '\\u0041\\u0022\\u005c',
  'a NUL': 'a\\u0000b',
  'control characters': '\\u0001\\u001f\\u007f',
  'raw UTF-8': 'é ü 漢字 🚀',
  'escaped UTF-16': '\\u00e9 \\uD83D\\uDE80 \\ud83d\\ude80',
  'a lone high surrogate': 'a\\ud800b',
  'a lone low surrogate': 'a\\udc00b',
  'surrogates in the wrong order': '\\udc00\\ud800',
  'line separators': 'a\u2028b\u2029c \\u2028',
  'a byte order mark': '\ufeffx',
  'the last code point': '\u{10ffff}',
  'inner JSON': '{\\"a\\":1.0,\\"b\\":1e400,\\"c\\":-0,\\"d\\":12345678901234567890}',
  'inner JSON twice': '{\\"a\\":\\"{\\\\\\"b\\\\\\":\\\\\\"\\\\\\\\u00e9\\\\\\"}\\"}',
  'a script': "<\\/script><!-- & ' -->",
  empty: '',
  spaces: '  \\t ',
};

for (const [what, inner] of Object.entries(STRINGS)) {
  test(`publish and client event: ${what}`, BOTH, async (t) => {
    const server = await t.server();
    const [sender, receiver] = await t.rawOnEach(server);
    for (const client of [sender, receiver]) await client.subscribe('private-a');
    const token = `"${inner}"`;
    const body = `{ "name":"x", "channels":["private-a"], "data": ${token} }`;
    await api.ok(server, 'POST', '/events', { body });
    const want = (event) => `{"event":"${event}","channel":"private-a","data":${token}}`;
    for (const client of [sender, receiver]) {
      assert.strictEqual((await client.event('x')).text, want('x'));
    }
    sender.send(`{"event":"client-x","channel":"private-a","data":${token}}`);
    assert.strictEqual((await receiver.event('client-x')).text, want('client-x'));
    const cached = `{"name":"x","channel":"cache-a","data":${token}}`;
    await api.ok(server, 'POST', '/batch_events', { body: `{"batch":[${cached}]}` });
    await receiver.subscribe('cache-a');
    const hit = await receiver.event('x', 'cache-a');
    assert.strictEqual(hit.text, want('x').replace('private-a', 'cache-a'));
  });
}

test('values that are no strings keep their form', BOTH, async (t) => {
  const server = await t.server();
  const [sender, receiver] = await t.rawOnEach(server);
  for (const client of [sender, receiver]) await client.subscribe('private-a');
  const tokens = [
    '{"b":1.0, "a":[1e400,-0,0.10,1E+2],"b":2}',
    '{ "z" : { } , "y" : [ ] }',
    '[1.0,\t"\\u00e9",\n"é"]',
    '12345678901234567890123456789',
    '-0.0',
  ];
  for (const token of tokens) {
    await api.ok(server, 'POST', '/events', {
      body: `{"data":${token},"channels":["private-a"],"name":"x"}`,
    });
    const frame = await receiver.event('x');
    assert.strictEqual(frame.text, `{"event":"x","channel":"private-a","data":${token}}`);
    sender.send(`{"event":"client-x","channel":"private-a","data":${token}}`);
    assert.ok((await receiver.event('client-x')).text.endsWith(`"data":${token}}`));
  }
});

test('event names pass untouched', BOTH, async (t) => {
  const server = await t.server();
  const [client] = await t.rawOnEach(server);
  await client.subscribe('a');
  const tokens = [
    'App\\\\Events\\\\Shipped',
    'order.shipped',
    '.x',
    'ë🚀',
    '\\u00eb',
    'a\\"b',
    'a b',
    'x:y',
  ];
  for (const token of tokens) {
    await api.ok(server, 'POST', '/events', {
      body: `{"name":"${token}","channels":["a"],"data":"1"}`,
    });
    const frame = await client.take(() => true, 'event');
    assert.strictEqual(frame.event, JSON.parse(`"${token}"`), frame.text);
  }
});

for (const version of [4, 7, 8]) {
  test(`pusher-js ${version} reads all of it`, async (t) => {
    const server = await t.server();
    const pusher = t.pusher(server, { version });
    await connected(pusher);
    const channel = await subscribed(pusher, 'a');
    const values = [
      '',
      'text',
      '5',
      'null',
      'a\u0000b',
      '\u2028',
      '🚀',
      '\ud800',
      '{',
      '"x"',
      '[]',
    ];
    for (const value of values) {
      const event = fires(channel, 'x');
      await api.publish(server, 'a', 'x', value);
      let want = value;
      try {
        want = JSON.parse(value);
      } catch {
        // stays text
      }
      assert.deepStrictEqual(await event, want);
    }
  });
}

test('all sizes around the borders of WebSocket lengths', BOTH, async (t) => {
  const server = await t.server();
  const [client] = await t.rawOnEach(server);
  await client.subscribe('a');
  const overhead = '{"event":"x","channel":"a","data":""}'.length;
  for (const size of [0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 200_000]) {
    const data = 'x'.repeat(Math.max(0, size - overhead));
    await api.publish(server, 'a', 'x', data);
    assert.strictEqual((await client.event('x')).data, data);
  }
});
