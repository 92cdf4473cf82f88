// SPDX-License-Identifier: MIT
//
// lib/site.js: a real nginx with one of the files of packaging/nginx/, as it is but for the port,
// the names and the paths that its users change as well.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { makeFolder } = require('../../e2e/lib/server');
const { findNginx, freePort, runNginx } = require('../../e2e/lib/nginx');
const { makeCertificate } = require('./tls');

const FOLDER = path.resolve(__dirname, '../../../packaging/nginx');
const HOST = 'localhost';

function adapt(text, { port, server, certificate, root }) {
  const pairs = [
    [/listen 443 ssl;/, `listen 127.0.0.1:${port} ssl;`],
    [/ *listen \[::\]:443 ssl;\n/, ''],
    [/server 127\.0\.0\.1:6001;/, `server 127.0.0.1:${server.port};`],
    [/server_name \S+;/, `server_name ${HOST};`],
    [/ssl_certificate +\S+;/, `ssl_certificate ${certificate.cert};`],
    [/ssl_certificate_key +\S+;/, `ssl_certificate_key ${certificate.key};`],
    ...(text.includes('root ') ? [[/root \S+;/, `root ${root};`]] : []),
    ...(text.includes('include fastcgi_params') ? [[/ *include fastcgi_params;\n/, '']] : []),
  ];
  for (const [pattern, replacement] of pairs) {
    if (!pattern.test(text)) throw new Error(`the file has no ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  return text;
}

function main(folder, site) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n');
  return `daemon off; master_process off; pid ${folder}/pid;
error_log ${folder}/error.log; events { worker_connections 512; }
http {
  access_log off;
${temporary}
${site}
}
`;
}

// Resolves to { host, port, pem, ca, app, root }, for clients that use TLS. options: edit (changes the
// text of the configuration, to break it), host (in the certificate).
async function startSite(t, file, server, { edit = (text) => text, host = HOST } = {}) {
  const program = findNginx();
  if (!program) t.skip('nginx is not installed');
  const folder = makeFolder();
  const port = await freePort();
  const certificate = await makeCertificate(folder, host);
  const root = path.join(folder, 'public');
  fs.mkdirSync(root);
  const text = fs.readFileSync(path.join(FOLDER, file), 'utf8');
  const site = edit(adapt(text, { port, server, certificate, root }));
  fs.writeFileSync(path.join(folder, 'conf'), main(folder, site));
  await runNginx(t, program, folder, port);
  return { host: HOST, port, pem: certificate.pem, ca: certificate.cert, app: server.app, root };
}

module.exports = { startSite };
