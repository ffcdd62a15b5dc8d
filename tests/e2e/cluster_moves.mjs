// Topics that move to another node with all they have, as nodes join and leave
// under publishing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from './support/client.mjs';
import { agree, endNodes, leave, startCluster, startNode } from './support/cluster.mjs';
import { sleep, until } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';

endNodes();

// So many that each node owns some, whatever their names hash to.
const many = 40;

function freshTopics() {
  const base = freshTopic();
  return [...Array(many).keys()].map((i) => `${base}/${i}`);
}

/// Publishes to all topics in turn until it is stopped; keeps what it was
/// answered, by topic: `{epoch, offset, payload}`.
class Writer {
  constructor(client, topics, name) {
    Object.assign(this, { client, topics, name, accepted: {}, stopped: false, done: null });
    this.done = this.run();
  }

  async run() {
    for (let i = 0; !this.stopped; ++i) {
      const payload = `${this.name}.${i}`;
      await Promise.all(this.topics.map(async (topic) => {
        const where = await this.client.ok('publish', topic, payload);
        (this.accepted[topic] ??= []).push({ ...where, payload });
      }));
      await sleep(10);
    }
  }

  async stop() {
    this.stopped = true;
    await this.done;
  }
}

/// Takes events until there are so many of each topic; there must be nothing
/// else. Returns them by topic.
async function readAll(reader, counts) {
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  await until(() => reader.frames.length >= total, `${total} events`);
  const result = {};
  for (const frame of reader.frames.splice(0, total)) {
    assert.equal(frame.type, 'event', JSON.stringify(frame));
    (result[frame.subject] ??= []).push(frame);
  }
  return result;
}

/// Checks that what was answered is one order for each topic, and that the
/// readers have all of it.
async function check(topics, writers, readers) {
  const accepted = {};
  const counts = {};
  for (const topic of topics) {
    const all = writers.flatMap(({ accepted: own }) => own[topic] ?? []);
    all.sort((x, y) => x.offset - y.offset);
    assert.deepEqual(all.map(({ offset }) => offset), all.map((_, i) => i + 1), topic);
    assert.equal(new Set(all.map(({ epoch }) => epoch)).size, 1, `epochs of ${topic}`);
    accepted[topic] = all;
    counts[topic] = all.length;
  }
  for (const reader of readers) {
    const heard = await readAll(reader, counts);
    for (const topic of topics) {
      assert.deepEqual(heard[topic].map(({ payload, meta }) => [payload, meta.offset]),
        accepted[topic].map(({ payload, offset }) => [payload, offset]), topic);
    }
    assert.deepEqual(await reader.settle(), []);
  }
}

test('a join and an end under publishing lose nothing and begin no epoch', async () => {
  const words = ['--drain-timeout', '10s'];
  const [a, b] = await startCluster(['a', 'b'], { words });
  const topics = freshTopics();
  const readers = [await connect(a), await connect(b)];
  for (const reader of readers) {
    await Promise.all(topics.map((topic) => reader.ok('subscribe', topic)));
  }
  const writers = [new Writer(await connect(a), topics, 'a'),
    new Writer(await connect(b), topics, 'b')];
  await sleep(300);
  const c = await startNode('c', { join: a, words });
  await agree([a, b, c]);
  await sleep(300);
  await leave(c);
  await agree([a, b]);
  await sleep(300);
  for (const writer of writers) await writer.stop();
  await check(topics, writers, readers);
});

test('clients of a node that ends publish and hear until they are sent away', async () => {
  const words = ['--drain-timeout', '6s'];
  const [a, b, c] = await startCluster(['a', 'b', 'c'], { words });
  const topics = freshTopics();
  const [reader, leaver] = [await connect(a), await connect(c)];
  await Promise.all(topics.map((topic) => reader.ok('subscribe', topic)));
  const accepted = {};
  const publishAll = async (payload) => {
    for (const topic of topics) {
      const answer = await leaver.call('publish', topic, payload);
      if (answer.type === 'error') return false;
      (accepted[topic] ??= []).push({ ...answer.payload, payload });
    }
    return true;
  };
  assert.ok(await publishAll('before'));
  const ended = leave(c);
  // Until its connection ends every publication is taken.
  let i = 0;
  try {
    while (await publishAll(`${i}`)) ++i;
  } catch {
    // It was sent away.
  }
  await ended;
  await agree([a, b]);
  const writer = await connect(b);
  for (const topic of topics) {
    const where = await writer.ok('publish', topic, 'after');
    (accepted[topic] ??= []).push({ ...where, payload: 'after' });
  }
  const counts = {};
  const heard = {};
  for (const topic of topics) {
    const all = accepted[topic];
    assert.equal(new Set(all.map(({ epoch }) => epoch)).size, 1, `epochs of ${topic}`);
    // The last one may have been accepted without an answer.
    counts[topic] = all.at(-1).offset;
    assert.ok(counts[topic] - all.length <= 1, topic);
  }
  Object.assign(heard, await readAll(reader, counts));
  for (const topic of topics) {
    const payloads = heard[topic].map(({ payload }) => payload);
    for (const { payload, offset } of accepted[topic]) assert.equal(payloads[offset - 1], payload);
  }
  assert.deepEqual(await reader.settle(), []);
});
