// SPDX-License-Identifier: MIT
//
// peal config show and check, the manual page, and the completion of the shells.
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('./lib/suite');

const EX = { OK: 0, USAGE: 64, CONFIG: 78 };
const run = (t, args, options) => t.command(args, options).ended();

const YAML = `workers: 2
log: { level: debug }
app_defaults:
  client_events: none
apps:
  - id: shop
    key: shop-key
    secrets: [first-secret-0123, second-secret-0123]
    allowed_origins: ["https://*.example.com", "x.org"]
    limits:
      connections: 50000
`;
const DOTENV = `# two prefixes
export PUSHER_APP_ID=blog
PUSHER_APP_KEY="blog-key"
PUSHER_APP_SECRET='third-secret-$0123'
REVERB_APP_ID=chat
REVERB_APP_KEY=\${NAME}-key # a comment
NAME=chat
REVERB_APP_SECRET="fourth secret 0123"
REVERB_APP_MAX_MESSAGE_SIZE=10000
SOKETI_PORT=7001
`;
const FILES = {
  'peal.yaml': YAML,
  '.env': DOTENV.replace('NAME=chat\n', '').replace('export', 'NAME=chat\nexport'),
};

test('config show: each value, and where it comes from', { quick: true }, async (t) => {
  const env = { PEAL_LOG_FORMAT: 'json' };
  const options = { files: FILES, env };
  const got = await run(t, ['config', 'show', '--workers', '3', '--set', 'drain_ms=5'], options);
  assert.strictEqual(got.code, EX.OK, got.stderr);
  const expected = [
    ['listen = 0.0.0.0:7001', 'SOKETI_PORT (.env:11)'],
    ['workers = 3', '--workers'],
    ['drain_ms = 5', '--set drain_ms'],
    ['log.level = debug', 'log.level (peal.yaml:2)'],
    ['log.format = json', 'PEAL_LOG_FORMAT (environment)'],
    ['body_timeout_ms = 30000', null],
    ['apps.shop.key = shop-key', 'apps.shop.key (peal.yaml:7)'],
    ['apps.shop.secrets = (2 hidden)', 'apps.shop.secrets (peal.yaml:8)'],
    ['apps.shop.client_events = none', 'app_defaults.client_events (peal.yaml:4)'],
    ['apps.shop.limits.connections = 50000', 'apps.shop.limits.connections (peal.yaml:11)'],
    ['apps.blog.key = blog-key', 'PUSHER_APP_KEY (.env:4)'],
    ['apps.chat.key = chat-key', 'REVERB_APP_KEY (.env:7)'],
    ['apps.chat.limits.message_bytes = 10000', 'REVERB_APP_MAX_MESSAGE_SIZE (.env:9)'],
  ];
  const lines = got.stdout.split('\n').map((line) => line.split(/ +# /));
  for (const [value, from] of expected) {
    const line = lines.find(([text]) => text === value);
    assert.ok(line, `no line '${value}' in:\n${got.stdout}`);
    if (from === null) assert.strictEqual(line[1], undefined);
    else assert.strictEqual(line[1].replace(/:\d+/, ''), from.replace(/:\d+/, ''), value);
  }
  assert.ok(!/secret[ -]/.test(got.stdout.replace(/third|fourth/, '')), got.stdout);
});

test('config show --json', async (t) => {
  const got = await run(t, ['config', 'show', '--json', '--app', '@app'], {
    files: { ...FILES, app: 'x:x-key:fifth-secret-0123\n' },
  });
  assert.strictEqual(got.code, EX.OK, got.stderr);
  const values = JSON.parse(got.stdout);
  assert.deepStrictEqual(values.workers, { value: 2, from: 'workers (peal.yaml:1)' });
  assert.deepStrictEqual(values.strict_channel_names, { value: true, from: 'default' });
  assert.deepStrictEqual(values['log.level'].value, 'debug');
  assert.deepStrictEqual(values.listen.value, ['0.0.0.0:7001']);
  assert.deepStrictEqual(values['apps.shop.allowed_origins'].value, [
    'https://*.example.com',
    'x.org',
  ]);
  assert.deepStrictEqual(values['apps.x.key'], { value: 'x-key', from: '--app' });
  assert.ok(!/(first|second|third|fourth|fifth).secret/.test(got.stdout));
});

test('config check: well, and what is likely a mistake', { quick: true }, async (t) => {
  const check = (files, ...args) => run(t, ['config', 'check', ...args], { files });
  const well = await check(FILES);
  assert.deepStrictEqual(
    [well.code, well.stdout, well.stderr],
    [EX.OK, 'ok: 3 apps, listening on 0.0.0.0:7001\n', ''],
  );
  const json = await check(FILES, '--json');
  assert.deepStrictEqual(JSON.parse(json.stdout), {
    ok: true,
    apps: 3,
    listen: ['0.0.0.0:7001'],
    warnings: [],
  });
  const odd = `${FILES['.env']}VITE_REVERB_APP_KEY=else\nBROADCAST_CONNECTION=log\nSOKETI_HOST=tcp://10.0.0.1:1\n`;
  const warned = await check({ '.env': odd }, '--json');
  assert.strictEqual(warned.code, EX.OK, warned.stderr);
  const { warnings } = JSON.parse(warned.stdout);
  assert.strictEqual(warnings.length, 3, warned.stdout);
  for (const word of [
    /Kubernetes.*SOKETI_HOST/,
    /VITE_REVERB_APP_KEY/,
    /BROADCAST_CONNECTION is log/,
  ])
    assert.ok(
      warnings.some((text) => word.test(text)),
      warned.stdout,
    );
  for (const text of warnings) assert.ok(warned.stderr.includes(`warning: ${text}`));
  const people = await check({ '.env': odd });
  assert.match(people.stdout, /; 3 warnings\n$/);
});

test('config check: what is wrong, with the place and the way out', async (t) => {
  const app = 'apps: [{id: a, key: k, secret: 0123456789abcdef}]\n';
  const wrong = [
    [
      { 'peal.yaml': 'client_events: none\n' },
      /peal\.yaml:1: client_events.*app_defaults\.client_events/,
    ],
    [
      { 'peal.yaml': `${app}limits: {pending_byte: 1}\n` },
      /peal\.yaml:2: .*did you mean 'limits\.pending_bytes'/,
    ],
    [
      { 'peal.yaml': `${app}log: {level: verbose}\n` },
      /peal\.yaml:2: log\.level must be error, warn, info or debug/,
    ],
    [{ 'peal.yaml': 'apps: [\n' }, /peal\.yaml:\d/],
    [
      { '.env': 'PEAL_CLIENT_EVENTS=none\n' },
      /\.env:1: PEAL_CLIENT_EVENTS.*PEAL_APP_DEFAULTS_CLIENT_EVENTS/,
    ],
    [{ '.env': 'A="x\n' }, /\.env:1: the closing " is missing/],
    [
      { '.env': 'SOKETI_PORT=1\nLARAVEL_WEBSOCKETS_PORT=2\n' },
      /SOKETI_PORT \(\.env:1\)/,
      /LARAVEL_WEBSOCKETS_PORT \(\.env:2\)/,
    ],
    [
      {
        '.env': `${FILES['.env']}SOKETI_DEFAULT_APP_ID=blog\nSOKETI_DEFAULT_APP_KEY=else\nSOKETI_DEFAULT_APP_SECRET=sixth-secret\n`,
      },
      /PUSHER_APP_KEY/,
      /SOKETI_DEFAULT_APP_KEY/,
    ],
    [{ '.env': 'PUSHER_APP_ID=a\nPUSHER_APP_KEY=k\n' }, /'a'.*no secret/],
  ];
  for (const [files, ...words] of wrong) {
    const got = await run(t, ['config', 'check', '--json'], { files });
    const what = `${JSON.stringify(files)}: exit ${got.code}: ${got.stderr}`;
    assert.strictEqual(got.code, EX.CONFIG, what);
    const { ok, error } = JSON.parse(got.stdout);
    assert.strictEqual(ok, false);
    for (const word of words) assert.match(error, word, what);
    assert.ok(got.stderr.includes(error), what);
    assert.ok(!/secret-/.test(error), what);
  }
  const none = await run(t, ['config']);
  assert.strictEqual(none.code, EX.USAGE);
});

const has = (program) => spawnSync(program, ['--version']).error === undefined;

test('the manual page is clean, and the one in docs/', { quick: true }, async (t) => {
  const page = await run(t, ['help', 'man']);
  assert.strictEqual(page.code, EX.OK);
  const committed = path.join(__dirname, '../../docs/peal.1');
  assert.strictEqual(fs.readFileSync(committed, 'utf8'), page.stdout, 'run tools/gen-docs');
  assert.match(page.stdout, /^\.TH PEAL 1/m);
  assert.ok([...page.stdout].every((c) => c < '\x7f'));
  if (!has('groff')) t.skip('there is no groff');
  const made = spawnSync('groff', ['-man', '-ww', '-Tascii', '-P-c'], {
    input: page.stdout,
    encoding: 'utf8',
  });
  assert.deepStrictEqual([made.status, made.stderr], [0, '']);
  const text = made.stdout.replace(/.\x08/g, '');
  for (const word of [
    'peal sign channel SOCKET_ID',
    '--batch-size N',
    'limits.pending_bytes',
    'SOKETI_PORT',
  ])
    assert.ok(text.includes(word), word);
});

// What a real bash offers behind these words; the last one is being typed.
function complete(script, words) {
  const program = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _peal 2>&1
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const got = spawnSync('bash', ['--norc', '-c', program, 'bash', script, ...words], {
    encoding: 'utf8',
    cwd: path.dirname(script),
  });
  assert.strictEqual(got.stderr, '');
  return got.stdout.split('\n').filter(Boolean).sort();
}

test('completion in bash', { quick: true }, async (t) => {
  const command = t.command(['completion', 'bash'], { files: { 'some.yaml': '', script: '' } });
  const { code, stdout } = await command.ended();
  assert.strictEqual(code, EX.OK);
  const script = `${command.folder}/script`;
  fs.writeFileSync(script, stdout);
  assert.deepStrictEqual(complete(script, ['peal', 'tri']), ['trigger']);
  assert.ok(complete(script, ['peal', '']).includes('serve'));
  assert.deepStrictEqual(complete(script, ['peal', 'config', '']), ['check', 'show']);
  assert.deepStrictEqual(complete(script, ['peal', 'trigger', '--batch']), [
    '--batch',
    '--batch-size',
  ]);
  assert.deepStrictEqual(complete(script, ['peal', 'sign', 'w']), ['webhook']);
  assert.deepStrictEqual(complete(script, ['peal', 'serve', '--log-level', '']), [
    'debug',
    'error',
    'info',
    'warn',
  ]);
  assert.deepStrictEqual(complete(script, ['peal', 'serve', '--log-format', '=', 'j']), ['json']);
  assert.deepStrictEqual(complete(script, ['peal', 'serve', '--config', 'som']), ['some.yaml']);
  assert.deepStrictEqual(complete(script, ['peal', 'serve', '--set', 'log.']), [
    'log.format=',
    'log.level=',
  ]);
  assert.deepStrictEqual(complete(script, ['peal', 'help', 'user']), ['users']);
  assert.deepStrictEqual(complete(script, ['peal', 'serve', '--port', '']), []);
});

test('completion in zsh and fish', async (t) => {
  for (const shell of ['zsh', 'fish']) {
    const { code, stdout } = await run(t, ['completion', shell]);
    assert.strictEqual(code, EX.OK);
    for (const word of ['batch-size', 'log.level=', 'webhook'])
      assert.ok(stdout.includes(word), `${shell}: ${word}`);
  }
  const wrong = await run(t, ['completion', 'tcsh']);
  assert.strictEqual(wrong.code, EX.USAGE);
  const { stdout, folder } = await (async () => {
    const command = t.command(['completion', 'fish']);
    return { folder: command.folder, ...(await command.ended()) };
  })();
  if (!has('fish')) t.skip('there is no fish');
  fs.writeFileSync(`${folder}/peal.fish`, stdout);
  const got = spawnSync(
    'fish',
    ['--no-config', '-c', `source ${folder}/peal.fish; complete -C 'peal trigger --batch'`],
    { encoding: 'utf8', env: { ...process.env, HOME: folder } },
  );
  assert.match(got.stdout, /^--batch-size\t/m, got.stderr);
  if (!has('zsh')) t.skip('there is no zsh');
  const zsh = (await run(t, ['completion', 'zsh'])).stdout;
  fs.writeFileSync(`${folder}/_peal`, zsh);
  const loaded = spawnSync(
    'zsh',
    [
      '-f',
      '-c',
      `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D; print $_comps[peal]; autoload +X _peal && print loaded`,
    ],
    { encoding: 'utf8', env: { ...process.env, HOME: folder } },
  );
  assert.deepStrictEqual([loaded.stdout, loaded.stderr], ['_peal\nloaded\n', '']);
});
