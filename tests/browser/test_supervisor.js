// SPDX-License-Identifier: MIT
//
// packaging/supervisor/laravel-websockets.conf: php artisan websockets:serve of the example, under a
// real supervisord.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { freePort } = require('../e2e/lib/nginx');
const { test } = require('../e2e/lib/suite');
const { poll } = require('../e2e/lib/wait');
const { Supervisor } = require('../packaging/lib/supervisor');

const EXAMPLE = path.resolve(__dirname, '../../examples/laravel');
const APP = { id: 'example', key: 'example-key', secret: 'e2e-artisan-5Tz8' };

// One that has ended and that nobody has waited for (state Z) is gone.
function isGone(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].startsWith('Z');
  } catch {
    return true;
  }
}

test('Supervisor runs php artisan websockets:serve: killed it comes back, stopped it tells its clients', { ms: 120_000 }, async (t) => {
  const port = await freePort();
  const site = { host: '127.0.0.1', port, app: APP };
  const supervisor = await Supervisor.start(t, 'laravel-websockets.conf', {
    command: () => `php ${EXAMPLE}/artisan websockets:serve --host=127.0.0.1 --port=${port}`,
    cwd: EXAMPLE,
    env: {
      APP_ENV: 'local',
      APP_KEY: 'base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
      PUSHER_APP_ID: APP.id,
      PUSHER_APP_KEY: APP.key,
      PUSHER_APP_SECRET: APP.secret,
      PUSHER_HOST: '127.0.0.1',
      PUSHER_PORT: String(port),
      PUSHER_SCHEME: 'http',
      WEBSOCKETS_ADMIN: `127.0.0.1:${await freePort()}`,
      WEBSOCKETS_PEAL_BINARY: t.binary,
    },
  });
  const first = await supervisor.ready(1);
  const lost = await t.raw(site);
  process.kill(await supervisor.pidOf('laravel-websockets'), 'SIGKILL');
  await lost.closed(20_000);
  const second = await supervisor.ready(2);
  await poll(() => isGone(first), 'end of the server of the killed command');
  const told = await t.raw(site);
  await supervisor.control('stop', 'laravel-websockets');
  assert.strictEqual((await told.closed()).code, 4100);
  await poll(() => isGone(second), 'end of the stopped server');
  assert.ok(!supervisor.log().includes(APP.secret), 'the log shows the secret');
});
