// SPDX-License-Identifier: MIT
//
// cases_peal.js: what only holds for Peal itself: RFC 6455 below the Pusher protocol. Rows of the
// other files without messages in their answer, and all handshakes, are run against Peal too.
'use strict';

const { OP, binary, close, cont, fragments, frame, ping, split, text } = require('./frames');
const { answer, expectFrame, fails, own, row } = require('./table');

const PEAL = { opens: true, forPeal: 'only' };
const PUSHER_PING = '{"event":"pusher:ping","data":{}}';

async function expectEvent(client, name) {
  const got = await client.frame();
  if (got.name !== 'text') throw new Error(`${got.name} ${got.code ?? ''} instead of ${name}`);
  const { event, data } = JSON.parse(got.data.toString());
  if (event !== name) throw new Error(`${event} instead of ${name}`);
  return data;
}

const pongs = (id, title, make, chop = 0) =>
  own(`P.${id}`, '5.4', title, PEAL, async (client) => {
    const data = make();
    if (chop) await client.chop(data, chop);
    else client.send(data);
    await expectEvent(client, 'pusher:pong');
    await client.cleanClose();
  });

pongs('whole', 'pusher:ping in one frame', () => text(PUSHER_PING));
pongs('bytes', 'pusher:ping byte by byte', () => text(PUSHER_PING), 1);
pongs('fragments', 'pusher:ping in a fragment per octet', () =>
  Buffer.concat(fragments(OP.text, split(PUSHER_PING, 1))),
);
pongs('binary', 'pusher:ping in a binary message', () => binary(PUSHER_PING));
own('P.between', '5.4, 5.5', 'a ping inside of a fragmented pusher:ping', PEAL, async (client) => {
  const [first, last] = fragments(OP.text, split(PUSHER_PING, 20));
  client.send(Buffer.concat([first, ping('between'), last]));
  await expectFrame(client, answer('pong', 'between'));
  await expectEvent(client, 'pusher:pong');
  await client.cleanClose();
});
own(
  'P.not-json',
  '5.6',
  'text that is no JSON is answered, and the connection goes on',
  PEAL,
  async (client) => {
    client.send(text('Hello'));
    await expectEvent(client, 'pusher:error');
    client.send(text(PUSHER_PING));
    await expectEvent(client, 'pusher:pong');
    await client.cleanClose();
  },
);
own(
  'P.not-utf8',
  '5.6',
  'binary that is not UTF-8 is answered, and the connection goes on',
  PEAL,
  async (client) => {
    client.send(binary(Buffer.from([0xff, 0xfe])));
    await expectEvent(client, 'pusher:error');
    client.send(text(PUSHER_PING));
    await expectEvent(client, 'pusher:pong');
    await client.cleanClose();
  },
);
own('P.close-fragmented', '5.5.1', 'close inside of a fragmented message', PEAL, async (client) => {
  client.send(Buffer.concat([text('{"ev', { fin: false }), close(4999, 'bye'), cont('ent')]));
  await client.failed(4999);
});
const only = (id, rfc, title, send, code) =>
  row(`P.${id}`, rfc, title, { send, end: fails(code), peal: 'only' });
only(
  'too-big',
  '10.4',
  'a message far above the limit',
  [frame(OP.text, '', { length: 1n << 40n, form: 64 }).subarray(0, 10)],
  1009,
);
only(
  'fragments',
  '10.4',
  'a message in very many fragments',
  [
    () =>
      Buffer.concat(
        fragments(
          OP.text,
          Array.from({ length: 5000 }, () => ''),
        ),
      ),
  ],
  1008,
);
