// SPDX-License-Identifier: MIT
//
// Statistics: counted as laravel-websockets counted them, kept in SQLite, PostgreSQL and MariaDB, and
// never at the cost of an event. The databases are real servers of the tests' own.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const api = require('./lib/api');
const { Mariadb, PASSWORD, Postgres, startDatabase } = require('./lib/databases');
const { makeFolder } = require('./lib/server');
const { test } = require('./lib/suite');
const { pause, poll } = require('./lib/wait');

const BOTH = { workers: [1, 3] };
const SHOP = { id: 'shop', key: 'shop-key', secret: 'shop-secret-51c' };
// What an id may hold, and would be something else inside a statement. The second differs from the
// app's only for those who look at capitals.
const HOSTILE = { id: `x');DROP`, key: 'hostile-key', secret: 'hostile-secret-2f' };
const SHOUT = { id: 'SHOP', key: 'shout-key', secret: 'shout-secret-9e' };

const V1 = ['peak_connection_count', 'websocket_message_count', 'api_message_count'];
const V2 = ['peak_connections_count', 'websocket_messages_count', 'api_messages_count'];

// A folder that outlives the server.
function keptFolder(t) {
  const folder = makeFolder();
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const sqliteUrl = (t) => `sqlite:${path.join(keptFolder(t), 'peal.db')}`;
const every = (seconds, url) => ({ store: url, 'statistics.interval_seconds': seconds });

// `peal stats` with --json; all times that there are.
async function stats(t, url, args = []) {
  const command = ['stats', '--json', '--set', `store=${url}`];
  const { code, stdout, stderr } = await t.command([...command, ...args]).ended();
  assert.strictEqual(code, 0, stderr);
  return JSON.parse(stdout);
}

// The sums of an app; null where nothing is stored of it.
async function totals(t, url, id) {
  const { apps } = await stats(t, url, ['--from', '1970-01-02']);
  const { app, ...counts } = apps.find((one) => one.app === id) ?? {};
  return app === undefined ? null : counts;
}

const counts = (peak, websocket, api_) => ({
  peak_connections: peak,
  websocket_messages: websocket,
  api_messages: api_,
});

const noted = (server, pattern) => poll(() => pattern.test(server.stderr), `${pattern} in the log`);
const times = (server, pattern) => server.stderr.match(new RegExp(pattern, 'g'))?.length ?? 0;

/* --- what is counted --- */

test('counts are those of laravel-websockets', { ...BOTH, quick: true }, async (t) => {
  const url = sqliteUrl(t);
  const server = await t.server({ set: every(86400, url) });
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await t.raw(server));
  await clients[0].subscribe('private-room');
  await clients[1].subscribe('private-room');
  await clients[0].ping();
  clients[0].trigger('client-hello', 'private-room', {});
  await clients[1].event('client-hello');
  clients[2].send('no JSON at all');
  await clients[2].event('pusher:error');
  await clients[3].close();
  await server.hasConnections(3);
  await (await t.raw(server)).close(); /* no new peak */
  await api.publish(server, 'room', 'one'); /* nobody hears it, and yet */
  await api.publish(server, ['a', 'b', 'private-room'], 'three');
  const batch = ['a', 'b'].map((channel) => ({ channel, name: 'x', data: '{}' }));
  await api.ok(server, 'POST', '/batch_events', { body: { batch } });
  await api.get(server, '/channels');
  const refused = await api.call(server, 'POST', '/events', { body: { name: 'x' } });
  assert.strictEqual(refused.status, 400);
  await server.stop();
  // 2 subscriptions, a ping, a client event, something wrong; an API message for each channel.
  assert.deepStrictEqual(await totals(t, url, server.app.id), counts(4, 5, 6));
});

