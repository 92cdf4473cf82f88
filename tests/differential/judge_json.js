// SPDX-License-Identifier: MIT
//
// judge_json.js: what Node and PHP think of a text, and where they may differ from us.
'use strict';

const { spawnSync } = require('node:child_process');

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// ignoreBOM keeps the mark in the text, where JSON.parse refuses it as we do.
function node(data) {
  try {
    JSON.parse(decoder.decode(data));
    return true;
  } catch {
    return false;
  }
}

const PHP = `
while (($line = fgets(STDIN)) !== false) {
    json_decode(hex2bin(trim($line)), true, 100000);
    echo json_last_error() === JSON_ERROR_NONE ? 'y' : 'n';
}`;

// A verdict for each; null where there is no PHP.
function php(list) {
  const input = list.map((one) => `${one.data.toString('hex')}\n`).join('');
  const run = spawnSync('php', ['-n', '-r', PHP], { input, maxBuffer: 1 << 26 });
  if (run.error || run.status !== 0) {
    // Distributions build json into PHP 8; where it is missing or PHP is, there is no second judge.
    return null;
  }
  return [...run.stdout.toString()].map((letter) => letter === 'y');
}

const deep = (ours) => /nested too deeply/.test(ours);
const lone = (text) =>
  /\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})/.test(text) ||
  /(^|[^\\])(\\\\)*\\u[dD][c-fC-F][0-9a-fA-F]{2}/.test(text);
const capital = (text) => {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""');
  return /true|false|null/i.test(bare) && /[TRUEFALSN]/.test(bare);
};

// Why a judge's verdict is not ours; null: there is no reason, the test fails. ours: our line.
function explain(judge, ours, data) {
  const text = data.toString('latin1');
  const accepted = ours === 'yes';
  if (!accepted && deep(ours)) return 'our nesting limit is 512';
  if (judge === 'php' && accepted && lone(text)) return 'PHP refuses escaped lone surrogates';
  if (judge === 'php' && !accepted && capital(text)) return 'PHP takes words in capitals';
  return null;
}

module.exports = { explain, node, php };
