// What outlives the process: topics on the disk and in memory, and stores that
// do not work.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { connect, endAll, json } from './support/client.mjs';
import { run, startServer, until } from './support/server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-durable-'));
after(() => fs.rmSync(folder, { recursive: true }));
afterEach(endAll);

const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, `
[topic disk/#]
durability = disk
history-size = 10000

[topic last/#]
durability = disk
retain = true

[topic ram/#]
durability = memory
history-size = 10000

[topic $dead/#]
durability = disk
history-size = 100

[topic #]
history-size = 100
`);

let folders = 0;
const freshFolder = () => path.join(folder, `store-${++folders}`);

const start = (store, ...more) =>
  startServer(['--config', config, '--store-dir', store, '--loops', '2', ...more]);

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const offsets = (events) => events.map(({ meta }) => meta.offset);
const since = (epoch, offset) => ({ since: [epoch, offset] });

/// Returns the answer of /ready, which is 200 whatever it says.
async function ready(server) {
  const answer = await fetch(`${server.http}/ready`);
  assert.equal(answer.status, 200);
  return answer.json();
}

test('positions, events, ids and last values outlive kill -9', async () => {
  const store = freshFolder();
  const first = await start(store);
  const one = await connect(first);
  const answers = await Promise.all(range(1, 200).map((n) =>
    one.ok('publish', 'disk/a', `text ${n}`, { id: `id ${n}` })));
  const { epoch } = answers[0];
  assert.deepEqual(answers.map(({ offset }) => offset), range(1, 200));
  await one.ok('publish', 'last/a', 'the last one');
  await first.stop('SIGKILL');

  const second = await start(store);
  const two = await connect(second);
  const again = await two.ok('publish', 'disk/a', 'text 7', { id: 'id 7' });
  assert.equal(again.epoch, epoch);
  // The sender was another connection, so this is another publication.
  assert.equal(again.offset, 201);
  assert.deepEqual(await two.ok('publish', 'disk/a', 'text 7', { id: 'id 7' }), again);
  const head = await two.ok('subscribe', 'disk/a', null, since(epoch, 150));
  assert.deepEqual(head, { epoch, offset: 201, recovered: true });
  const missed = await two.events(51);
  assert.deepEqual(offsets(missed), range(151, 201));
  assert.equal(missed[0].payload, 'text 151');
  assert.equal(missed[0].meta.sender, one.id);
  await two.ok('publish', 'disk/a', 'new');
  assert.deepEqual(offsets(await two.events(1)), [202]);
  const whole = await two.ok('request', 'callboard.history', { topic: 'disk/a', limit: 1000 });
  assert.deepEqual(whole.events.map(({ offset }) => offset), range(1, 202));
  await two.ok('subscribe', 'last/a');
  const [last] = await two.events(1);
  assert.equal(last.payload, 'the last one');
  assert.equal(last.meta.retained, true);
  assert.equal((await second.stop()).code, 0);
});

test('an event that was on the disk says what a live one did', async () => {
  const store = freshFolder();
  const first = await start(store, '--group-attempts-max', '1');
  const one = await connect(first);
  await one.ok('subscribe', 'disk/jobs', null, { group: 'workers', ack: true });
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  one.send('publish', 'disk/jobs', 'job', { key: 'k', trace }, 0);
  const { seqId } = await one.take('event');
  one.send('error', 'overloaded', 'no', { code: 501, temporary: true }, seqId);
  const history = (who, topic) => who.ok('request', 'callboard.history', { topic });
  await until(async () => (await history(one, '$dead/disk/jobs')).events.length === 1, 'a dead letter');
  await first.stop('SIGKILL');

  const second = await start(store);
  for (const protocol of [undefined, json]) {
    const two = await connect(second, { protocol });
    const [live] = (await history(two, 'disk/jobs')).events;
    const event = { offset: 1, timestamp: live.timestamp, sender: one.id, trace, key: 'k', payload: 'job' };
    assert.deepEqual(live, event);
    const [dead] = (await history(two, '$dead/disk/jobs')).events;
    assert.deepEqual(dead, { ...event, timestamp: dead.timestamp, origin: 'workers', attempt: 1 });
  }
  assert.equal((await second.stop()).code, 0);
});

test('a pattern has the last values of what the node has used since its start', async () => {
  const store = freshFolder();
  const first = await start(store);
  await (await connect(first)).ok('publish', 'last/b', 'the last one');
  assert.equal((await first.stop()).code, 0);
  const second = await start(store);
  const [one, two, three] = [await connect(second), await connect(second), await connect(second)];
  assert.deepEqual(await one.ok('subscribe', 'last/#'), { retained: true });
  // Whoever needs the topic itself lets it be read from the store.
  await two.ok('subscribe', 'last/b');
  assert.equal((await two.take('event')).meta.retained, true);
  assert.deepEqual(await three.ok('subscribe', 'last/#'), { retained: true });
  const { subject, payload, meta } = await three.take('event');
  assert.deepEqual([subject, payload, meta.retained, meta.pattern],
    ['last/b', 'the last one', true, 'last/#']);
  assert.deepEqual(one.frames, []);
  assert.equal((await second.stop()).code, 0);
});