test('an interval without anything is no row', async (t) => {
  const url = sqliteUrl(t);
  const server = await t.server({ apps: [SHOP, SHOUT], set: every(1, url) });
  const client = await t.raw(server);
  await client.subscribe('room');
  await poll(async () => (await stats(t, url)).apps.length > 0, 'first row');
  const before = await stats(t, url, ['--app', SHOP.id, '--step', '1s']);
  assert.strictEqual(before.rows[0].peak_connections, 1);
  await client.close();
  const empty = async () => {
    const { rows } = await stats(t, url, ['--app', SHOP.id, '--step', '1s']);
    const last = rows.at(-1).time;
    return Date.now() / 1000 - last > 3;
  };
  await poll(empty, 'interval without a row', 20_000);
  assert.strictEqual(await totals(t, url, SHOUT.id), null);
  assert.deepStrictEqual(await totals(t, url, SHOP.id), counts(1, 1, 0));
});

test('an app may be left out; a reload takes it in', async (t) => {
  const url = sqliteUrl(t);
  const yaml = (statistics) =>
    `store: '${url}'\nstatistics: { interval_seconds: 1 }\napps:\n  - { id: shop, key: shop-key, ` +
    `secret: ${SHOP.secret}, statistics: ${statistics} }\n`;
  const server = await t.server({ apps: [], app: SHOP, config: yaml(false), secrets: [SHOP.secret] });
  const client = await t.raw(server);
  await client.subscribe('room');
  await pause(1500);
  fs.writeFileSync(path.join(server.folder, 'e2e.yaml'), yaml(true));
  server.signal('SIGHUP');
  await noted(server, /server reloaded/);
  await client.subscribe('other');
  await poll(async () => totals(t, url, SHOP.id), 'row');
  await server.stop();
  const { websocket_messages: messages } = await totals(t, url, SHOP.id);
  assert.ok(messages === 1 || messages === 2, `${messages}`); /* of the interval of the reload */
});

/* --- where --- */

test('without a word statistics are in the state folder', async (t) => {
  const state = keptFolder(t);
  const server = await t.server({ env: { STATE_DIRECTORY: state } });
  await t.raw(server);
  await server.stop();
  assert.ok(fs.existsSync(path.join(state, 'peal.db')));
  const shown = await t.command(['stats'], { env: { STATE_DIRECTORY: state } }).ended();
  assert.strictEqual(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^[-0-9: ]+ to [-0-9: ]+ UTC\napp +most connections +WebSocket/);
  assert.match(shown.stdout, /\napp-id +1 +0 +0\n$/);
});

test('a place where no file can be is a warning, and the server serves', { quick: true }, async (t) => {
  const server = await t.server({ set: every(1, 'sqlite:/proc/nowhere/peal.db') });
  const client = await t.raw(server);
  await client.subscribe('room');
  await noted(server, /store statistics cannot be written/);
  await api.publish(server, 'room', 'hello');
  await client.event('hello');
  await poll(() => /rows_waiting/.test(server.stderr), 'the reason');
  await server.stop();
  assert.match(server.stderr, /the last statistics are lost/);
  assert.strictEqual(times(server, 'statistics cannot be written'), 1);
});

test('none keeps nothing, and says so', async (t) => {
  const server = await t.server({ set: { store: 'none' } });
  await assert.rejects(server.admin('/admin/statistics?app=app-id'), /404.*store is none/);
  const { code, stderr } = await t.command(['stats', '--set', 'store=none']).ended();
  assert.strictEqual(code, 78);
  assert.match(stderr, /the option store is none/);
});

test('memory is asked through the admin listener', async (t) => {
  const server = await t.server({ set: every(1, 'sqlite::memory:') });
  await t.raw(server);
  await poll(async () => {
    const { rows } = await server.admin('/admin/statistics?app=app-id');
    return rows.length > 0 && rows[0].peak_connections === 1;
  }, 'row');
  const { code, stderr } = await t.command(['stats', '--set', 'store=sqlite::memory:']).ended();
  assert.strictEqual(code, 78);
  assert.match(stderr, /admin listener/);
});

test('a restart in place loses no count', { workers: [2], ms: 60_000 }, async (t) => {
  const url = sqliteUrl(t);
  const server = await t.server({ set: every(86400, url) });
  for (let generation = 1; generation <= 3; generation++) {
    const client = await t.raw(server);
    await client.subscribe('room');
    await api.publish(server, 'room', 'x');
    server.signal('SIGUSR2');
    await server.generation(generation + 1);
    await client.close();
    assert.deepStrictEqual(await totals(t, url, 'app-id'), counts(1, generation, generation));
  }
  await server.stop();
  assert.deepStrictEqual(await totals(t, url, 'app-id'), counts(1, 3, 3));
});

