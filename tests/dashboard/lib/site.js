// SPDX-License-Identifier: MIT
//
// lib/site.js: a site of somebody else, on another port of this machine, with an empty page.
'use strict';

const http = require('node:http');

// Resolves to { port, found }: what its pages post to /found is kept.
async function startSite(t) {
  const site = { found: [] };
  const listener = http.createServer((request, response) => {
    let text = '';
    request.on('data', (bytes) => (text += bytes));
    request.on('end', () => {
      if (request.url.startsWith('/found')) site.found.push(text);
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end('<!doctype html><title>Win a phone</title><body>');
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.defer(() => {
    listener.closeAllConnections();
    return new Promise((resolve) => listener.close(resolve));
  });
  site.port = listener.address().port;
  return site;
}

module.exports = { startSite };