test('who stays away while the node is down misses nothing', async () => {
  const store = freshFolder();
  const first = await start(store);
  const one = await connect(first);
  const { epoch } = await one.ok('subscribe', 'disk/b');
  await one.ok('publish', 'disk/b', 1);
  await one.events(1);
  await first.stop('SIGKILL');
  const second = await start(store);
  const [two, three] = [await connect(second), await connect(second)];
  await three.ok('publish', 'disk/b', 2);
  assert.deepEqual(await two.ok('subscribe', 'disk/b', null, since(epoch, 1)),
    { epoch, offset: 2, recovered: true });
  assert.deepEqual(offsets(await two.events(1)), [2]);
  assert.equal((await second.stop()).code, 0);
});

test('memory outlives a clean end and nothing else', async () => {
  const store = freshFolder();
  const first = await start(store);
  const one = await connect(first);
  const { epoch } = await one.ok('publish', 'ram/a', 1);
  await one.ok('publish', 'ram/a', 2);
  assert.equal((await first.stop()).code, 0);

  const second = await start(store);
  const two = await connect(second);
  assert.deepEqual(await two.ok('publish', 'ram/a', 3), { epoch, offset: 3 });
  assert.equal((await two.ok('subscribe', 'ram/a', null, since(epoch, 0))).recovered, true);
  assert.deepEqual(offsets(await two.events(3)), [1, 2, 3]);
  await second.stop('SIGKILL');

  const third = await start(store);
  const three = await connect(third);
  const head = await three.ok('subscribe', 'ram/a', null, since(epoch, 3));
  assert.notEqual(head.epoch, epoch);
  assert.deepEqual([head.offset, head.recovered], [0, false]);
  assert.equal((await third.stop()).code, 0);
});

test('a store that belongs to another node is waited for', async () => {
  const store = freshFolder();
  const first = await start(store);
  const one = await connect(first);
  await one.ok('publish', 'disk/a', 1);
  const second = await start(store);
  assert.deepEqual(await ready(second), { status: 'degraded', store: 'unavailable' });
  await second.logged(/store_down reason=.*is in use by another process/);
  const two = await connect(second);
  const refused = await two.fails(503, 'storage_unavailable', 'publish', 'disk/a', 2);
  assert.equal(refused.meta.retryAfterMs, 1000);
  await two.fails(503, 'storage_unavailable', 'subscribe', 'disk/a');
  await two.fails(503, 'storage_unavailable', 'request', 'callboard.history', { topic: 'disk/a' });
  await two.ok('publish', 'other', 1);
  const metrics = await (await fetch(`${second.http}/metrics`)).text();
  assert.match(metrics, /^callboard_store_up 0 /m);
  assert.equal((await first.stop()).code, 0);
  await until(async () => (await ready(second)).status === 'ok', 'the store');
  assert.equal((await two.ok('publish', 'disk/a', 2)).offset, 2);
  assert.equal((await second.stop()).code, 0);
});

test('a file that is something else is left alone', async () => {
  const store = freshFolder();
  fs.mkdirSync(store);
  const file = path.join(store, 'callboard.db');
  fs.writeFileSync(file, 'a diary '.repeat(1000));
  const server = await start(store);
  assert.deepEqual(await ready(server), { status: 'degraded', store: 'unavailable' });
  await server.logged(/store_down reason=.*not a database/);
  const one = await connect(server);
  await one.fails(503, 'storage_unavailable', 'publish', 'disk/a', 1);
  await one.ok('publish', 'other', 1);
  assert.equal((await server.stop()).code, 0);
  assert.equal(fs.readFileSync(file, 'utf8'), 'a diary '.repeat(1000));
});

test('a full store refuses, and keeps what it has', async () => {
  const store = freshFolder();
  const server = await start(store, '--store-bytes-max', '1MiB');
  const one = await connect(server);
  const text = 'x'.repeat(60000);
  let accepted = 0;
  for (;;) {
    const answer = await one.call('publish', 'disk/a', text);
    if (answer.type === 'error') {
      assert.equal(answer.subject, 'storage_unavailable');
      break;
    }
    assert.equal(answer.payload.offset, ++accepted);
    assert.ok(accepted < 100);
  }
  assert.ok(accepted > 5);
  assert.deepEqual(await ready(server), { status: 'degraded', store: 'unavailable' });
  await server.stop('SIGKILL');
  const second = await start(store);
  const two = await connect(second);
  assert.equal((await two.ok('publish', 'disk/a', 'y')).offset, accepted + 1);
  assert.equal((await second.stop()).code, 0);
});

test('a durability needs a folder, and says where to name it', async () => {
  const result = await run(['serve', '--config', config]);
  assert.equal(result.code, 2);
  assert.match(result.stderr, /callboard\.conf, line 3, durability: disk for topic 'disk\/#'/);
  assert.match(result.stderr, /--store-dir/);
});
