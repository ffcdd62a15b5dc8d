// Topics and requests across nodes: clients of different ones see one callboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, expectError } from './support/client.mjs';
import {
  agree, endNodes, kill, leave, startCluster, startNode, timeoutMs,
} from './support/cluster.mjs';
import { slowness, until } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

endNodes();

// So many that each of three nodes owns some, whatever their names hash to.
const many = 60;

/// Returns names of topics that all match the pattern.
function freshTopics(n = many) {
  const base = freshTopic();
  return { pattern: `${base}/+`, topics: [...Array(n).keys()].map((i) => `${base}/${i}`) };
}

const subscribeAll = (client, topics) =>
  Promise.all(topics.map((topic) => client.ok('subscribe', topic)));

/// Publishes the same to all of them; returns where it stands in each.
const publishAll = (client, topics, payload, meta) =>
  Promise.all(topics.map((topic) => client.ok('publish', topic, payload, meta)));

/// Returns the events by topic, as `payload@offset`.
function byTopic(events) {
  const result = {};
  for (const { subject, payload, meta } of events) {
    (result[subject] ??= []).push(`${payload}@${meta.offset}`);
  }
  return result;
}

test('what is published at one node comes to all others, in order', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const { pattern, topics } = freshTopics();
  const [one, two, three] = await Promise.all(nodes.map((node) => connect(node)));
  await subscribeAll(two, topics);
  await three.ok('subscribe', pattern);
  const rounds = 20;
  for (let i = 0; i < rounds; ++i) {
    for (const [n, where] of (await publishAll(one, topics, i)).entries()) {
      assert.equal(where.offset, i + 1, topics[n]);
    }
  }
  const expected = Object.fromEntries(topics.map((topic) =>
    [topic, [...Array(rounds).keys()].map((i) => `${i}@${i + 1}`)]));
  assert.deepEqual(byTopic(await two.events(rounds * many)), expected);
  const matched = await three.events(rounds * many);
  assert.deepEqual(byTopic(matched), expected);
  assert.ok(matched.every(({ meta }) => meta.pattern === pattern));
  for (const client of [one, two, three]) assert.deepEqual(await client.settle(), []);
});

test('publishers at all nodes share one order', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const { topics } = freshTopics(9);
  const readers = await Promise.all(nodes.map((node) => connect(node)));
  for (const reader of readers) await subscribeAll(reader, topics);
  const writers = await Promise.all(nodes.map((node) => connect(node)));
  const rounds = 30;
  const answers = await Promise.all(writers.map(async (writer, w) => {
    const result = [];
    for (let i = 0; i < rounds; ++i) result.push(...await publishAll(writer, topics, `${w}.${i}`));
    return result;
  }));
  const [first, ...others] = await Promise.all(readers.map(async (reader) =>
    byTopic(await reader.events(rounds * topics.length * writers.length))));
  for (const other of others) assert.deepEqual(other, first);
  for (const topic of topics) {
    assert.deepEqual(first[topic].map((text) => Number(text.split('@')[1])),
      [...Array(rounds * writers.length).keys()].map((i) => i + 1));
  }
  assert.equal(new Set(answers.flat().map(({ epoch }) => epoch)).size, topics.length);
});

test('noEcho and ids go across nodes', async () => {
  const nodes = await startCluster(['a', 'b']);
  const { topics } = freshTopics();
  const [one, two] = await Promise.all(nodes.map((node) => connect(node)));
  await subscribeAll(one, topics);
  await subscribeAll(two, topics);
  await publishAll(one, topics, 'quiet', { noEcho: true });
  await publishAll(one, topics, 'loud');
  assert.deepEqual(byTopic(await one.events(many)),
    Object.fromEntries(topics.map((topic) => [topic, ['loud@2']])));
  assert.deepEqual(byTopic(await two.events(2 * many)),
    Object.fromEntries(topics.map((topic) => [topic, ['quiet@1', 'loud@2']])));
  // The same id of the same sender is accepted once.
  const once = await publishAll(one, topics, 'once', { id: 'x' });
  const twice = await publishAll(one, topics, 'once', { id: 'x' });
  assert.deepEqual(twice.map(({ offset }) => offset), once.map(({ offset }) => offset));
  await two.events(many);
  assert.deepEqual(await two.settle(), []);
});

