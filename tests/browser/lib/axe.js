// SPDX-License-Identifier: MIT
//
// lib/axe.js: what axe-core finds wrong with a page, for people who cannot see it, or hear, or point.
'use strict';

const axe = require('axe-core');

// A line for each violation.
async function findings(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target}: ${failureSummary}`),
  );
}

module.exports = { findings };
