// SPDX-License-Identifier: MIT
//
// lib/wait.js: waiting for things that happen, always with a limit. No test sleeps to let the
// server finish something: it waits for what it wants to see.
'use strict';

// Generous, since sanitizer builds and busy machines are slow; a passing test never waits so long.
const LIMIT_MS = 10_000;

// The promise's value; rejects after `ms`, naming `what` was awaited.
function within(promise, what, ms = LIMIT_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const text = typeof what === 'function' ? what() : what;
      reject(new Error(`no ${text} within ${ms} ms`));
    }, ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks again and again until `ask()` gives something truthy, and returns that.
async function poll(ask, what, ms = LIMIT_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (Date.now() > end) {
      const text = typeof what === 'function' ? what() : what;
      throw new Error(`no ${text} within ${ms} ms`);
    }
    await pause(15);
  }
}

// A list that can be awaited: what came, in order, and who waits for what.
class Inbox {
  constructor(describe) {
    this.all = []; // everything that ever came
    this.unread = []; // what no take() has taken yet
    this._waiting = new Set();
    this._describe = describe;
    this._ended = null;
  }

  push(item) {
    this.all.push(item);
    for (const waiter of this._waiting) {
      if (!waiter.match(item)) continue;
      this._waiting.delete(waiter);
      waiter.resolve(item);
      return;
    }
    this.unread.push(item);
  }

  // No more will come: whoever waits, or will, is told why.
  end(why) {
    this._ended = why;
    for (const waiter of this._waiting) waiter.reject(new Error(`no ${waiter.what}: ${why}`));
    this._waiting.clear();
  }

  // Takes the first unread item that matches, or waits for it.
  take(match, what, ms) {
    const at = this.unread.findIndex(match);
    if (at >= 0) return Promise.resolve(this.unread.splice(at, 1)[0]);
    if (this._ended !== null) return Promise.reject(new Error(`no ${what}: ${this._ended}`));
    const waiter = { match, what };
    const promise = new Promise((resolve, reject) => Object.assign(waiter, { resolve, reject }));
    this._waiting.add(waiter);
    const tell = () => `${what} (unread: ${this._describe(this.unread).slice(0, 600)})`;
    return within(promise, tell, ms).finally(() => this._waiting.delete(waiter));
  }
}

module.exports = { LIMIT_MS, Inbox, pause, poll, within };
