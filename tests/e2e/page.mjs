// The page in a real browser, on a server as './dev run' starts it: two people
// chat with each other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  connected, messages, openTab, people, say, shown, startBrowser,
} from './support/browser.mjs';
import { connect, endAll } from './support/client.mjs';
import { startServer, until } from './support/server.mjs';

const config = fileURLToPath(new URL('../../cmd/web/demo.conf', import.meta.url));
let server;
let browser;
let ada;
let bob;
before(async () => {
  server = await startServer(['--config', config]);
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
const texts = (items) => items.map(({ text }) => text);

test('two people chat, and each sees who said what', async () => {
  const [adaId, bobId] = [await me(ada), await me(bob)];
  assert.ok(adaId && bobId && adaId !== bobId);
  await say(ada, 'Hello, is anybody there?');
  await messages(bob, 1);
  await say(bob, 'I am. <b>Grüße</b> 🎭\nTwo lines.');
  for (const page of [ada, bob]) {
    const [first, second] = await messages(page, 2);
    assert.deepEqual([first.name, first.sender, first.text],
      ['Ada', adaId, 'Hello, is anybody there?']);
    assert.deepEqual([second.name, second.sender, second.text],
      ['Bob', bobId, 'I am. <b>Grüße</b> 🎭\nTwo lines.']);
    assert.deepEqual([first.mine, second.mine], [page === ada, page === bob]);
  }
});

test('everybody sees who is there, by name, and who has gone', async () => {
  const both = (names) => names.includes('Ada') && names.includes('Bob') && names.length === 2;
  await people(ada, both);
  assert.equal((await people(bob, both))[0], 'Bob', 'who looks stands first');
  const carol = await openTab(browser, server, 'Carol');
  await people(carol, (names) => names.length === 3 && both(names.slice(1).sort()));
  await people(ada, (names) => names.includes('Carol'));
  assert.equal(await ada.textContent('#people-count'), '3');
  await carol.fill('#name', 'Caroline');
  await carol.press('#name', 'Enter');
  await people(bob, (names) => names.includes('Caroline') && !names.includes('Carol'));
  await carol.close();
  await people(ada, both);
});

test('who types is shown until it is said, and is no history', async () => {
  await bob.locator('#text').pressSequentially('Hm');
  await ada.locator('#typing', { hasText: 'Bob is typing…' }).waitFor();
  assert.equal(await bob.textContent('#typing'), '', 'not to oneself');
  await bob.press('#text', 'Enter');
  await messages(ada, 3);
  assert.equal(await ada.textContent('#typing'), '');
  await bob.locator('#text').pressSequentially('No');
  await ada.locator('#typing', { hasText: 'Bob is typing…' }).waitFor();
  await bob.fill('#text', '');
  await ada.locator('#typing', { hasText: /^$/ }).waitFor({ state: 'attached' });
  const other = await connect(server);
  const { events } = await other.ok('request', 'callboard.history', { topic: 'chat-live/lobby' });
  assert.deepEqual(events, []);
});

test('what was said is there after a reload, once and in order', async () => {
  const wanted = texts(await messages(bob, 3));
  await bob.reload();
  await connected(bob);
  const again = await messages(bob, 3);
  assert.deepEqual(texts(again), wanted);
  assert.deepEqual(again.map(({ mine }) => mine), [false, true, true], 'one knows one\'s own');
  assert.equal(await bob.inputValue('#name'), 'Bob');
});

test('a room is a topic of its own; others show what is unread', async () => {
  await ada.fill('#text', 'a draft');
  await ada.fill('#room-name', ' #Green  Room ');
  await ada.press('#room-name', 'Enter');
  assert.equal(await ada.textContent('#topic'), 'chat/Green-Room');
  assert.equal(await ada.inputValue('#text'), '');
  await ada.locator('#empty').waitFor();
  const before = (await messages(bob, 3)).length;
  await say(bob, 'still in the lobby');
  await ada.locator('[data-room="lobby"] .unread', { hasText: '1' }).waitFor();
  assert.equal(await ada.title(), '(1) #Green-Room · callboard');
  await say(ada, 'only here');
  assert.deepEqual(texts(await messages(ada, 1)), ['only here']);
  await ada.click('[data-room="lobby"]');
  assert.equal((await messages(ada, before + 1)).at(-1).text, 'still in the lobby');
  assert.equal(await ada.locator('#rooms .unread').count(), 0);
  assert.equal(await ada.title(), '#lobby · callboard');
  assert.equal(await ada.inputValue('#text'), 'a draft');
  assert.equal((await shown(bob)).length, before + 1);
});

test('an address leads to its room; a room can be left', async () => {
  await bob.goto(`${server.http}/#Green-Room`);
  assert.deepEqual(texts(await messages(bob, 1)), ['only here']);
  await ada.evaluate(() => { location.hash = '#Green-Room'; });
  await ada.locator('#room-title', { hasText: 'Green-Room' }).waitFor();
  await people(ada, (names) => names.includes('Bob'));
  await ada.click('#leave');
  assert.equal(await ada.textContent('#room-title'), 'lobby');
  assert.equal(await ada.locator('[data-room]').count(), 1);
  assert.ok(await ada.locator('#leave').isHidden(), 'the last one cannot be left');
  await people(bob, (names) => names.length === 1 && names[0] === 'Bob');
  await bob.click('[data-room="lobby"]');
});

test('whatever others publish to a room is shown, and harms nothing', async () => {
  const other = await connect(server);
  const before = (await messages(bob, 4)).length;
  const payloads = ['plain text', { text: 7 }, null, [1, { a: true }], new Uint8Array(3),
    { text: 'x'.repeat(50000) }, { name: '<img src=x onerror=alert(1)>', text: '</li>' }];
  for (const payload of payloads) await other.ok('publish', 'chat/lobby', payload);
  const news = (await messages(bob, before + payloads.length)).slice(before);
  assert.deepEqual(texts(news.slice(0, 4)), ['plain text', '{"text":7}', 'null', '[1,{"a":true}]']);
  assert.ok(news.every(({ sender, mine }) => sender === other.id && !mine));
  assert.equal(news.at(-1).name, '<img src=x onerror=alert(1)>'.slice(0, 32));
  assert.ok((await bob.locator('.said').last().boundingBox()).width < 1280);
});

test('the same id is shown once, whoever sends it again', async () => {
  const other = await connect(server);
  const before = (await shown(bob)).length;
  const payload = { id: 'the-same', name: 'Dora', text: 'twice' };
  await other.ok('publish', 'chat/lobby', payload);
  await (await connect(server)).ok('publish', 'chat/lobby', payload);
  await other.ok('publish', 'chat/lobby', { name: 'Dora', text: 'and then' });
  await until(async () => (await shown(bob)).at(-1).text === 'and then', 'the last one');
  assert.deepEqual(texts((await shown(bob)).slice(before)), ['twice', 'and then']);
});

test('older messages come when they are wanted', async () => {
  const other = await connect(server);
  for (let n = 1; n <= 150; ++n) await other.ok('publish', 'chat/long', `number ${n}`);
  const carol = await openTab(browser, server, 'Carol', 'long');
  assert.deepEqual(texts(await messages(carol, 100)),
    Array.from({ length: 100 }, (_, i) => `number ${i + 51}`));
  await carol.click('#earlier');
  assert.deepEqual(texts(await messages(carol, 150)),
    Array.from({ length: 150 }, (_, i) => `number ${i + 1}`));
  await carol.locator('#earlier').waitFor({ state: 'hidden' });
  await carol.close();
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

test('a server that keeps nothing has rooms all the same', async () => {
  const bare = await startServer();
  const [one, two] = [await openTab(browser, bare, 'One'), await openTab(browser, bare, 'Two')];
  await say(one, 'first');
  await messages(two, 1);
  await say(two, 'second');
  for (const page of [one, two]) {
    assert.deepEqual(texts(await messages(page, 2)), ['first', 'second']);
    assert.ok(await page.locator('#people-panel').isHidden());
    assert.ok(await page.locator('#problem').isHidden());
    await page.close();
  }
  await bare.stop();
});

test('the page comes with its parts, and needs nothing from elsewhere', async () => {
  const get = (path) => fetch(new URL(path, server.http));
  const response = await get('/');
  assert.match(response.headers.get('content-type'), /^text\/html/);
  const policy = response.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /style-src 'self'(;|$)/);
  const html = await response.text();
  assert.doesNotMatch(html, /<style|<script[^>]*>[^<]|\son\w+=|\sstyle=|https?:/, 'nothing inline');
  const types = { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/ };
  const parts = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path);
  assert.deepEqual([...new Set(parts)].sort(), ['app.js', 'icon.svg', 'style.css']);
  for (const path of parts) {
    const part = await get(path);
    assert.equal(part.status, 200, path);
    assert.match(part.headers.get('content-type'), types[path.split('.').pop()], path);
  }
  const licenses = await (await get('licenses.txt')).text();
  assert.match(licenses, /^The script of this page holds (no )?code of others/);
});

test('nothing was refused by the content security policy, nothing failed', () => {
  assert.deepEqual(browser.troubles, []);
});
