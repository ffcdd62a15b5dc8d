// The page while the server is gone: what is said meanwhile is neither lost nor
// doubled, and people see how it stands.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import {
  messages, openTab, people, reconnected, say, shown, startBrowser,
} from './support/browser.mjs';
import { startServer, until } from './support/server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-page-'));
let browser;
let server;
before(async () => { browser = await startBrowser(); });
afterEach(async () => {
  for (const page of browser.context.pages().slice(1)) await page.close();
  await server?.stop();
});
after(async () => {
  await browser?.close();
  fs.rmSync(folder, { recursive: true });
});

let files = 0;

/// Starts a server with these lines; `again` starts it anew at the same port.
async function serve(lines) {
  const file = path.join(folder, `${++files}.conf`);
  const write = (text) => fs.writeFileSync(file, text);
  write(lines);
  server = await startServer(['--config', file]);
  const { port } = server;
  const again = async () => {
    server = await startServer(['--config', file], { listen: `127.0.0.1:${port}` });
  };
  return { again, write };
}

const durable = (name) => `store-dir = ${path.join(folder, name)}
[topic chat/+]
history-size = 1000
durability = disk
presence = true
`;

const texts = (items) => items.map(({ text }) => text);
const retrying = (page) =>
  page.waitForSelector('#state[data-state="retry_pending"], #state[data-state="connecting"]');

// More rounds die at more moments.
const rounds = Number(process.env.CALLBOARD_TEST_KILLS ?? 1);
for (let round = 1; round <= rounds; ++round) {
  test(`two people chat through a kill -9 and a restart (${round})`, async () => {
    const { again } = await serve(durable(`store-${round}`));
    const ada = await openTab(browser, server, 'Ada');
    const bob = await openTab(browser, server, 'Bob');
    const both = [['Ada', ada], ['Bob', bob]];
    const said = [];
    const talk = async (from, to) => {
      for (let n = from; n < to; ++n) {
        for (const [name, page] of both) {
          said.push(`${name} ${n}`);
          await say(page, `${name} ${n}`);
        }
      }
    };
    await talk(0, 5);
    // Some of these are on their way when it dies.
    const dying = talk(5, 10);
    await until(async () => (await shown(bob)).length > 12, 'they are talking');
    await server.stop('SIGKILL');
    await dying;
    await Promise.all(both.map(([, page]) => retrying(page)));
    await talk(10, 15);
    assert.ok((await shown(ada)).some(({ sent, text }) => !sent && text === 'Ada 14'));
    await again();
    for (const [, page] of both) await reconnected(page);
    await talk(15, 18);
    const [one, two] = [await messages(ada, said.length), await messages(bob, said.length)];
    assert.deepEqual(texts(one).sort(), [...said].sort(), 'none is missing, none is doubled');
    assert.deepEqual(texts(two), texts(one), 'and both see one order');
    assert.ok(one.every(({ mine, text }) => mine === text.startsWith('Ada')));
    assert.equal(await ada.locator('.note').count(), 0, 'nor does it speak of a gap');
    const carol = await openTab(browser, server, 'Carol');
    const late = await messages(carol, said.length);
    assert.deepEqual(texts(late), texts(one), 'as the history has it');
    await people(carol, (names) =>
      ['Ada', 'Bob', 'Carol'].every((name) => names.includes(name)) && names.length === 3);
  });
}

test('people see that the connection is lost, what waits, and how to hurry', async () => {
  const { again } = await serve(durable('shown'));
  const ada = await openTab(browser, server, 'Ada');
  await server.stop('SIGKILL');
  await ada.locator('#banner').waitFor();
  assert.match(await ada.textContent('#banner-why'), /^The connection is lost\./);
  assert.equal(await ada.getAttribute('#banner-why', 'role'), 'status');
  await ada.locator('#banner-when', { hasText: /^(Next try in \d+ s|Trying now…)$/ }).waitFor();
  assert.equal(await ada.textContent('#state-text'), 'Reconnecting');
  await say(ada, 'into the dark');
  await ada.locator('.message.sending .foot', { hasText: 'Waits for the connection' }).waitFor();
  assert.equal((await shown(ada))[0].sent, false);
  await ada.fill('#name', 'Adele');
  await again();
  await reconnected(ada);
  assert.deepEqual(texts(await messages(ada, 1)), ['into the dark']);
  assert.equal(await ada.inputValue('#name'), 'Adele', 'what is being typed stays');
  await ada.press('#name', 'Enter');
  await people(ada, (names) => names.length === 1 && names[0] === 'Adele');
  await ada.locator('#banner').waitFor({ state: 'hidden' });
  assert.equal(await ada.textContent('#state-text'), 'Connected');
});

test('what a server without a store has lost is told of', async () => {
  const { again } = await serve('[topic chat/+]\nhistory-size = 100\n');
  const ada = await openTab(browser, server, 'Ada');
  await say(ada, 'before');
  await messages(ada, 1);
  await server.stop('SIGKILL');
  await retrying(ada);
  await again();
  await reconnected(ada);
  await ada.locator('.note', { hasText: 'Something may have been said here' }).waitFor();
  await say(ada, 'after');
  assert.deepEqual(texts(await messages(ada, 2)), ['before', 'after']);
});

test('what is refused stays, can be tried again, and thrown away', async () => {
  const closed = '[topic chat/+]\npublishers = server\n';
  const { write } = await serve(closed);
  const ada = await openTab(browser, server, 'Ada');
  for (const text of ['one', 'two']) {
    await say(ada, text);
    await ada.locator('.message.failed', { hasText: text }).waitFor();
  }
  const failed = ada.locator('.message.failed', { hasText: 'two' });
  assert.match(await failed.locator('.foot').textContent(), /^Not sent: \S+/);
  await failed.getByRole('button', { name: 'Discard: two' }).click();
  assert.deepEqual(texts(await shown(ada)), ['one']);
  write('[topic chat/+]\nhistory-size = 5\n');
  server.child.kill('SIGHUP');
  await server.logged(/ reloaded /);
  await ada.getByRole('button', { name: 'Try again to send: one' }).click();
  assert.deepEqual((await messages(ada, 1)).map(({ text, sent }) => [text, sent]), [['one', true]]);
});

test('nothing was refused by the content security policy, nothing failed', () => {
  const serious = browser.troubles.filter((text) =>
    !/WebSocket connection to .* failed/.test(text)); // while it was down
  assert.deepEqual(serious, []);
});
