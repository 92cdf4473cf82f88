// SPDX-License-Identifier: MIT
//
// The last minutes of the server's samples (channel `stats`), one point a second over all workers.
// Counters come as sums since the start; what is kept are differences per second. Workers sample at
// moments of their own: a point is what each said last when the first one speaks.
import { reactive, ref } from 'vue';
import { Counts, quantile } from './histogram.js';
import { listenToStats } from './stream.js';

const KEPT_S = 300;
const WINDOW = 60; // points, of the p99 that stands as a figure
const COUNTERS = ['messages_in', 'messages_out', 'api_messages', 'client_messages', 'refused'];

export const workers = reactive([]); // the last sample of each worker
export const memory = ref(null); // of the process
export const points = ref([]); // { time (s), connections, messages_in (per second), p99_us, … }
export const p99 = ref(null); // of the last minute, µs; null: nothing was delivered

const before = new Map(); // worker -> the sample before

// A counter that went back belongs to a new process. Of a first sample no rate is known.
function since(last, sample) {
  const seconds = last ? (sample.time - last.time) / 1000 : 0;
  const fresh = !last || COUNTERS.some((name) => sample[name] < last[name]);
  const rate = (name) => (fresh || seconds <= 0 ? 0 : (sample[name] - last[name]) / seconds);
  return {
    fresh,
    perSecond: Object.fromEntries(COUNTERS.map((name) => [name, rate(name)])),
    delivery: fresh ? null : new Counts(sample.delivery_us).minus(last.delivery_us),
  };
}

const sum = (list, get) => list.reduce((total, one) => total + get(one), 0);
const percent = (sample) => (sample.wall_ns > 0 ? (100 * sample.cpu_ns) / sample.wall_ns : 0);

// Only when each worker has told what it did since it told something.
const isWhole = () => Array.from(workers).every((one) => one && !one.fresh);

function makePoint(time) {
  const delivery = Counts.sum(workers.map((one) => one.delivery));
  return {
    time,
    connections: sum(workers, (one) => one.connections),
    pending_bytes: workers[0].pending_bytes_all,
    lag_us: Math.max(...workers.map((one) => one.lag_us)),
    cpu: workers.map(percent),
    delivery,
    p99_us: quantile(delivery, 0.99),
    resident: memory.value?.resident ?? null,
    ...Object.fromEntries(COUNTERS.map((name) => [name, sum(workers, (one) => one.perSecond[name])])),
  };
}

function put(point) {
  const list = points.value.filter((one) => one.time < point.time).slice(1 - KEPT_S);
  points.value = [...list, point];
  p99.value = quantile(Counts.sum(points.value.slice(-WINDOW).map((one) => one.delivery)), 0.99);
}

function take(sample) {
  if (sample.workers !== workers.length) workers.length = sample.workers;
  workers[sample.worker] = { ...sample, ...since(before.get(sample.worker), sample) };
  before.set(sample.worker, sample);
  if (sample.worker !== 0) return;
  memory.value = sample.memory;
  if (isWhole()) put(makePoint(Math.floor(sample.time / 1000)));
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
    workers.length = 0;
  };
}
