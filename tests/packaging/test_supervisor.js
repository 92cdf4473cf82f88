// SPDX-License-Identifier: MIT
//
// packaging/supervisor/peal.conf. The file for php artisan websockets:serve is tried with the example
// in tests/browser.
'use strict';

const assert = require('node:assert');
const { freePort } = require('../e2e/lib/nginx');
const { test } = require('../e2e/lib/suite');
const { Supervisor } = require('./lib/supervisor');

const APP = { id: 'shop', key: 'shop-key', secret: 'e2e-supervised-8Wq1' };

const settings = (port) => `listen: 127.0.0.1:${port}
admin: { listen: 127.0.0.1:0 }
workers: 1
apps: [{ id: ${APP.id}, key: ${APP.key}, secret: ${APP.secret} }]
`;

test('Supervisor: killed it comes back, stopped it tells its clients, and all is in its log', { ms: 60_000 }, async (t) => {
  const port = await freePort();
  const site = { host: '127.0.0.1', port, app: APP };
  const supervisor = await Supervisor.start(t, 'peal.conf', {
    command: (folder) => `${t.binary} serve --config ${folder}/peal.yaml --env /dev/null`,
    files: { 'peal.yaml': settings(port) },
  });
  const first = await supervisor.ready(1);
  const lost = await t.raw(site);
  process.kill(first, 'SIGKILL');
  await lost.closed();
  assert.notStrictEqual(await supervisor.ready(2), first);
  const told = await t.raw(site);
  await supervisor.control('stop', 'peal');
  assert.strictEqual((await told.closed()).code, 4100);
  assert.match(supervisor.log(), /stopped/);
  assert.ok(!supervisor.log().includes(APP.secret), 'the log shows the secret');
});
