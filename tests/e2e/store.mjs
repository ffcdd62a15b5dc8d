// What operators do with a store, beside a node and after it: `callboard store
// check`, `compact`, `export` and `backup`, and their exit codes.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { connect, endAll } from './support/client.mjs';
import { run, startServer, until } from './support/server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-store-'));
after(() => fs.rmSync(folder, { recursive: true }));
afterEach(endAll);

const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, `
[topic log/#]
durability = disk
history-size = 100000

[topic few/#]
durability = disk
history-size = 10

[topic aged/#]
durability = disk
history-size = 100000
history-ttl = 1s

[topic $dead/#]
durability = disk
history-size = 100
`);

let names = 0;
const freshName = (name) => path.join(folder, `${name}-${++names}`);

const start = (store, ...more) =>
  startServer(['--config', config, '--store-dir', store, '--loops', '2', ...more]);

const tool = (...words) => run(['store', ...words]);

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

const fileOf = (store) => path.join(store, 'callboard.db');

/// Publishes many and returns the last answer.
async function publish(who, topic, n, payload = (i) => i) {
  let last;
  // No more than may be in flight.
  for (let first = 1; first <= n; first += 200) {
    const some = range(first, Math.min(n, first + 199));
    last = (await Promise.all(some.map((i) => who.ok('publish', topic, payload(i))))).at(-1);
  }
  return last;
}

/// Reads all that a topic keeps.
async function history(who, topic) {
  const events = [];
  for (let since = null; ;) {
    const page = await who.ok('request', 'callboard.history', { topic, since, limit: 1000 });
    events.push(...page.events);
    if (!page.more) return { ...page, events };
    since = { epoch: page.epoch, offset: page.events.at(-1).offset };
  }
}

