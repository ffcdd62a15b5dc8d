// Debian's Chromium, driven by playwright-core.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { patienceMs } from './server.mjs';

const executablePath = '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage'];

/// Starts a browser with a profile of its own.
/// Returns {context, close(), troubles}; troubles are what its console and the
/// content security policy complained about.
export async function startBrowser(options = {}) {
  if (!fs.existsSync(executablePath)) {
    throw new Error(`${executablePath} is missing: run ./dev bootstrap`);
  }
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-chromium-'));
  const context = await chromium.launchPersistentContext(profile,
    { executablePath, args, headless: true, timeout: 3 * patienceMs, ...options });
  context.setDefaultTimeout(patienceMs);
  const troubles = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (line) => {
      if (line.type() === 'error') troubles.push(line.text());
    });
  });
  const close = async () => {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { context, close, troubles };
}

/// Opens the page in a new tab, as somebody, and waits until it is connected.
export async function openTab(browser, server, name, room = 'lobby') {
  const page = await browser.context.newPage();
  await page.goto(`${server.http}/#${room}`);
  await page.fill('#name', name);
  await connected(page);
  return page;
}

/// Waits until the page says that it is connected.
export const connected = (page) =>
  page.waitForSelector('#state[data-state="connected"]', { timeout: 3 * patienceMs });

/// Says something in the page.
export async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/// Returns what the page shows once there are `count` messages.
export async function messages(page, count) {
  await page.locator('.message').nth(count - 1).waitFor();
  return page.locator('.message').evaluateAll((items) => items.map((item) => ({
    name: item.querySelector('.name').textContent,
    sender: item.querySelector('.sender').textContent,
    text: item.querySelector('.said').textContent,
    mine: item.classList.contains('mine'),
  })));
}
