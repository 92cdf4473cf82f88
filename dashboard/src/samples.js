// SPDX-License-Identifier: MIT
//
// The last minutes of the server's samples (channel `stats`), one point a second over all workers.
// Counters come as sums since the start; what is kept are differences per second.
import { reactive, ref } from 'vue';
import { listenToStats } from './stream.js';

const KEPT_S = 300;
const COUNTERS = ['messages_in', 'messages_out', 'api_messages', 'client_messages', 'refused'];

export const workers = reactive([]); // the last sample of each worker
export const points = ref([]); // { time (s), connections, messages_in (per second), … }

const before = new Map(); // worker -> the sample before

function rates(sample) {
  const last = before.get(sample.worker);
  before.set(sample.worker, sample);
  const seconds = last ? (sample.time - last.time) / 1000 : 0;
  const rate = (name) =>
    seconds > 0 && sample[name] >= last[name] ? (sample[name] - last[name]) / seconds : 0;
  return Object.fromEntries(COUNTERS.map((name) => [name, rate(name)]));
}

// What belongs to the same second is one point: sums, and of the lag the largest.
function put(sample, perSecond) {
  const time = Math.floor(sample.time / 1000);
  const list = points.value;
  let point = list.at(-1);
  if (!point || point.time < time) {
    point = { time, connections: 0, lag_ms: 0, pending_bytes: 0, cpu: [], of: new Set() };
    for (const name of COUNTERS) point[name] = 0;
    list.push(point);
    if (list.length > KEPT_S) list.shift();
  }
  if (point.of.has(sample.worker)) return;
  point.of.add(sample.worker);
  point.connections += sample.connections;
  point.pending_bytes += sample.pending_bytes;
  point.lag_ms = Math.max(point.lag_ms, sample.lag_ms);
  point.cpu[sample.worker] = sample.wall_ns > 0 ? (100 * sample.cpu_ns) / sample.wall_ns : 0;
  for (const name of COUNTERS) point[name] += perSecond[name];
}

function take(sample) {
  if (sample.workers !== workers.length) workers.length = sample.workers;
  const perSecond = rates(sample);
  workers[sample.worker] = { ...sample, perSecond };
  put(sample, perSecond);
  // A second is shown when all its workers have told; an array of its own makes the charts notice.
  if (points.value.at(-1).of.size === sample.workers) points.value = [...points.value];
}

let users = 0;
let stop = null;

// Samples are asked for while somebody looks at them.
export function watchSamples() {
  users++;
  if (users === 1) stop = listenToStats(take);
  return () => {
    users--;
    if (users > 0) return;
    stop();
    before.clear();
  };
}