/// Runs a command that must work and returns what it printed.
async function works(...words) {
  const { code, stdout, stderr } = await tool(...words);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

/// Runs a command that must fail and returns what it said.
async function fails(code, ...words) {
  const result = await tool(...words);
  assert.equal(result.code, code, result.stdout + result.stderr);
  assert.equal(result.stdout, '');
  return result.stderr;
}

// -- backup -------------------------------------------------------------------

test('a backup under load has all that was acknowledged before it began', async () => {
  const store = freshName('store');
  const server = await start(store);
  const topics = range(1, 8).map((i) => `log/${i}`);
  const acknowledged = new Map(topics.map((topic) => [topic, []]));
  let publishing = true;
  const load = topics.map(async (topic) => {
    const who = await connect(server);
    for (let n = 0; publishing;) {
      const answers = await Promise.all(range(1, 16).map(() =>
        who.ok('publish', topic, `${topic} ${++n}`, { key: `k${n % 3}` })));
      acknowledged.get(topic).push(...answers);
    }
  });
  const count = () => Math.min(...[...acknowledged.values()].map((x) => x.length));
  await until(() => count() >= 300, 'some load');
  const before = new Map([...acknowledged].map(([topic, answers]) => [topic, answers.length]));
  const backup = freshName('backup.db');
  const said = await works('backup', '--store-dir', store, backup);
  assert.match(said, /backup\.db-\d+, \d+(\.\d+)?[KMG]?i?B?\n$/);
  const during = count();
  await until(() => count() >= during + 50, 'load that goes on');
  publishing = false;
  await Promise.all(load);
  await server.stop('SIGKILL');

  assert.match(await works('check', backup), /^well: \d+ events in \d+ topics, /);
  const other = freshName('store');
  fs.mkdirSync(other);
  fs.copyFileSync(backup, fileOf(other));
  const second = await start(other);
  const who = await connect(second);
  for (const topic of topics) {
    const [{ epoch: then }] = acknowledged.get(topic);
    const found = await history(who, topic);
    const { epoch } = found;
    // Offsets behind the backup's are given again, so the epoch is another one.
    assert.notEqual(epoch, then);
    assert.deepEqual((await who.ok('subscribe', topic, null, { since: [then, found.offset] })).recovered, false);
    assert.ok(found.offset >= before.get(topic), `${topic}: ${found.offset} of ${before.get(topic)}`);
    assert.ok(found.offset < acknowledged.get(topic).length, 'it is of one moment');
    assert.deepEqual(found.events.map(({ offset }) => offset), range(1, found.offset));
    for (const { offset, payload, key } of found.events) {
      assert.equal(payload, `${topic} ${offset}`);
      assert.equal(key, `k${offset % 3}`);
    }
    // It goes on from there.
    assert.deepEqual(await who.ok('publish', topic, 'new'), { epoch, offset: found.offset + 1 });
  }
  assert.equal((await second.stop()).code, 0);
});

test('a backup overwrites nothing and leaves nothing half done', async () => {
  const store = freshName('store');
  const server = await start(store);
  await publish(await connect(server), 'log/a', 10);
  const backup = freshName('backup.db');
  fs.writeFileSync(backup, 'mine');
  assert.match(await fails(1, 'backup', '--store-dir', store, backup), /exists already/);
  assert.equal(fs.readFileSync(backup, 'utf8'), 'mine');
  const nowhere = path.join(folder, 'none', 'backup.db');
  assert.match(await fails(1, 'backup', '--store-dir', store, nowhere), /none/);
  assert.match(await fails(1, 'backup', '--store-dir', freshName('none'), freshName('x')), /does not exist/);
  await fails(2, 'backup', '--store-dir', store);
  assert.match(await fails(2, 'backup', freshName('x')), /--store-dir/);
  assert.equal((await server.stop()).code, 0);
});

// -- export -------------------------------------------------------------------

test('an export has every event once, as lines of JSON', async () => {
  const store = freshName('store');
  const server = await start(store, '--group-attempts-max', '1');
  const one = await connect(server);
  const payloads = ['text "quoted"\n', 7, -1.5, null, true, [1, [2]], { a: { b: 'ü🎭' } },
    Buffer.from([0, 255, 128])];
  const { epoch } = await one.ok('publish', 'log/kinds', payloads[0], { key: 'k' });
  for (const payload of payloads.slice(1)) await one.ok('publish', 'log/kinds', payload);
  await publish(one, 'log/many', 2500, (i) => `number ${i}`);
  await one.ok('publish', 'few/a', 'x');
  // A dead letter, which tells where it comes from.
  await one.ok('subscribe', 'log/jobs', null, { group: 'workers', ack: true });
  one.send('publish', 'log/jobs', 'job', { key: 'j' }, 0);
  const { seqId } = await one.take('event');
  one.send('error', 'overloaded', 'no', { code: 501, temporary: true }, seqId);
  await until(async () => (await history(one, '$dead/log/jobs')).events.length === 1, 'a dead letter');

  const lines = async (...words) =>
    (await works('export', ...words)).split('\n').slice(0, -1).map((line) => JSON.parse(line));
  const all = await lines('--store-dir', store);
  const of = (topic) => all.filter((x) => x.topic === topic);
  assert.deepEqual([...new Set(all.map(({ topic }) => topic))],
    ['$dead/log/jobs', 'few/a', 'log/jobs', 'log/kinds', 'log/many']);
  assert.deepEqual(of('log/many').map(({ offset }) => offset), range(1, 2500));
  assert.deepEqual(of('log/many').map(({ payload }) => payload), range(1, 2500).map((i) => `number ${i}`));
  const kinds = of('log/kinds');
  assert.deepEqual(kinds.map(({ payload }) => payload),
    [...payloads.slice(0, -1), { $bin: payloads.at(-1).toString('base64') }]);
  assert.deepEqual(kinds[0], {
    topic: 'log/kinds', epoch, offset: 1, timestamp: kinds[0].timestamp, sender: one.id,
    key: 'k', payload: payloads[0],
  });
  assert.ok(Math.abs(kinds[0].timestamp - Date.now()) < 3600e3);
  const [dead] = of('$dead/log/jobs');
  assert.deepEqual([dead.payload, dead.key, dead.origin, dead.attempt], ['job', 'j', 'workers', 1]);
  assert.deepEqual(await lines('--store-dir', store, '--topic', 'log/kinds'), kinds);
  assert.deepEqual(await lines('--store-dir', store, '--topic', 'few/#'), of('few/a'));
  assert.deepEqual(await lines('--store-dir', store, '--topic', 'nobody'), []);
  const backup = freshName('backup.db');
  await works('backup', '--store-dir', store, backup);
  assert.deepEqual(await lines(backup), all);
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(await lines('--store-dir', store), all);
  assert.match(await fails(1, 'export', freshName('none')), /does not exist/);
  assert.match(await fails(2, 'export', '--store-dir', store, '--topic', 'a/#/b'), /wildcard/);
  await fails(2, 'export');
});

// -- compact ------------------------------------------------------------------

test('a compaction gives back the room of what is gone', async () => {
  const store = freshName('store');
  const server = await start(store);
  const one = await connect(server);
  const text = 'x'.repeat(1000);
  const { epoch } = await publish(one, 'few/a', 3000, (i) => `${i} ${text}`);
  await publish(one, 'aged/a', 3000, () => text);
  const stored = async () => Number(
    (await works('check', '--store-dir', store)).match(/^well: (\d+) events/)[1]);
  // Both go in the background: one by number, the other by time.
  await until(async () => await stored() <= 300, 'the end of old events');
  assert.match(await fails(1, 'compact', '--store-dir', store), /is in use by another process/);
  assert.equal((await server.stop()).code, 0);
  const before = fs.statSync(fileOf(store)).size;
  assert.ok(before > 1e6, `${before} bytes`);
  const said = await works('compact', '--store-dir', store);
  assert.match(said, /^\S+ before, \S+ after\n$/);
  const after = fs.statSync(fileOf(store)).size;
  assert.ok(after < before / 4, `${after} bytes of ${before}`);
  await works('check', '--store-dir', store);

  const second = await start(store);
  const two = await connect(second);
  const found = await history(two, 'few/a');
  assert.deepEqual([found.epoch, found.offset], [epoch, 3000]);
  assert.deepEqual(found.events.map(({ offset }) => offset), range(2991, 3000));
  assert.equal((await two.ok('request', 'callboard.position', { topic: 'aged/a' })).offset, 3000);
  assert.equal((await second.stop()).code, 0);
  assert.match(await fails(1, 'compact', '--store-dir', freshName('none')), /does not exist/);
  await fails(2, 'compact');
});

// -- check --------------------------------------------------------------------

test('a check finds flipped bytes and says where they hurt', async () => {
  const store = freshName('store');
  const server = await start(store);
  await publish(await connect(server), 'log/a', 2000, (i) => `payload ${i} ${'y'.repeat(200)}`);
  // It reads beside the node, too.
  assert.match(await works('check', '--store-dir', store), /^well: 2000 events in 1 topics, /);
  assert.equal((await server.stop()).code, 0);
  assert.match(await works('check', '--store-dir', store), /^well: 2000 events in 1 topics, /);
  const whole = fs.readFileSync(fileOf(store));

  // A payload: the pages are well, the event is not.
  const copy = freshName('copy.db');
  const bytes = Buffer.from(whole);
  const at = bytes.indexOf('payload 1000 ');
  assert.ok(at > 0);
  bytes[at] ^= 0x20;
  fs.writeFileSync(copy, bytes);
  const damaged = await fails(1, 'check', copy);
  assert.match(damaged, /topic 'log\/a': the events up to offset \d+ are damaged/);
  assert.match((await tool('export', copy)).stderr, /the events of topic 'log\/a' up to offset \d+ are damaged/);
  assert.equal((await tool('export', copy)).code, 1);

  // Pages: whatever they were, something is said and nothing crashes.
  const pages = whole.length / 4096;
  for (const page of range(1, Math.min(pages - 1, 12))) {
    const torn = Buffer.from(whole);
    for (let i = page * 4096; i < page * 4096 + 64; ++i) torn[i] ^= 0xff;
    fs.writeFileSync(copy, torn);
    const said = await fails(1, 'check', copy);
    assert.match(said, /\S+ \S+/, `page ${page}`);
    assert.ok(said.length < 20000);
  }

  // Half a file, and what never was a store.
  fs.writeFileSync(copy, whole.subarray(0, whole.length / 2));
  assert.match(await fails(1, 'check', copy), /\S/);
  fs.writeFileSync(copy, 'a diary '.repeat(1000));
  assert.match(await fails(1, 'check', copy), /not a database/);
  assert.match(await fails(1, 'check', freshName('none')), /does not exist/);
  await fails(2, 'check');
  // What was checked was not changed.
  assert.ok(fs.readFileSync(fileOf(store)).equals(whole));
});
