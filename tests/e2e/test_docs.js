// SPDX-License-Identifier: MIT
//
// The documentation: links lead somewhere, translations have the same code, every page is in the index,
// and the libraries that the program needs are those that are named.
'use strict';

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('./lib/suite');

const ROOT = path.join(__dirname, '../..');
const QUICK = { quick: true };

// Pages that others name already and that come with the figures of the next benchmark.
const AWAITED = ['docs/performance.md'];

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

function pages() {
  const below = (folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name));
  const named = ['clients/laravel/README.md', 'examples/laravel/README.md'];
  const top = fs.readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  return [...top, ...named, ...below('docs')];
}

const withoutCode = (text) => text.replace(/^( *)```.*?^\1```$/gms, '').replace(/`[^`\n]*`/g, '');

// The names that headings get on a forge: lower case, spaces as hyphens, no punctuation.
function anchors(text) {
  const seen = new Map();
  return [...text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ +(.*)$/gm)].map(([, heading]) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before ? `${name}-${before}` : name;
  });
}

// Blocks of code without what only indents them, and the commands of the indented ones.
function code(text) {
  const fenced = [...text.matchAll(/^( *)```\w*\n(.*?)^\1```$/gms)].map(([, indent, body]) =>
    body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const commands = [...text.replace(/^( *)```.*?^\1```$/gms, '').matchAll(/^ {4,}(\S.*)$/gm)].map(
    ([, line]) => line.split(/ {2,}/)[0],
  );
  return [...fenced, ...commands];
}

test('links lead to files and headings that are there', QUICK, async () => {
  const broken = [];
  for (const page of pages()) {
    for (const [, target] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const to = file ? path.join(path.dirname(page), file) : page;
      if (!fs.existsSync(path.join(ROOT, to))) {
        if (!AWAITED.includes(to)) broken.push(`${page}: ${target}`);
      } else if (anchor && !anchors(read(to)).includes(decodeURIComponent(anchor)))
        broken.push(`${page}: ${target}: no such heading`);
    }
  }
  assert.deepStrictEqual(broken, []);
});

test('translations have the code of the original', QUICK, async () => {
  for (const page of ['README', 'docs/guide/getting-started']) {
    const original = code(read(`${page}.md`));
    assert.ok(original.length > 4, page);
    assert.deepStrictEqual(code(read(`${page}.zh-TW.md`)), original, page);
    for (const [from, to] of [
      ['', '.zh-TW'],
      ['.zh-TW', ''],
    ]) {
      const link = `](${path.basename(page)}${to}.md)`;
      assert.ok(read(`${page}${from}.md`).split('\n## ')[0].includes(link), `${page}${from}: ${link}`);
    }
  }
});

test('the index of docs/ names each page for users', QUICK, async () => {
  const index = read('docs/README.md');
  const missing = pages()
    .filter((page) => page.startsWith('docs/') && !/^docs\/(internals|decisions|README)/.test(page))
    .map((page) => path.relative('docs', page))
    .filter((page) => !index.includes(`](${page})`));
  assert.deepStrictEqual(missing, []);
});

test('getting started names the libraries that the program needs', QUICK, async (t) => {
  const said = read('docs/guide/getting-started.md');
  const dynamic = execFileSync('readelf', ['-d', t.binary], { encoding: 'utf8' });
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*?)(-[\d.]+)?\.so[.\d]*\]/g)]
    .map(([, name]) => name)
    .filter((name) => !/^(libc|libm|libgcc_s|ld-linux.*|lib[atu]b?san)$/.test(name));
  assert.ok(needed.length > 0, dynamic);
  const missing = needed.filter((name) => !new RegExp(`\\b${name}\\b`).test(said));
  assert.deepStrictEqual(missing, []);
});
