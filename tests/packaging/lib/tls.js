// SPDX-License-Identifier: MIT
//
// lib/tls.js: a certificate for one test.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);

// A self-signed certificate for `host` and 127.0.0.1 in `folder`; resolves to { cert, key } (paths)
// and `pem`, its text.
async function makeCertificate(folder, host) {
  const cert = path.join(folder, 'cert.pem');
  const key = path.join(folder, 'key.pem');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:127.0.0.1`],
    ...['-keyout', key, '-out', cert],
  ]);
  return { cert, key, pem: fs.readFileSync(cert, 'utf8') };
}

module.exports = { makeCertificate };