/* --- passwords --- */

test('the password of a database is nowhere to be seen', async (t) => {
  for (const scheme of ['postgres', 'mysql']) {
    const url = `${scheme}://peal:hush-7Qp@127.0.0.1:1/app`;
    const server = await t.server({ set: every(1, url), args: ['--log-level', 'debug'], secrets: ['hush-7Qp'] });
    await t.raw(server);
    await noted(server, /statistics cannot be written/);
    assert.match(server.stderr, /store=\S*:\/\/peal:\*\*\*@127\.0\.0\.1:1\/app/);
    await server.stop();
    const shown = await t.command(['config', 'show', '--set', `store=${url}`]).ended();
    assert.match(shown.stdout, new RegExp(`store = ${scheme}://peal:\\*\\*\\*@127`));
    const asked = await t.command(['stats', '--set', `store=${url}`]).ended();
    assert.strictEqual(asked.code, 69);
    const wrong = await t.command(['config', 'check', '--set', `store=${url}/more`]).ended();
    assert.strictEqual(wrong.code, 78);
    for (const one of [shown, asked, wrong])
      assert.ok(!(one.stdout + one.stderr).includes('hush'), one.stdout + one.stderr);
  }
});

/* --- clean --- */

test('clean deletes what it says', async (t) => {
  const url = sqliteUrl(t);
  const apps = [SHOP, SHOUT, HOSTILE];
  const server = await t.server({ apps, set: every(86400, url) });
  for (const app of apps) await (await t.raw(server, { app, key: app.key })).subscribe('room');
  await server.stop();
  const clean = async (...args) => {
    const all = ['stats', 'clean', '--set', `store=${url}`, ...args];
    const { code, stdout, stderr } = await t.command(all).ended();
    return { code, out: stdout || stderr };
  };
  assert.strictEqual((await clean()).code, 64);
  assert.match((await clean('--days', '1')).out, /^deleted 0 rows of all apps from before /);
  await pause(1100); /* what is a second old is older than 0 days */
  assert.strictEqual((await clean('--days', '0', '--app', '')).code, 64);
  assert.match((await clean('--days', '0', '--app', 'nobody')).out, /^deleted 0 rows of app nobody /);
  assert.match((await clean('--days', '0', '--app', SHOUT.id)).out, /^deleted 1 row of app SHOP /);
  assert.deepStrictEqual(await totals(t, url, SHOUT.id), null);
  assert.deepStrictEqual(await totals(t, url, SHOP.id), counts(1, 1, 0));
  assert.strictEqual((await clean('--days', '0', '--app', HOSTILE.id, '--json')).out, '{"deleted":1}\n');
  assert.strictEqual((await clean('--days', '0', '--json')).out, '{"deleted":1}\n');
  assert.deepStrictEqual((await stats(t, url)).apps, []);
});

/* --- real servers --- */

const KINDS = [Postgres, Mariadb];
const SLOW = { workers: [2], ms: 120_000 };

const hasRows = (database, n) => poll(async () => (await database.rows()).length >= n, `${n} rows`, 20_000);
const sum = (rows, name) => rows.reduce((all, row) => all + row[name], 0);

