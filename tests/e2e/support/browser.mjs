// Debian's Chromium, driven by playwright-core.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { patienceMs, until } from './server.mjs';

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
  await page.goto(`${server.http}/#${room}`, { timeout: 3 * patienceMs });
  await page.fill('#name', name);
  await page.press('#name', 'Enter');
  await connected(page);
  return page;
}

/// Waits until the page says that it is connected.
export const connected = (page) =>
  page.waitForSelector('#state[data-state="connected"]', { timeout: 3 * patienceMs });

/// Waits until the page is connected again, and does not let it wait for long.
export async function reconnected(page) {
  await until(async () => {
    if (await page.getAttribute('#state', 'data-state') === 'connected') return true;
    await page.evaluate(() => {
      const button = document.getElementById('reconnect');
      if (!button.hidden) button.click();
    });
    return false;
  }, 'the page is connected again', 3 * patienceMs);
}

/// Says something in the page.
export async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/// Returns what the page shows now, unsent messages included.
export const shown = (page) => page.locator('.message').evaluateAll((items) =>
  items.map((item) => ({
    name: item.querySelector('.name').textContent,
    sender: item.dataset.sender,
    text: item.querySelector('.said').textContent,
    mine: item.classList.contains('mine'),
    sent: !item.matches('.sending, .failed'),
  })));

/// Returns what the page shows once there are `count` messages, all sent.
export async function messages(page, count) {
  let items;
  await until(async () => {
    items = await shown(page);
    return items.length >= count && items.every(({ sent }) => sent);
  }, `${count} messages`);
  return items;
}

/// Returns the names of who the page says is there, once `condition` takes them.
export async function people(page, condition) {
  let names;
  await until(async () => {
    names = await page.locator('#people .person-name').allTextContents();
    return condition(names);
  }, 'the people that are there');
  return names;
}
