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

test('config show NAME: these, groups, those of each app', { quick: true }, async (t) => {
  const show = async (...names) => {
    const got = await run(t, ['config', 'show', ...names], { files: FILES });
    assert.strictEqual(got.code, EX.OK, got.stderr);
    return got.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
  };
  assert.deepStrictEqual(await show('workers'), ['workers']);
  assert.deepStrictEqual(await show('log', 'port'), ['listen', 'log.level', 'log.format']);
  assert.deepStrictEqual(await show('PEAL_LOG_LEVEL'), ['log.level']);
  const each = ['shop', 'blog', 'chat'].map((id) => `apps.${id}.limits.batch`);
  assert.deepStrictEqual((await show('limits.batch')).sort(), [...each].sort());
  assert.deepStrictEqual((await show('app_defaults.limits.batch')).sort(), [...each].sort());
  assert.deepStrictEqual(await show('apps.chat.limits.batch'), [each[2]]);
  const shop = await show('apps.shop');
  assert.ok(shop.length > 20 && shop.every((name) => name.startsWith('apps.shop.')), `${shop}`);
  const json = await run(t, ['config', 'show', 'workers', '--json'], { files: FILES });
  assert.deepStrictEqual(Object.keys(JSON.parse(json.stdout)), ['workers']);
  const wrong = async (name, pattern) => {
    const got = await run(t, ['config', 'show', 'workers', name], { files: FILES });
    assert.deepStrictEqual([got.code, got.stdout], [EX.USAGE, ''], name);
    assert.match(got.stderr, pattern);
  };
  await wrong('limts', /no option 'limts'; did you mean 'limits'\?/);
  await wrong('log.levle', /did you mean 'log\.level'\?/);
  await wrong('apps.shop.limits.btch', /did you mean 'apps\.shop\.limits\.batch'\?/);
  await wrong('apps.other.limits.batch', /there is no app 'other'/);
  const check = await run(t, ['config', 'check', 'workers'], { files: FILES });
  assert.strictEqual(check.code, EX.USAGE);
});

