// SPDX-License-Identifier: MIT
//
// cases_sizes.js: large messages and many of them, in the sense of section 9 of the Autobahn
// TestSuite (which measures; here only correctness counts), and our own: lengths that are not
// minimal or absurd, masks, limits, and what memory is taken for what was only announced.
'use strict';

const { OP, binary, cont, fragments, frame, ping, split, text } = require('./frames');
const { Client, turn } = require('./client');
const { answer, expectFrame, fails, own, row } = require('./table');

const KIB = 1024;
const MIB = 1024 * KIB;
const shown = (n) => (n < MIB ? `${n / KIB} KiB` : `${n / MIB} MiB`);
const filled = (n) => Buffer.alloc(n, 'Zwölf Boxkämpfer. '.slice(0, 16).replace(/[^ -~]/g, 'o'));

for (const [i, op, name] of [
  [0, OP.text, 'text'],
  [1, OP.binary, 'binary'],
]) {
  [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].forEach((n, at) => {
    row(`9.${1 + i}.${at + 1}`, '5.2', `${name} of ${shown(n)}`, {
      send: [() => frame(op, filled(n))],
      expect: [answer(name, () => filled(n))],
    });
  });
  [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB].forEach((size, at) => {
    const title = `${name} of 4 MiB in frames of ${size} bytes`;
    row(`9.${3 + i}.${at + 1}`, '5.4', title, {
      send: [() => Buffer.concat(fragments(op, split(filled(4 * MIB), size)))],
      expect: [answer(name, () => filled(4 * MIB))],
    });
  });
  [64, 128, 256, 512, KIB, 2 * KIB].forEach((size, at) => {
    row(`9.${5 + i}.${at + 1}`, '5.2', `${name} of 1 MiB in pieces of ${size} bytes`, {
      send: [frame(op, filled(MIB))],
      expect: [answer(name, filled(MIB))],
      chop: size,
    });
  });
  [0, 16, 64, 256, KIB, 4 * KIB].forEach((size, at) => {
    const title = `1000 times ${name} of ${size} bytes and back`;
    own(`9.${7 + i}.${at + 1}`, '5.2', title, { opens: true }, async (client) => {
      const message = frame(op, filled(size));
      const want = answer(name, filled(size));
      for (let times = 0; times < 1000; times++) {
        client.send(message);
        await expectFrame(client, want);
      }
      await client.cleanClose();
    });
  });
}

// Lengths that are not in their shortest form (RFC 6455 section 5.2: MUST), refused with the
// header's last length octet.
for (const [length, form] of [
  [0, 16],
  [125, 16],
  [0, 64],
  [125, 64],
  [126, 64],
  [65535, 64],
]) {
  const whole = binary(Buffer.alloc(length), { form });
  const head = whole.subarray(0, form === 16 ? 4 : 10);
  row(`L.${length}.${form}`, '5.2', `${length} in ${form} bits: refused`, {
    send: [head],
    end: fails(1002),
  });
}
row('L.ping', '5.5', 'a ping of 5 octets with a length of 16 bits', {
  send: [ping('12345', { form: 16 })],
  end: fails(1002),
});
for (const length of [126n, 127n]) {
  row(`L.control.${length}`, '5.5', `a ping of length field ${length}: refused with that octet`, {
    send: [Buffer.from([0x89, 0x80 | Number(length)])],
    end: fails(1002),
  });
}

// Absurd lengths: refused with the length, before any octet of the payload.
const LIMIT = 64 * MIB;
for (const [length, code, name] of [
  [BigInt(LIMIT) + 1n, 1009, 'one more than the limit'],
  [2n ** 32n, 1009, '4 GiB'],
  [2n ** 63n - 1n, 1009, 'the longest there is'],
  [2n ** 63n, 1002, 'the top bit set'],
  [2n ** 64n - 1n, 1002, 'all bits set'],
]) {
  row(`L.big.${length}`, '5.2, 10.4', `announces ${name}: refused before its payload`, {
    send: [frame(OP.binary, '', { length, form: 64 }).subarray(0, 10)],
    end: fails(code),
  });
}
row('L.sum', '10.4', 'fragments that pass the limit together', {
  send: [
    binary(Buffer.alloc(1000), { fin: false }),
    frame(OP.cont, '', { length: BigInt(LIMIT) - 999n, form: 64 }).subarray(0, 10),
  ],
  end: fails(1009),
});

own(
  'L.limit',
  '10.4',
  '--max-message holds to the byte',
  { server: ['--max-message', '1000'] },
  async (target) => {
    const exact = await Client.open(target);
    exact.send(binary(Buffer.alloc(1000)));
    await expectFrame(exact, answer('binary', Buffer.alloc(1000)));
    await exact.cleanClose();
    const over = await Client.open(target);
    over.send(text('x'.repeat(1001)));
    await over.failed(1009);
  },
);

