// SPDX-License-Identifier: MIT
//
// Numbers, times and data as people read them.

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const few = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export function count(value) {
  if (value == null || Number.isNaN(value)) return '–';
  return Math.abs(value) < 10 ? few.format(value) : whole.format(value);
}

export function bytes(value) {
  if (value == null) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return `${at === 0 ? whole.format(value) : few.format(value)} ${units[at]}`;
}

export function micros(value) {
  if (value == null) return '–';
  if (value < 1000) return `${whole.format(value)} µs`;
  return value < 1e6 ? `${few.format(value / 1000)} ms` : `${few.format(value / 1e6)} s`;
}

export function clock(ms) {
  const date = new Date(ms);
  const text = date.toLocaleTimeString(undefined, { hour12: false });
  return `${text}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

// Of a time axis: seconds since 1970, and how far apart the marks are.
export function tick(s, step) {
  const date = new Date(s * 1000);
  if (step >= 86_400) return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  const seconds = step < 60 ? { second: '2-digit' } : {};
  return date.toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    ...seconds,
  });
}

export const moment = (ms) => new Date(ms).toLocaleString(undefined, { hour12: false });

export function since(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

// Data as it was sent, indented where it is JSON; a text that holds JSON is shown as that JSON.
export function pretty(data) {
  if (data == null) return '';
  if (typeof data !== 'string') return JSON.stringify(data, null, 2);
  try {
    return JSON.stringify(JSON.parse(data), null, 2);
  } catch {
    return data;
  }
}

// '' where it is JSON, else what is wrong with it, as the browser says.
export function jsonProblem(text) {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error.message;
  }
}
