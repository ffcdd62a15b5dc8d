// Groups across nodes: their members are clients of different ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, expectError } from './support/client.mjs';
import {
  agree, endNodes, kill, leave, startCluster, startNode, timeoutMs,
} from './support/cluster.mjs';
import { metric } from './support/group_load.mjs';
import { slowness, until } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';

endNodes();

// So many that each of three nodes owns some, whatever their names hash to.
const many = 40;

const asMember = { group: 'g', ack: true };

/// Nodes that take an event back soon.
const options = { words: ['--group-ack-timeout', `${3000 * slowness}ms`] };

function freshTopics(n = many) {
  const base = freshTopic();
  return [...Array(n).keys()].map((i) => `${base}/${i}`);
}

const joinAll = (client, topics) =>
  Promise.all(topics.map((topic) => client.ok('subscribe', topic, null, asMember)));

const publishAll = (client, topics, payload, meta) =>
  Promise.all(topics.map((topic) => client.ok('publish', topic, payload, meta)));

const confirm = (client, { seqId }) => client.send('ack', '', null, undefined, seqId);

/// Returns a metric of several nodes together.
async function sum(nodes, name) {
  const values = await Promise.all(nodes.map((node) => metric(node, `callboard_group_${name}`)));
  return values.reduce((all, one) => all + one, 0);
}

/// Confirms all that the worker has; returns the events.
async function work(worker) {
  const events = (await worker.settle()).filter(({ type }) => type === 'event');
  for (const event of events) confirm(worker, event);
  return events;
}

/// Publishes to all topics, again where it is in vain, until the worker has had
/// an event of each. What comes to an owner before its members is lost to them.
async function reach(writer, worker, topics, payload) {
  const missing = new Set(topics);
  await until(async () => {
    await Promise.all([...missing].map((topic) => writer.call('publish', topic, payload)));
    for (const event of await work(worker)) {
      if (event.payload === payload) missing.delete(event.subject);
    }
    return missing.size === 0;
  }, `${payload} to come`, timeoutMs + 10000 * slowness);
}

/// Waits until nothing is left to confirm.
const finish = (nodes, worker) => until(async () => {
  await work(worker);
  return await sum(nodes, 'events') === 0;
}, 'the end');

test('members at all nodes share the events, whichever owns the topic', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const topics = freshTopics();
  const members = await Promise.all(nodes.map((node) => connect(node)));
  for (const member of members) await joinAll(member, topics);
  const rounds = 6;
  for (let i = 0; i < rounds; ++i) await publishAll(members[i % 3], topics, i);
  const seen = [];
  for (const member of members) {
    // Each has its share of each topic.
    const got = await member.events(rounds / 3 * many);
    for (const event of got) {
      assert.deepEqual([event.meta.group, event.meta.attempt], ['g', undefined]);
      seen.push(`${event.subject} ${event.payload}`);
      confirm(member, event);
    }
  }
  assert.equal(new Set(seen).size, rounds * many);
  await until(async () => await sum(nodes, 'events') === 0, 'the end');
  assert.equal(await sum(nodes, 'confirmations_total'), rounds * many);
  assert.equal(await sum(nodes, 'members'), 3 * many);
  assert.equal(await sum(nodes, 'lost_total'), 0);
  for (const topic of topics) {
    assert.equal(await members[2].ok('unsubscribe', topic, null, { group: 'g' }), null);
  }
  await members[2].fails(400, 'not_subscribed', 'unsubscribe', topics[0], null, { group: 'g' });
  await until(async () => await sum(nodes, 'members') === 2 * many, 'the third one to be gone');
});

test('what is refused, or not confirmed in time, goes to another node', async () => {
  const nodes = await startCluster(['a', 'b'], options);
  const topics = freshTopics();
  const [one, two] = await Promise.all(nodes.map((node) => connect(node)));
  await joinAll(one, topics);
  await publishAll(two, topics, 'job', { key: 'k' });
  const first = await one.events(many);
  await joinAll(two, topics);
  // It says no to half of them, and nothing to the others.
  for (const { seqId } of first.slice(0, many / 2)) {
    one.send('error', 'busy', null, undefined, seqId);
  }
  // The second half comes when the time is up that the first one has, too.
  const second = [];
  while (second.length < many) {
    const event = await two.take('event');
    assert.deepEqual([event.meta.attempt, event.meta.key], [2, 'k']);
    confirm(two, event);
    second.push(event);
  }
  assert.deepEqual(second.map(({ subject }) => subject).sort(), [...topics].sort());
  const late = first.slice(many / 2).map(({ seqId }) => seqId);
  const taken = [];
  while (taken.length < late.length) taken.push((await one.take('cancel')).seqId);
  assert.deepEqual(taken.sort((x, y) => x - y), late.sort((x, y) => x - y));
  await until(async () => await sum(nodes, 'events') === 0, 'the end');
  assert.equal(await sum(nodes, 'confirmations_total'), many);
});

test('what nobody confirms is a dead letter of the node that owns its topic', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const topics = freshTopics(12);
  const [one, two, reader] = await Promise.all(nodes.map((node) => connect(node)));
  for (const topic of topics) await reader.ok('subscribe', `$dead/${topic}`);
  await joinAll(one, topics);
  await publishAll(two, topics, 'job');
  const times = 5;
  for (let i = 0; i < times * topics.length; ++i) {
    const { seqId } = await one.take('event');
    one.send('error', 'busy', null, undefined, seqId);
  }
  const dead = await reader.events(topics.length);
  assert.deepEqual(dead.map(({ subject }) => subject).sort(),
    topics.map((topic) => `$dead/${topic}`).sort());
  for (const { payload, meta } of dead) {
    assert.deepEqual([payload, meta.origin, meta.attempt], ['job', 'g', times]);
  }
});

