// SPDX-License-Identifier: MIT
//
// Histograms as the server has them (src/base/histo.h): place i counts values up to 2^i, the last one
// all others.

export class Counts {
  constructor(list = []) {
    this.list = list;
  }

  minus(list) {
    return new Counts(this.list.map((n, at) => n - (list[at] ?? 0)));
  }

  static sum(all) {
    const lists = all.filter(Boolean).map((one) => one.list);
    const length = Math.max(0, ...lists.map((list) => list.length));
    return new Counts(
      Array.from({ length }, (_, at) => lists.reduce((total, list) => total + (list[at] ?? 0), 0)),
    );
  }
}

// The value under which a share of all lies; null without values. Within a place they are taken to be
// spread evenly, as Prometheus does.
export function quantile(counts, share) {
  const total = counts.list.reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  let before = 0;
  for (const [at, n] of counts.list.entries()) {
    if (before + n < share * total) {
      before += n;
      continue;
    }
    const low = at === 0 ? 0 : 2 ** (at - 1);
    return at === counts.list.length - 1 ? low : low + (2 ** at - low) * ((share * total - before) / n);
  }
  return null;
}