for (const Kind of KINDS) {
  test(`${Kind.name}: tables of both versions, and none`, SLOW, async (t) => {
    const database = await startDatabase(t, Kind);
    const apps = [SHOP, SHOUT, HOSTILE];
    for (const version of [V1, V2, null]) {
      if (version) await database.table(version);
      const server = await t.server({ apps, set: every(86400, database.url()), secrets: [PASSWORD] });
      for (const app of apps) {
        const client = await t.raw(server, { app, key: app.key });
        await client.subscribe('room');
        await api.publish(server, ['room', 'other'], 'x', '{}', {}, { app });
        if (app !== SHOP) await client.ping();
      }
      const before = Math.floor(Date.now() / 1000) * 1000;
      await server.stop();
      const rows = await database.rows();
      assert.deepStrictEqual(
        rows.map(({ app, peak, websocket, api: messages }) => [app, peak, websocket, messages]),
        [[SHOP.id, 1, 1, 2], [SHOUT.id, 1, 2, 2], [HOSTILE.id, 1, 2, 2]],
      );
      for (const { at, updated } of rows) {
        const time = Date.parse(`${at.replace(' ', 'T')}Z`); /* UTC, whatever zone the server has */
        assert.ok(time >= before && time <= Date.now(), at);
        assert.strictEqual(updated, at);
      }
      const url = database.url();
      assert.deepStrictEqual(await totals(t, url, SHOP.id), counts(1, 1, 2));
      assert.deepStrictEqual(await totals(t, url, HOSTILE.id), counts(1, 2, 2));
      const { rows: steps } = await stats(t, url, ['--app', SHOP.id]);
      assert.deepStrictEqual(steps.map(({ time, ...rest }) => rest), [counts(1, 1, 2)]);
      await pause(1100);
      const clean = ['stats', 'clean', '--days', '0', '--set', `store=${url}`, '--json'];
      const one = await t.command([...clean, '--app', SHOP.id]).ended();
      assert.strictEqual(one.stdout, '{"deleted":1}\n', one.stderr);
      assert.deepStrictEqual((await database.rows()).map(({ app }) => app), [SHOUT.id, HOSTILE.id]);
      const rest = await t.command(clean).ended();
      assert.strictEqual(rest.stdout, '{"deleted":2}\n', rest.stderr);
      await database.sql('DROP TABLE websockets_statistics_entries');
    }
  });

  test(`${Kind.name}: away at the start, killed in between, and back: no count is lost`, SLOW, async (t) => {
    const database = await startDatabase(t, Kind);
    await database.crash();
    const server = await t.server({ set: every(1, database.url()), secrets: [PASSWORD] });
    const client = await t.raw(server);
    await client.subscribe('room'); /* 1 */
    await noted(server, /statistics cannot be written/);
    await api.publish(server, 'room', 'x');
    await client.event('x');
    await assert.rejects(server.admin('/admin/statistics?app=app-id'), /503/);
    await database.start();
    await hasRows(database, 2);
    await noted(server, /the database is back/);
    for (let i = 0; i < 3; i++) {
      await client.ping(); /* 2, 4, 6 */
      await database.crash();
      await client.ping(); /* 3, 5, 7 */
      await api.publish(server, 'room', 'x');
      await pause(1200);
      await database.start();
    }
    await poll(async () => sum(await database.rows(), 'websocket') >= 7, 'all counts', 90_000);
    const [{ step, rows }] = [await server.admin('/admin/statistics?app=app-id&step=3600')];
    assert.strictEqual(step, 3600);
    assert.ok(sum(rows, 'websocket_messages') >= 7);
    await server.stop();
    const all = await database.rows();
    assert.strictEqual(sum(all, 'websocket'), 7);
    assert.strictEqual(sum(all, 'api'), 4);
    assert.strictEqual(new Set(all.map(({ at }) => at)).size, all.length, 'a row is there twice');
    assert.ok(times(server, 'statistics cannot be written') <= 4);
  });

  test(`${Kind.name}: one that hangs holds nobody up, and no stop either`, SLOW, async (t) => {
    const database = await startDatabase(t, Kind);
    const server = await t.server({ set: every(1, database.url()), secrets: [PASSWORD] });
    const client = await t.raw(server);
    await client.subscribe('room');
    await hasRows(database, 1);
    database.freeze();
    const end = Date.now() + 4000; /* in which three rows were due */
    let slowest = 0;
    for (let i = 0; Date.now() < end; i++) {
      const began = Date.now();
      await api.publish(server, 'room', `x${i}`);
      await client.event(`x${i}`);
      slowest = Math.max(slowest, Date.now() - began);
      await pause(50);
    }
    assert.ok(slowest < 2000, `an event took ${slowest} ms`);
    const asked = server.admin('/admin/statistics?app=app-id').catch((error) => error);
    const began = Date.now();
    server.signal('SIGTERM');
    await server.exited;
    assert.ok(Date.now() - began < 6000, 'the stop waited for the database');
    assert.ok((await asked) instanceof Error);
    database.thaw();
    await server.ended();
  });
}
