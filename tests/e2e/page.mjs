// The page in a real browser: two tabs chat with each other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connected, messages, openTab, say, startBrowser } from './support/browser.mjs';
import { connect, endAll } from './support/client.mjs';
import { startServer } from './support/server.mjs';

let server;
let browser;
let ada;
let bob;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  ada = await openTab(browser, server, 'Ada');
  bob = await openTab(browser, server, 'Bob');
});
after(async () => {
  endAll();
  await browser?.close();
  await server?.stop();
});

const me = (page) => page.textContent('#me');

test('two tabs chat, and each sees who said what', async () => {
  const [adaId, bobId] = [await me(ada), await me(bob)];
  assert.ok(adaId && bobId && adaId !== bobId);
  await say(ada, 'Hello, is anybody there?');
  await messages(bob, 1);
  await say(bob, 'I am. <b>Grüße</b> 🎭');
  for (const page of [ada, bob]) {
    const [first, second] = await messages(page, 2);
    assert.deepEqual([first.sender, first.text], [adaId, 'Hello, is anybody there?']);
    assert.deepEqual([second.sender, second.text], [bobId, 'I am. <b>Grüße</b> 🎭']);
    assert.deepEqual([first.mine, second.mine], [page === ada, page === bob]);
    assert.match(first.name, page === ada ? /^Ada \(you\)$/ : /^Ada$/);
    assert.match(second.name, page === bob ? /^Bob \(you\)$/ : /^Bob$/);
  }
});

test('each sees the round trip of a request, live and at a click', async () => {
  for (const page of [ada, bob]) {
    await page.locator('#trip', { hasText: /^\d+(\.\d+)? ms$/ }).waitFor();
    const count = () => page.getAttribute('#trip-line', 'points')
      .then((points) => points.split(' ').length);
    const before = await count();
    await page.click('#measure');
    await page.waitForFunction((n) =>
      document.getElementById('trip-line').getAttribute('points').split(' ').length > n, before);
  }
});

test('a room is a topic of its own; others show what is unread', async () => {
  await ada.fill('#room-name', 'Green Room');
  await ada.press('#room-name', 'Enter');
  assert.equal(await ada.textContent('#topic'), 'chat/Green-Room');
  await ada.locator('#empty').waitFor();
  await say(bob, 'still in the lobby');
  await ada.locator('[data-room="lobby"] .unread', { hasText: '1' }).waitFor();
  await say(ada, 'only here');
  assert.equal((await messages(ada, 1))[0].text, 'only here');
  await ada.click('[data-room="lobby"]');
  assert.deepEqual((await messages(ada, 3)).at(-1).text, 'still in the lobby');
  assert.equal(await ada.locator('.unread').count(), 0);
  assert.equal((await messages(bob, 3)).length, 3);
});

test('whatever others publish to a room is shown, and harms nothing', async () => {
  const other = await connect(server);
  const before = (await messages(bob, 3)).length;
  const payloads = ['plain text', { text: 7 }, null, [1, { a: true }], new Uint8Array(3),
    { text: 'x'.repeat(50000) }, { name: '<img src=x onerror=alert(1)>', text: '</li>' }];
  for (const payload of payloads) await other.ok('publish', 'chat/lobby', payload);
  const shown = (await messages(bob, before + payloads.length)).slice(before);
  assert.deepEqual(shown.slice(0, 4).map(({ text }) => text),
    ['plain text', '{"text":7}', 'null', '[1,{"a":true}]']);
  assert.ok(shown.every(({ sender, mine }) => sender === other.id && !mine));
  assert.equal(shown.at(-1).name, '<img src=x onerror=alert(1)>'.slice(0, 32));
});

test('after a restart of the server they are back, and chat on', async () => {
  const { port } = server;
  assert.equal((await server.stop()).code, 0);
  await ada.waitForSelector('#state[data-state="retry_pending"], #state[data-state="connecting"]');
  assert.ok(await ada.isDisabled('#send'));
  server = await startServer([], { listen: `127.0.0.1:${port}` });
  for (const page of [ada, bob]) {
    if (await page.isVisible('#reconnect')) {
      await page.click('#reconnect', { timeout: 500 }).catch(() => {}); // it was quicker
    }
    await connected(page);
  }
  const bobId = await me(bob);
  const before = await ada.locator('.message').count();
  await say(bob, 'and we are back');
  const last = (await messages(ada, before + 1)).at(-1);
  assert.deepEqual([last.sender, last.text], [bobId, 'and we are back']);
  assert.ok(await ada.locator('.note').count() > 0, 'the gap is told');
});

test('nothing was refused by the content security policy, nothing failed', () => {
  const serious = browser.troubles.filter((text) =>
    !/WebSocket connection to .* failed/.test(text)); // while it was down
  assert.deepEqual(serious, []);
});

test('it fits a phone', async () => {
  await bob.setViewportSize({ width: 360, height: 640 });
  const { wide, high } = await bob.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    high: document.documentElement.scrollHeight,
  }));
  assert.ok(wide <= 360, `${wide} wide`);
  assert.ok(high <= 640, `${high} high`);
  assert.ok(await bob.locator('#send').isVisible());
});
