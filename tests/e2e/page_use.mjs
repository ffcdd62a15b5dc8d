// Whom the page is for: by keyboard, on a phone, in light and in darkness.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connected, messages, openTab, say, startBrowser } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

const config = fileURLToPath(new URL('../../cmd/web/demo.conf', import.meta.url));
const focusable = 'a[href], button, input, textarea, [tabindex]';
let server;
let browser;
let page;
before(async () => {
  server = await startServer(['--config', config]);
  browser = await startBrowser();
  page = await openTab(browser, server, 'Ada');
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const focused = () => page.evaluate(() => document.activeElement.id);

/// Presses Tab until an element has the focus; all elements are few.
async function tabTo(id, key = 'Tab') {
  for (let presses = 0; presses < 40; ++presses) {
    await page.keyboard.press(key);
    if (await focused() === id) return;
  }
  assert.fail(`${key} does not lead to #${id}`);
}

test('by keyboard alone one talks, joins a room, and comes back', async () => {
  await page.reload();
  await connected(page);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'skip', 'the first stop');
  assert.ok((await page.locator('#skip').boundingBox()).y >= 0, 'it can be seen');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'text');
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two lines');
  await page.keyboard.press('Enter');
  assert.equal((await messages(page, 1))[0].text, 'by keyboard\ntwo lines');
  await tabTo('room-name', 'Shift+Tab');
  await page.keyboard.type('side');
  await page.keyboard.press('Enter');
  assert.equal(await page.textContent('#room-title'), 'side');
  assert.equal(await focused(), 'text', 'ready to talk');
  await page.keyboard.press('Alt+ArrowUp');
  assert.equal(await page.textContent('#room-title'), 'lobby');
  await page.keyboard.press('Alt+ArrowUp');
  assert.equal(await page.textContent('#room-title'), 'side', 'around the corner');
  await tabTo('leave', 'Shift+Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.textContent('#room-title'), 'lobby');
  assert.equal(await focused(), 'text');
});

test('what has the focus shows it, and all of it has a name', async () => {
  const bad = await page.evaluate((selector) => {
    const result = [];
    for (const item of document.querySelectorAll(selector)) {
      if (!item.checkVisibility({ visibilityProperty: true })) continue;
      const label = item.labels?.[0]?.textContent ?? item.textContent;
      const name = item.getAttribute('aria-label') ?? label;
      if (!name.trim()) result.push(`no name: ${item.outerHTML}`);
      item.focus({ focusVisible: true });
      if (getComputedStyle(item).outlineStyle === 'none') result.push(`no focus: ${item.id}`);
    }
    return result;
  }, focusable);
  assert.deepEqual(bad, []);
});

test('what others say is read aloud, once, and what one says oneself is not', async () => {
  const other = await openTab(browser, server, 'Bob');
  await say(other, 'listen');
  await page.locator('#announce', { hasText: /^Bob: listen$/ }).waitFor({ state: 'attached' });
  assert.equal(await page.getAttribute('#announce', 'aria-live'), 'polite');
  await say(page, 'I do');
  await messages(other, 3);
  await other.locator('#announce', { hasText: /^Ada: I do$/ }).waitFor({ state: 'attached' });
  assert.equal(await page.textContent('#announce'), 'Bob: listen');
  await other.close();
});

/// Returns what is wider than the screen.
const tooWide = () => page.evaluate(() => {
  const width = document.documentElement.clientWidth;
  const all = [...document.querySelectorAll('body *')].filter((item) =>
    item.checkVisibility({ visibilityProperty: true }) && !item.closest('.hidden')
    && item.getBoundingClientRect().right > width + 0.5);
  return [document.documentElement.scrollWidth <= width ? '' : 'the page scrolls',
    ...all.map((item) => `${item.tagName} ${item.id} ${item.className}`)].filter(Boolean);
});

for (const [width, height] of [[320, 568], [390, 844], [768, 1024], [1280, 800]]) {
  test(`it fits ${width} by ${height}`, async () => {
    await page.setViewportSize({ width, height });
    await say(page, `${'wide '.repeat(30)}${'w'.repeat(300)}`);
    await page.fill('#text', 'Something to send');
    assert.deepEqual(await tooWide(), []);
    assert.ok(await page.evaluate(() =>
      document.documentElement.scrollHeight <= document.documentElement.clientHeight));
    const box = await page.locator('#send').boundingBox();
    assert.ok(box.y + box.height <= height, 'one can send');
    await page.fill('#text', '');
  });
}

test('on a phone, rooms and people are panels', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok(await page.locator('#room-name').isHidden());
  await page.click('#show-rooms');
  assert.equal(await page.getAttribute('#show-rooms', 'aria-expanded'), 'true');
  assert.ok(await page.locator('#room-name').isVisible());
  assert.deepEqual(await tooWide(), []);
  await page.keyboard.press('Escape');
  assert.ok(await page.locator('#room-name').isHidden());
  assert.equal(await focused(), 'show-rooms', 'the focus is back');
  await page.click('#show-people');
  assert.ok(await page.locator('#people').isVisible());
  await page.click('#shade', { position: { x: 5, y: 300 } });
  assert.ok(await page.locator('#people').isHidden());
  await page.click('#show-rooms');
  await page.click('[data-room="lobby"]');
  assert.ok(await page.locator('#room-name').isHidden(), 'who has chosen sees the room');
});

const ground = () => page.evaluate(() => {
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data[0];
});

test('light and dark are the system\'s, until somebody chooses', async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok(await ground() < 64);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.ok(await ground() > 192);
  await page.click('#theme');
  assert.ok(await ground() < 64, 'chosen');
  assert.equal(await page.getAttribute('#theme', 'aria-label'), 'Use light colours');
  await page.reload();
  await connected(page);
  assert.ok(await ground() < 64, 'and kept');
  await page.click('#theme');
  assert.ok(await ground() > 192);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok(await ground() < 64, 'the system\'s again');
});

test('nothing was refused by the content security policy, nothing failed', () => {
  assert.deepEqual(browser.troubles, []);
});