test('what is pushed to a user comes to all nodes where it is', async () => {
  const key = await makeKey('HS256', 'a');
  const [a, b, c] = await startCluster(['a', 'b', 'c'],
    { words: ['--token-jwks', writeJwks('push.json', [key])] });
  const enter = async (node, user) => connect(node,
    bearer(await sign(key, user, { pub_topics: ['$user/#'] })));
  const ann = await enter(a, 'ann');
  // Any of the three may own a user's topic.
  const users = [...Array(12).keys()].map((i) => `zed${i}`);
  const there = await Promise.all(users.flatMap((user) => [enter(b, user), enter(c, user)]));
  for (const user of users) {
    await ann.ok('request', 'callboard.push', { user, payload: `hello ${user}` });
  }
  for (const [i, client] of there.entries()) {
    const user = users[i >> 1];
    const { subject, payload, meta } = await client.take('event');
    assert.deepEqual([subject, payload, meta.sender], [`$user/${user}`, `hello ${user}`, 'ann']);
    assert.deepEqual(await client.settle(), []);
  }
});

test('a request finds its responder at another node', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const [asker, , worker] = await Promise.all(nodes.map((node) => connect(node)));
  await worker.ok('register', 'sum');
  // What c tells of its responders has to come to the others first.
  let answer;
  const served = (async () => {
    const request = await worker.take('request');
    worker.send('response', '', 3, undefined, request.seqId);
  })();
  await until(async () => {
    answer = await asker.call('request', 'sum', [1, 2]);
    return answer.type !== 'error';
  }, 'a responder');
  await served;
  assert.equal(answer.payload, 3);
  // Its node's death is told at once, not after the request's time.
  const lost = asker.send('request', 'sum', null, { timeoutMs: 60000 });
  await worker.take('request');
  await kill(nodes[2]);
  expectError(await asker.reply(lost), 302, 'responder_failed');
});

test('after an owner\'s death its topics go on, and all are told', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const { topics, pattern } = freshTopics();
  const [writer, reader] = [await connect(nodes[0]), await connect(nodes[1])];
  await subscribeAll(reader, topics);
  const byPattern = await connect(nodes[1]);
  await byPattern.ok('subscribe', pattern);
  const before = await publishAll(writer, topics, 'before');
  await reader.events(many);
  // What is on its way is accepted or told to be in vain, and nothing waits.
  const inFlight = topics.map((topic) => writer.call('publish', topic, 'between'));
  await kill(nodes[2]);
  for (const answer of await Promise.all(inFlight)) {
    if (answer.type === 'error') expectError(answer, 305, 'owner_down');
  }
  await agree(nodes.slice(0, 2), timeoutMs + 1000 * slowness);
  let after;
  await until(async () => {
    const answers = await Promise.all(topics.map((topic) => writer.call('publish', topic, 'after')));
    after = answers.map(({ payload }) => payload);
    return answers.every(({ type }) => type !== 'error');
  }, 'all topics to go on', timeoutMs + 5000 * slowness);
  const moved = topics.filter((topic, i) => after[i].epoch !== before[i].epoch);
  assert.ok(moved.length > 0 && moved.length < many, `${moved.length} moved`);
  for (const topic of moved) {
    const told = await reader.take(({ type, subject }) => type === 'position' && subject === topic);
    assert.equal(told.payload.epoch, after[topics.indexOf(topic)].epoch);
    assert.equal(told.payload.reason, 'epoch changed');
    await reader.take(({ type, subject, payload, meta }) => type === 'event' && subject === topic
      && payload === 'after' && meta.offset === after[topics.indexOf(topic)].offset);
  }
  // Once, whatever topics match.
  const lost = await byPattern.take('position');
  assert.deepEqual([lost.subject, lost.payload], [pattern, { reason: 'events lost' }]);
  assert.ok(!(await byPattern.settle()).some(({ type }) => type === 'position'));
  // Those of the others had no break.
  const left = await reader.settle();
  assert.deepEqual(left.filter(({ type }) => type === 'position'), []);
});

test('a node that comes and goes leaves subscriptions of others whole', async () => {
  const [a, b] = await startCluster(['a', 'b']);
  const { topics, pattern } = freshTopics();
  const [writer, reader, byPattern] = [await connect(a), await connect(b), await connect(b)];
  await subscribeAll(reader, topics);
  await byPattern.ok('subscribe', pattern);
  const reach = async (payload) => {
    await until(async () => (await Promise.all(topics.map((topic) =>
      writer.call('publish', topic, payload)))).every(({ type }) => type !== 'error'),
    `${payload} to be accepted`);
    const missing = new Set(topics);
    while (missing.size > 0) {
      const event = await reader.take('event');
      if (event.payload === payload) missing.delete(event.subject);
    }
  };
  await reach('alone');
  const c = await startNode('c', { join: b });
  await agree([a, b, c]);
  await reach('with c');
  await leave(c);
  await agree([a, b]);
  await reach('without c');
  const heard = await byPattern.settle();
  assert.ok(heard.filter(({ type }) => type === 'event').length >= 3 * many);
  assert.ok(!heard.some(({ type }) => type === 'position'), 'nothing is lost, and nobody told so');
});