test('help OPTION: what it is, its unit, its variable', { quick: true }, async (t) => {
  const help = async (word) => (await run(t, ['help', word])).stdout;
  assert.match(
    await help('limits.pending_bytes'),
    /^ {2}limits\.pending_bytes {2}\(default 1048576\)\n {6}output that .*PEAL_LIMITS_PENDING_BYTES\n$/s,
  );
  assert.match(await help('log'), /log\.level.*log\.format.*a new value needs a restart/s);
  assert.match(await help('PEAL_WORKERS'), /^ {2}workers /);
  assert.match(await help('apps.shop.limits.batch'), /^ {2}apps\[\]\.limits\.batch /);
  for (const line of (await help('options')).split('\n')) assert.ok(line.length <= 100, line);
  const wrong = await run(t, ['help', 'log.levle']);
  assert.strictEqual(wrong.code, EX.USAGE);
  assert.match(wrong.stderr, /there is no option 'log\.levle'; did you mean 'log\.level'\?/);
  assert.match((await run(t, ['help', 'PEAL_WORKRS'])).stderr, /did you mean 'PEAL_WORKERS'\?/);
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

const TEXT = 'this is a text, and no database\n'.repeat(100);

test('config check: a store that cannot be used is a warning with its reason', async (t) => {
  const check = (store) =>
    run(t, ['config', 'check', '--dev', '--set', `store=${store}`], { files: { 'no.db': TEXT } });
  for (const good of ['none', 'sqlite::memory:', 'sqlite:./stats/peal.db', 'sqlite:new.db']) {
    const { code, stdout, stderr } = await check(good);
    assert.strictEqual(code, EX.OK, stderr);
    assert.doesNotMatch(stdout + stderr, /warning.*store/);
  }
  const table = [
    ['sqlite:/proc/version/below/peal.db', /\/proc\/version\/below\/peal\.db/],
    ['sqlite:no.db', /warning: the store sqlite:no\.db cannot be used.*not a database/],
    ['postgres://peal:hush-hush@127.0.0.1:1/app', /127\.0\.0\.1.*(refused|connect)/i],
    ['mysql://peal:hush-hush@127.0.0.1:1/app', /127\.0\.0\.1/],
  ];
  for (const [store, why] of table) {
    const { code, stdout, stderr } = await check(store);
    assert.strictEqual(code, EX.OK, stderr);
    assert.match(stderr, why);
    assert.match(stderr, /no statistics would be kept/);
    assert.match(stdout, /warning/);
    assert.doesNotMatch(stdout + stderr, /hush-hush/);
  }
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
  const files = { 'peal.yaml': `${app}wokers: 1\nlog: {level: verbose}\n` };
  const several = await run(t, ['config', 'check', '--json'], { files });
  const { error, errors } = JSON.parse(several.stdout);
  assert.strictEqual(errors.length, 2, several.stdout);
  assert.strictEqual(errors[0], error);
  assert.match(errors[1], /^peal\.yaml:3: log\.level must be/);
  for (const text of errors) assert.ok(several.stderr.includes(`peal config: ${text}\n`));
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

test('the manual page is one for mandoc, too', async (t) => {
  if (!has('mandoc')) t.skip('there is no mandoc');
  const { stdout } = await run(t, ['help', 'man']);
  const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning'], {
    input: stdout,
    encoding: 'utf8',
  });
  // It has no date, so that the same source makes the same page.
  const found = lint.stdout.split('\n').filter((line) => line && !/missing date/.test(line));
  assert.deepStrictEqual(found, []);
  const made = spawnSync('mandoc', ['-T', 'utf8'], { input: stdout, encoding: 'utf8' });
  assert.match(made.stdout.replace(/.\x08/g, ''), /--batch-size N\n/);
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

// The script for a shell, in a folder with a file to complete.
async function script(t, shell, name) {
  const command = t.command(['completion', shell], { files: { 'some.yaml': '' } });
  const { code, stdout, stderr } = await command.ended();
  assert.deepStrictEqual([code, stderr], [EX.OK, '']);
  fs.writeFileSync(`${command.folder}/${name}`, stdout);
  return command.folder;
}

// What a shell offers behind each line: the words and what is said about them.
const LINES = {
  'peal tri': [['trigger', 'publish an event']],
  'peal trigger --batch': [['--batch', 'many events from stdin, each a line of JSON'], '--batch-size'],
  'peal serve --che': [['--check', 'only say whether it would start: settings and new addresses; exit']],
  'peal serve --log-level ': ['debug', 'error', 'info', 'warn'],
  'peal serve --log-format=j': ['--log-format=json'],
  'peal serve --set log.': ['log.format=', 'log.level='],
  'peal serve --dev --config som': ['some.yaml'],
  'peal serve --app x --set y --app': ['--app'],
  'peal config ': ['check', 'show'],
  'peal config sh': ['show'],
  'peal help user': ['users'],
  'peal sign w': ['webhook'],
  'peal completion ': ['bash', 'fish', 'zsh'],
  'peal serve --port ': [],
};

function compare(shell, offered) {
  for (const [line, expected] of Object.entries(LINES)) {
    const got = offered(line);
    const want = expected.map((one) => [one].flat());
    const words = got.map(([word]) => word);
    assert.deepStrictEqual(words.sort(), want.map(([word]) => word).sort(), `${shell}: ${line}`);
    for (const [word, about] of want.filter((one) => one.length > 1)) {
      const said = got.find((one) => one[0] === word)[1];
      assert.ok(said.startsWith(about), `${shell}: ${line}: ${said}`);
    }
  }
}

test('completion in fish', async (t) => {
  if (!has('fish')) t.skip('there is no fish');
  const folder = await script(t, 'fish', 'peal.fish');
  const options = { encoding: 'utf8', cwd: folder, env: { ...process.env, HOME: folder } };
  compare('fish', (line) => {
    const program = `source ${folder}/peal.fish; complete -C '${line}'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', program], options);
    assert.strictEqual(stderr, '');
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((one) => one.split('\t'));
  });
});

test('completion in zsh', async (t) => {
  if (!has('zsh')) t.skip('there is no zsh');
  const folder = await script(t, 'zsh', '_peal');
  const options = {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, HOME: folder },
    timeout: 20_000,
  };
  const zsh = (...words) => spawnSync('zsh', ['-f', ...words], options);
  const loaded = zsh(
    '-c',
    `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D; print $_comps[peal]; autoload +X _peal && print loaded`,
  );
  assert.deepStrictEqual([loaded.stdout, loaded.stderr], ['_peal\nloaded\n', '']);
  const all = zsh(path.join(__dirname, 'lib/zsh_offers.zsh'), folder, ...Object.keys(LINES));
  assert.strictEqual(all.status, 0, all.stderr);
  const offers = new Map();
  for (const row of all.stdout.split('\n').filter(Boolean)) {
    const [line, word, about] = row.split('\t');
    if (!offers.has(line)) offers.set(line, []);
    // zsh shows a description with its word before it.
    if (word) offers.get(line).push([word, about.replace(/^\S+ +-- /, '')]);
  }
  compare('zsh', (line) => offers.get(line));
});

test('completion for a shell that has none of ours', async (t) => {
  const wrong = await run(t, ['completion', 'tcsh']);
  assert.strictEqual(wrong.code, EX.USAGE);
  assert.match(wrong.stderr, /bash|zsh|fish/);
});
