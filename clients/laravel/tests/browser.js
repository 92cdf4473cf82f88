// SPDX-License-Identifier: MIT
//
// browser.js URL: uses the dashboard at URL in Chromium. Says "restart now" when the server is to be
// restarted, and ends with 0 when all was as it should be.
'use strict';

const { chromium } = require(process.env.PLAYWRIGHT);

const CHANNELS = ['orders', 'private-user.1', 'presence-room'];

async function listen(page, channel) {
  await page.fill('#listen input', channel);
  await page.click('#listen button');
  await page.locator('#log li', { hasText: channel }).first().waitFor();
}

async function send(page, data) {
  await page.fill('#event [name=channel]', 'private-user.1');
  await page.fill('#event [name=event]', 'hello');
  await page.fill('#event [name=data]', data);
  await page.click('#event button');
}

async function use(page, url) {
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  await page.getByText('connected', { exact: true }).waitFor();
  for (const channel of CHANNELS) await listen(page, channel);
  await page.locator('#channels tr', { hasText: 'presence-room' }).waitFor();
  await send(page, '{"text": "新訂單 <b>7</b>"}');
  await page.locator('#event-result.good').waitFor();
  await page.locator('#log pre', { hasText: '新訂單 <b>7</b>' }).waitFor();
  await send(page, '{no json');
  await page.locator('#event-result.bad').waitFor();
  console.log('restart now');
  await page.getByText(/^lost/).waitFor();
  await page.getByText('connected', { exact: true }).waitFor();
  await page.locator('#log').evaluate((log) => log.replaceChildren());
  for (const channel of CHANNELS)
    await page.locator('#channels tr', { hasText: channel }).waitFor();
  await send(page, '{"text": "after the restart"}');
  await page.locator('#log pre', { hasText: 'after the restart' }).waitFor();
  if (errors.length > 0) throw new Error(errors.join('\n'));
}

async function main() {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    await use(page, process.argv[2]);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
