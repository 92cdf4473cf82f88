// SPDX-License-Identifier: MIT
//
// lib/suite.js: test() and what a test gets: servers and clients that go away with it.
'use strict';

const { startBackend } = require('./backend');
const { Command } = require('./cli');
const { RawClient, makePusher, onEachWorker } = require('./clients');
const { Server } = require('./server');
const { within } = require('./wait');

const tests = [];

// Registers a test. options: workers (list: it runs once for each number), quick (part of --quick),
// full (part of --full only), ms (its limit).
function test(name, options, run) {
  if (typeof options === 'function') return test(name, {}, options);
  const counts = options.workers ?? [1];
  for (const workers of counts) {
    const suffix = counts.length > 1 ? ` (workers: ${workers})` : '';
    tests.push({ ...options, name: name + suffix, workers, last: workers === counts.at(-1), run });
  }
}

// The world of one running test.
class Context {
  constructor({ binary, quick }, workers) {
    this.binary = binary;
    this.quick = quick;
    this.workers = workers;
    this.servers = [];
    this._deferred = [];
  }

  // Runs at the end, last first, whatever happens.
  defer(action) {
    this._deferred.push(action);
  }

  async server(options) {
    const server = await Server.start(this.binary, { workers: this.workers, ...options });
    this.servers.push(server);
    this._fail?.(server);
    return server;
  }

  async backend(server, options) {
    const backend = await startBackend(server, options);
    this.defer(() => backend.close());
    return backend;
  }

  async raw(server, options) {
    const client = await RawClient.open(server, options);
    this.defer(() => client.destroy());
    return client;
  }

  // A client that may be refused.
  rawUnsure(server, options) {
    const client = new RawClient(server, options);
    this.defer(() => client.destroy());
    return client;
  }

  // A client on each worker; always at least two clients, whatever the number of workers.
  async rawOnEach(server, options) {
    const appId = options?.app?.id;
    const clients = await onEachWorker(server, () => this.raw(server, options), appId);
    if (clients.length === 1) clients.push(await this.raw(server, options));
    return clients;
  }

  // Another command of the program: peal trigger, peal listen, ...
  command(args, options) {
    const command = new Command(this.binary, args, options);
    this.defer(() => command.kill());
    return command;
  }

  // Ends the test: what it needs is not there.
  skip(why) {
    throw Object.assign(new Error(why), { skipped: true });
  }

  pusher(server, options) {
    const pusher = makePusher(server, options);
    this.defer(() => pusher.disconnect());
    return pusher;
  }

  async run(body, ms) {
    const crash = new Promise((_, reject) => {
      this._fail = (server) => server.crashed().catch(reject);
    });
    try {
      await within(Promise.race([body(this), crash]), 'end of the test', ms);
      await this._cleanUp();
      for (const server of this.servers) if (server.exit === undefined) await server.stop();
    } finally {
      await this._cleanUp();
      for (const server of this.servers) server.kill();
    }
  }

  async _cleanUp() {
    for (const action of this._deferred.splice(0).reverse()) await action();
  }
}

module.exports = { Context, test, tests };