test('the events of a key come one after the other, at one member', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const [topic] = freshTopics(1);
  const members = await Promise.all(nodes.map((node) => connect(node)));
  for (const member of members) await member.ok('subscribe', topic, null, asMember);
  const keys = ['p', 'q', 'r', 's', 't', 'u'];
  const rounds = 20;
  const seen = Object.fromEntries(keys.map((key) => [key, []]));
  let left = rounds * keys.length;
  const work = members.map(async (member, index) => {
    for (;;) {
      const event = await member.take('event', 20000 * slowness);
      if (event.subject === '') return;
      seen[event.meta.key].push([index, Number(event.payload)]);
      confirm(member, event);
      --left;
    }
  });
  for (let i = 0; i < rounds; ++i) {
    await Promise.all(keys.map((key) => members[i % 3].ok('publish', topic, i, { key })));
  }
  await until(() => left === 0, 'all events');
  for (const member of members) {
    member.frames.push({ type: 'event', subject: '' });
    member.send('ping', '');
  }
  await Promise.all(work);
  for (const list of Object.values(seen)) {
    assert.deepEqual(list.map(([, number]) => number), [...Array(rounds).keys()]);
    assert.equal(new Set(list.map(([index]) => index)).size, 1);
  }
});

test('after a node\'s death others have its members\' events, and its groups go on', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const topics = freshTopics();
  const [writer, one, two] = await Promise.all(nodes.map((node) => connect(node)));
  await joinAll(one, topics);
  await joinAll(two, topics);
  const before = await publishAll(writer, topics, 1);
  await publishAll(writer, topics, 2);
  // Each has one of each topic, and confirms none.
  const kept = await one.events(many);
  await two.events(many);
  const asked = topics.map((topic) => writer.call('subscribe', topic, null, { group: 'late' }));
  await kill(nodes[2]);
  for (const answer of await Promise.all(asked)) {
    if (answer.type === 'error') expectError(answer, 305, 'owner_down');
  }
  await agree(nodes.slice(0, 2), timeoutMs + 1000 * slowness);
  let after;
  await until(async () => {
    const answers = await Promise.all(topics.map((topic) =>
      writer.call('request', 'callboard.position', { topic })));
    after = answers.map(({ payload }) => payload);
    return answers.every(({ type }) => type === 'response');
  }, 'all topics to have owners');
  const moved = topics.filter((_, i) => after[i].epoch !== before[i].epoch);
  const stays = topics.filter((_, i) => after[i].epoch === before[i].epoch);
  assert.ok(moved.length > 0 && stays.length > 0, `${moved.length} moved`);
  const again = new Set();
  while (again.size < stays.length) {
    const event = await one.take('event');
    assert.equal(event.meta.attempt, 2);
    assert.ok(stays.includes(event.subject), event.subject);
    again.add(event.subject);
    confirm(one, event);
  }
  for (const topic of moved) {
    const told = await one.take(({ type, subject, meta }) =>
      type === 'position' && subject === topic && meta.group === 'g');
    assert.equal(told.payload.reason, 'epoch changed');
    assert.equal(told.payload.epoch, after[topics.indexOf(topic)].epoch);
  }
  for (const event of kept) confirm(one, event);
  await reach(writer, one, topics, 3);
  await finish(nodes.slice(0, 2), one);
});

test('a node that comes and goes leaves memberships of others whole', async () => {
  const [a, b] = await startCluster(['a', 'b']);
  const topics = freshTopics();
  const [writer, worker] = [await connect(a), await connect(b)];
  await joinAll(worker, topics);
  await reach(writer, worker, topics, 'alone');
  const c = await startNode('c', { join: b });
  await agree([a, b, c]);
  await reach(writer, worker, topics, 'with c');
  await leave(c);
  await agree([a, b]);
  await reach(writer, worker, topics, 'without c');
  await finish([a, b], worker);
  assert.equal(await sum([a, b], 'members'), many);
});

test('members keep what they have as topics move to a node and back', async () => {
  const words = ['--drain-timeout', '10s'];
  const [a, b] = await startCluster(['a', 'b'], { words });
  const topics = freshTopics();
  const [writer, one, two] = [await connect(a), await connect(a), await connect(b)];
  const workers = [one, two];
  for (const worker of workers) await joinAll(worker, topics);
  for (const payload of [1, 2]) await publishAll(writer, topics, payload);
  // Each has one of each topic, and confirms half of them when c has its topics.
  const had = await Promise.all(workers.map((worker) => worker.events(many)));
  const c = await startNode('c', { join: b, words });
  await agree([a, b, c]);
  workers.forEach((worker, i) => had[i].slice(0, many / 2).forEach((x) => confirm(worker, x)));
  await publishAll(writer, topics, 3);
  await until(() => one.frames.length + two.frames.length === many, 'the third ones');
  for (const worker of workers) had.push(worker.frames.splice(0));
  await leave(c);
  await agree([a, b]);
  workers.forEach((worker, i) => had[i].slice(many / 2).forEach((x) => confirm(worker, x)));
  workers.forEach((worker, i) => had[i + 2].forEach((x) => confirm(worker, x)));
  await until(async () => {
    for (const worker of workers) had.push(await work(worker));
    return await sum([a, b], 'events') === 0;
  }, 'the end');
  // Nobody was told of anything, and had anything twice.
  const seen = had.flat();
  for (const { type, meta } of seen) assert.deepEqual([type, meta.attempt], ['event', undefined]);
  assert.equal(seen.length, 3 * many);
  assert.equal(new Set(seen.map(({ subject, payload }) => `${subject} ${payload}`)).size, 3 * many);
  assert.equal(await sum([a, b], 'members'), 2 * many);
  assert.equal(await sum([a, b], 'lost_total'), 0);
});