const many = (n) => {
  const parts = fragments(
    OP.binary,
    Array.from({ length: n }, () => ''),
  );
  return Buffer.concat(parts);
};
row('L.fragments.65536', '10.4', '65536 empty fragments are a message', {
  send: [() => many(65536)],
  expect: [answer('binary', '')],
});
row('L.fragments.65537', '10.4', '65537 fragments are too many', {
  send: [() => many(65537)],
  end: fails(1008),
  peal: false,
});

// Memory. A fresh server of its own; the kernel's high-water mark is the witness.
const ANNOUNCERS = 50;
own(
  'L.memory.announced',
  '10.4',
  `${ANNOUNCERS} peers announce 60 MiB each: next to nothing is allocated`,
  { server: [], alone: true },
  async (target) => {
    const one = await Client.open(target);
    one.send(ping('p'));
    await expectFrame(one, answer('pong', 'p'));
    const before = target.peakMemory();
    const clients = [];
    for (let i = 0; i < ANNOUNCERS; i++) {
      const client = await Client.open(target);
      const head = frame(OP.binary, '', { length: 60 * MIB, form: 64 });
      client.send(Buffer.concat([head, Buffer.from('first')]));
      clients.push(client);
    }
    one.send(ping('q')); // what was sent before on loopback has been read by now
    await expectFrame(one, answer('pong', 'q'));
    const grown = target.peakMemory() - before;
    for (const client of clients) client.destroy();
    await one.cleanClose();
    if (grown > 16 * MIB) throw new Error(`grew by ${Math.round(grown / MIB)} MiB`);
  },
);
own(
  'L.memory.unread',
  '10.4',
  'a peer that sends 256 MiB and reads nothing is not read from',
  { server: [], alone: true },
  async (target) => {
    const before = target.peakMemory();
    const client = await Client.open(target);
    client.socket.pause();
    const part = binary(Buffer.alloc(64 * KIB));
    let sent = 0;
    let waits = 0;
    while (sent < 256 * MIB && waits < 200) {
      if (client.socket.writableLength < MIB) {
        client.send(part);
        sent += part.length;
        waits = 0;
      } else {
        waits++; // full: the server has stopped to read, or is slow, which more turns show
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await turn();
    }
    const grown = target.peakMemory() - before;
    client.destroy();
    if (sent >= 256 * MIB) throw new Error('the server took 256 MiB that were not read');
    if (grown > 32 * MIB) throw new Error(`grew by ${Math.round(grown / MIB)} MiB`);
  },
);

// Masks (section 5.3).
const PAYLOAD = 'Unmasked octet by octet, whatever the key is: äöü';
for (const mask of ['00000000', 'ffffffff', '01020304', '80000000', '000000ff']) {
  const key = Buffer.from(mask, 'hex');
  row(`M.${mask}`, '5.3', `mask ${mask}, byte by byte`, {
    send: [text(PAYLOAD, { mask: key })],
    expect: [answer('text', PAYLOAD)],
    chop: 1,
  });
}
row('M.own', '5.3', 'each fragment has a mask of its own', {
  send: fragments(OP.text, split(PAYLOAD, 7)),
  expect: [answer('text', PAYLOAD)],
});
for (const size of [1, 2, 3, 5, 7]) {
  row(`M.cut.${size}`, '5.3', `a masked message in pieces of ${size}`, {
    send: [text(PAYLOAD.repeat(20))],
    expect: [answer('text', PAYLOAD.repeat(20))],
    chop: size,
  });
}
const unmasked = { masked: false };
for (const [name, data] of [
  ['text', text('x', unmasked)],
  ['binary', binary('x', unmasked)],
  ['ping', ping('x', unmasked)],
  ['close', frame(OP.close, Buffer.from([3, 232]), unmasked)],
]) {
  row(`M.none.${name}`, '5.1', `${name} without a mask: refused with its second octet`, {
    send: [data.subarray(0, 2)],
    end: fails(1002),
  });
}
row('M.none.continuation', '5.1', 'a continuation without a mask', {
  send: [text('a', { fin: false }), cont('b', unmasked)],
  end: fails(1002),
});

// Each wrong first octet, alone: refused with it.
for (const [first, name] of [
  [0xc1, 'RSV1'],
  [0xa1, 'RSV2'],
  [0x91, 'RSV3'],
  [0x80, 'continuation'],
  [0x83, 'opcode 3'],
  [0x8f, 'opcode 15'],
  [0x08, 'fragmented close'],
  [0x09, 'fragmented ping'],
]) {
  row(`F.${first.toString(16)}`, '5.2', `${name}: refused with the first octet`, {
    send: [Buffer.from([first])],
    end: fails(1002),
  });
}
