// The programs in examples/, as somebody would run them who has just copied them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, endAll } from './support/client.mjs';
import { startServer, until, within } from './support/server.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-examples-'));
after(() => fs.rmSync(folder, { recursive: true }));

const running = new Set();
afterEach(() => {
  endAll();
  for (const child of running) child.kill('SIGKILL');
});

/// Copies an example, with what `npm install` would bring. Returns its folder.
function installed(name) {
  const copy = path.join(folder, name);
  if (fs.existsSync(copy)) return copy;
  fs.cpSync(path.join(top, 'examples', name), copy, {
    recursive: true, filter: (from) => !from.endsWith('node_modules'),
  });
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(copy, 'package.json')));
  assert.deepEqual(Object.keys(dependencies), ['callboard', 'ws']);
  fs.mkdirSync(path.join(copy, 'node_modules'));
  fs.symlinkSync(path.join(top, 'clients/js'), path.join(copy, 'node_modules/callboard'));
  fs.symlinkSync(path.join(top, 'tests/e2e/node_modules/ws'), path.join(copy, 'node_modules/ws'));
  return copy;
}

/// Starts a program of an example.
function startExample(name, words, env) {
  const child = spawn(process.execPath, words, {
    cwd: installed(name), env: { ...process.env, ...env },
  });
  const program = { child, stdout: '', stderr: '' };
  running.add(child);
  child.stdout.on('data', (data) => { program.stdout += data; });
  child.stderr.on('data', (data) => { program.stderr += data; });
  program.exited = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code;
  });
  return program;
}

const says = (program, what) => until(() => program.stdout.includes(what),
  `'${what}' from ${program.child.spawnargs.join(' ')}`).catch((error) => {
  throw new Error(`${error.message}\n${program.stdout}${program.stderr}`);
});

test('the service answers orders, as its page says', async () => {
  const page = fs.readFileSync(path.join(top, 'examples/service/README.md'), 'utf8');
  const server = await startServer();
  const env = { CALLBOARD_URL: server.ws };
  const service = startExample('service', ['service.mjs'], env);
  await says(service, 'ready');
  const watcher = await connect(server);
  await watcher.ok('subscribe', 'shop/stock/apple');
  const order = async (...words) => {
    const program = startExample('service', ['order.mjs', ...words], env);
    const code = await within(program.exited, 'the end of the order');
    const said = program.stdout.trimEnd();
    return { code, said };
  };
  const rows = [
    [['apple', '2'], 0, "{ item: 'apple', count: 2, left: 3 }", true],
    [['apple', '5'], 1, '1001 sold_out: There are 3 left.', true],
    [['apple', '3'], 0, "{ item: 'apple', count: 3, left: 0 }", false],
    [['plum', '1'], 1, '1000 unknown_item: There is no plum.', false],
    [['pear', '0'], 1, '1002 bad_order: How many?', false],
  ];
  for (const [words, code, said, shown] of rows) {
    assert.deepEqual(await order(...words), { code, said });
    assert.equal(page.includes(`    ${said}\n`), shown, said);
  }
  const events = await watcher.events(2);
  assert.deepEqual(events.map(({ payload }) => payload), [{ left: 3 }, { left: 0 }]);
  assert.equal(await watcher.ok('request', 'shop.stock', { item: 'pear' }).then(({ left }) => left), 1);
  service.child.kill('SIGTERM');
  assert.equal(await within(service.exited, 'the end of the service'), 0);
  const { code, said } = await order('apple', '1');
  assert.equal(code, 1);
  assert.match(said, /^300 no_responder: /);
  await server.stop();
});

test('a service that is ended answers first what it has begun', async () => {
  const server = await startServer();
  const service = startExample('service', ['service.mjs'], { CALLBOARD_URL: server.ws });
  await says(service, 'ready');
  const asker = await connect(server);
  const asked = asker.send('request', 'shop.order', { item: 'apple', count: 5 });
  // Requests come in order, so the first one has begun when this is answered.
  await asker.ok('request', 'shop.stock', { item: 'pear' });
  service.child.kill('SIGTERM');
  assert.deepEqual((await asker.reply(asked)).payload, { item: 'apple', count: 5, left: 0 });
  assert.equal(await within(service.exited, 'the end of the service'), 0);
  await server.stop();
});

test('the dashboard: numbers come, newcomers see the last ones, the page is served', async () => {
  const conf = path.join(top, 'examples/dashboard/callboard.conf');
  const server = await startServer(['--config', conf]);
  const producer = startExample('dashboard', ['producer.mjs'],
    { CALLBOARD_URL: server.ws, PORT: '0', INTERVAL_MS: '50' });
  await says(producer, '\n');
  const reader = await connect(server);
  const topics = ['load', 'memory', 'lag'].map((name) => `dashboard/${name}`);
  for (const topic of topics) await reader.ok('subscribe', topic);
  const seen = new Map();
  while (![...topics].every((topic) => seen.get(topic) >= 3)) {
    const { subject, payload } = await reader.take('event');
    assert.ok(topics.includes(subject));
    assert.ok(Number(payload.value) >= 0);
    assert.equal(typeof payload.unit, 'string');
    seen.set(subject, (seen.get(subject) ?? 0) + 1);
  }
  producer.child.kill('SIGSTOP');
  const late = await connect(server);
  for (const topic of topics) await late.ok('subscribe', topic);
  const last = await late.events(3);
  assert.deepEqual(last.map(({ subject, meta }) => [subject, meta.retained]).sort(),
    topics.map((topic) => [topic, true]).sort());
  producer.child.kill('SIGCONT');
  const url = new URL(producer.stdout.split('\n')[0]);
  assert.equal(url.searchParams.get('server'), server.ws);
  const page = await (await fetch(url)).text();
  assert.match(page, /src="\/dashboard\.js"/);
  const script = await fetch(new URL('/dashboard.js', url));
  assert.match(script.headers.get('content-type'), /^text\/javascript/);
  for (const [, name] of (await script.text()).matchAll(/from '(\/[^']+)'/g)) {
    assert.equal((await fetch(new URL(name, url))).status, 200, name);
  }
  assert.equal((await fetch(new URL('/package.json', url))).status, 404);
  producer.child.kill('SIGTERM');
  assert.equal(await within(producer.exited, 'the end of the producer'), 0);
  await server.stop();
});
