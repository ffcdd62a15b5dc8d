// Several loops: connections everywhere, one order for every topic.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from './support/client.mjs';
import { until } from './support/server.mjs';
import { suite } from './support/suite.mjs';

const shared = suite(['--loops', '4']);
const connectAll = (count) => Promise.all(
  Array.from({ length: count }, () => shared.connect()));

const readersCount = 40;
const writersCount = 8;
const topicsCount = 6;
const roundsCount = 25;
const topics = Array.from({ length: topicsCount }, (_, i) => `loops/${i}`);
const total = writersCount * roundsCount;

/// Fails unless these events of one topic are all of them: offsets without a
/// gap, each writer's in the order of their sending. Returns them as text.
function expectWhole(events, what) {
  assert.deepEqual(events.map(({ meta }) => meta.offset),
    Array.from({ length: total }, (_, i) => i + 1), what);
  const seen = Array(writersCount).fill(0);
  for (const { payload: [writer, round] } of events) {
    assert.equal(round, seen[writer]++, `${what}, writer ${writer}`);
  }
  return JSON.stringify(events.map(({ payload }) => payload));
}

test('every subscriber on every loop sees all, in one order', async () => {
  const [readers, writers, [all]] = await Promise.all([
    connectAll(readersCount), connectAll(writersCount), connectAll(1)]);
  await Promise.all(readers.flatMap((reader) =>
    topics.map((topic) => reader.ok('subscribe', topic))));
  await all.ok('subscribe', 'loops/+');
  for (let round = 0; round < roundsCount; ++round) {
    for (const [i, writer] of writers.entries()) {
      writer.socket.send(Buffer.concat(topics.map((topic) =>
        frame('publish', 0, topic, [i, round]))));
    }
    await new Promise(setImmediate); // let the others have their turn
  }
  const orders = new Map();
  for (const reader of [...readers, all]) {
    const events = await reader.events(total * topicsCount);
    for (const topic of topics) {
      const order = expectWhole(events.filter(({ subject }) => subject === topic), topic);
      assert.equal(orders.get(topic) ?? order, order, 'one order for everybody');
      orders.set(topic, order);
    }
    assert.deepEqual(await reader.settle(), [], 'and nothing else');
  }
});

test('requests find their responders across loops', async () => {
  const [workers, askers] = await Promise.all([connectAll(8), connectAll(16)]);
  await Promise.all(workers.map((worker) => worker.ok('register', 'loops.work')));
  for (const worker of workers) {
    worker.socket.on('message', () => {
      for (const { type, seqId, payload } of worker.frames.splice(0)) {
        if (type === 'request') worker.send('response', '', payload * 2, undefined, seqId);
      }
    });
  }
  await Promise.all(askers.map(async (asker) => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
      asker.ok('request', 'loops.work', i)));
    assert.deepEqual(answers, answers.map((_, i) => i * 2));
  }));
});

test('connections that come and go leave nothing behind', async () => {
  const [stable] = await connectAll(1);
  await stable.ok('subscribe', 'churn/+');
  for (let round = 0; round < 10; ++round) {
    const guests = await connectAll(20);
    await Promise.all(guests.map(async (guest, i) => {
      await guest.ok('subscribe', 'churn/room');
      await guest.ok('register', 'churn.action');
      guest.send('request', 'churn.action', i);
      await guest.ok('publish', 'churn/room', [round, i]);
      if (i % 2) guest.end();
      else guest.socket.close();
      await guest.closed;
    }));
  }
  const events = await stable.events(200);
  assert.deepEqual(events.map(({ meta }) => meta.offset),
    Array.from({ length: 200 }, (_, i) => i + 1));
  // The last of them may be gone for us and not yet for the server.
  await until(async () => (await stable.call('request', 'churn.action')).subject === 'no_responder',
    'the end of the last responder');
});

test('an id that is published many times at once is accepted once', async () => {
  const [writer] = await connectAll(1);
  for (const topic of topics.map((name) => `${name}/once`)) {
    const replies = await Promise.all(Array.from({ length: 20 }, () =>
      writer.ok('publish', topic, 'x', { id: 'only' })));
    assert.ok(replies.every(({ offset }) => offset === 1), topic);
  }
});
