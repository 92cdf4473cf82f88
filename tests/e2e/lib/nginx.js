// SPDX-License-Identifier: MIT
//
// lib/nginx.js: a real Nginx in front of a server: its own configuration, folder and port; one
// process in the foreground, ended by its pid.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { makeFolder } = require('./server');
const { poll, within } = require('./wait');

const PROGRAMS = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'];

// Connections to the upstream are kept and shared by all clients: what is left over of one request
// would become the beginning of somebody else's.
function configuration(folder, port, server) {
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/pid;
error_log ${folder}/error.log; events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream peal { server 127.0.0.1:${server.port}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 4m;
    location / {
      proxy_pass http://peal; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }
  }
}
`;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true) || socket.destroy());
    socket.on('error', () => resolve(false));
  });

const findNginx = () => PROGRAMS.find((file) => fs.existsSync(file));

// Runs nginx with `folder`/conf until the test ends, which removes the folder; resolves when it listens.
async function runNginx(t, program, folder, port) {
  const child = spawn(program, ['-p', folder, '-c', `${folder}/conf`, '-e', `${folder}/error.log`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (bytes) => (stderr += bytes));
  const ended = new Promise((resolve) => child.on('close', resolve));
  t.defer(async () => {
    child.kill('SIGTERM');
    await within(ended, 'end of Nginx').catch(() => child.kill('SIGKILL'));
    fs.rmSync(folder, { recursive: true, force: true });
  });
  await poll(async () => {
    if (child.exitCode !== null) throw new Error(`Nginx ended: ${stderr}`);
    return isListening(port);
  }, 'Nginx that listens');
}

// Resolves to what Tcp, RawClient and api take for a server.
async function startNginx(t, server) {
  const program = findNginx();
  if (!program) t.skip('Nginx is not installed');
  const folder = makeFolder();
  const port = await freePort();
  fs.writeFileSync(path.join(folder, 'conf'), configuration(folder, port, server));
  await runNginx(t, program, folder, port);
  return { host: '127.0.0.1', port, app: server.app };
}

module.exports = { findNginx, freePort, isListening, runNginx, startNginx };
