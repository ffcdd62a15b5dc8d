// Durable topics of a cluster: the node that keeps them is killed under load and
// comes back on its store. Nothing that was acknowledged is missing, nothing is
// there twice, and nobody misses anything without being told.
// CALLBOARD_TEST_KILLS says how often.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectError } from './support/client.mjs';
import {
  agree, cluster, endNodes, kill, leave, startNode, timeoutMs,
} from './support/cluster.mjs';
import { durableCluster } from './support/durable_cluster.mjs';
import { Ledger } from './support/ledger.mjs';
import { patienceMs, sleep, slowness, until } from './support/server.mjs';

endNodes();

const kills = Number(process.env.CALLBOARD_TEST_KILLS ?? 2);
// So many that each of three nodes keeps some, whatever their names hash to.
const topics = Array.from({ length: 30 }, (_, i) => `orders/${i}`);

const {
  connectAs, follow, jwks, config, publish, read, startAgain, startAll, startWriter,
} = await durableCluster('durability = disk\nhistory-size = 100000\n', topics);

/// Returns the topics that a node keeps: those that are refused while it is away.
async function refusedAt(client) {
  const answers = await Promise.all(topics.map((topic) =>
    client.call('request', 'callboard.position', { topic })));
  const refused = topics.filter((_, i) => answers[i].type === 'error');
  for (const answer of answers) {
    if (answer.type === 'error') expectError(answer, 305, 'owner_down');
  }
  return refused;
}

test(`${kills} kills of a node that keeps topics lose nothing`, async () => {
  const ledger = new Ledger();
  const accepted = new Map(topics.map((topic) => [topic, new Map()]));
  const [a, b, first] = await startAll('kills');
  let c = first;
  const readers = [await follow(a, ledger), await follow(b, ledger)];
  const writers = [await startWriter(a, ledger, accepted), await startWriter(b, ledger, accepted)];
  const asker = await connectAs(a, 'asker');
  await until(() => topics.every((topic) => accepted.get(topic).size > 3), 'the load');
  const epochs = new Map(await Promise.all(topics.map(async (topic) =>
    [topic, (await asker.ok('request', 'callboard.position', { topic })).epoch])));
  for (let round = 0; round < kills; ++round) {
    await sleep(500 * slowness);
    await kill(c);
    await agree([a, b], timeoutMs + 5000 * slowness);
    assert.deepEqual((await cluster(a)).storeNodesAbsent, ['c']);
    const away = await refusedAt(asker);
    assert.ok(away.length > 0 && away.length < topics.length, `${away.length} are away`);
    // Those of the others go on, and nobody else takes these.
    const sizes = new Map(topics.map((topic) => [topic, accepted.get(topic).size]));
    const others = topics.filter((topic) => !away.includes(topic));
    await until(() => others.every((topic) => accepted.get(topic).size > sizes.get(topic) + 3),
      'the topics of the others to go on');
    for (const topic of away) assert.equal(accepted.get(topic).size, sizes.get(topic), topic);
    c = await startAgain(c, 'kills', a);
    await agree([a, b, c]);
    assert.deepEqual((await cluster(a)).storeNodesAbsent, []);
    await until(() => topics.every((topic) => accepted.get(topic).size > sizes.get(topic) + 3),
      'all topics to go on');
  }
  await Promise.all(writers.map((writer) => writer.stop()));
  assert.ok(writers.every(({ refused }) => refused.count > 0), 'something was refused');
  for (const topic of topics) {
    const last = { epoch: epochs.get(topic), offset: Math.max(...accepted.get(topic).keys()) };
    await until(() => readers.every((reader) => reader.has(topic, last)), `all of ${topic}`);
    const { epoch, events } = await read(asker, topic);
    assert.equal(epoch, epochs.get(topic), topic);
    assert.deepEqual(events.map(({ offset }) => offset), events.map((_, i) => i + 1), topic);
    const payloads = events.map(({ payload }) => payload);
    assert.equal(new Set(payloads).size, payloads.length, `${topic} has something twice`);
    for (const [offset, payload] of accepted.get(topic)) {
      assert.equal(payloads[offset - 1], payload, `${topic} ${offset}`);
    }
  }
  ledger.check();
  const total = [...accepted.values()].reduce((sum, { size }) => sum + size, 0);
  console.log(`${total} events; gaps that were told: ${readers.map((reader) => reader.gaps)}`);
});

test('a node that ends and comes back keeps its topics', async () => {
  const [a, b, c] = await startAll('ends');
  const [writer, reader] = [await connectAs(a, 'ann'), await connectAs(b, 'bob')];
  for (const topic of topics) await reader.ok('subscribe', topic);
  const before = await Promise.all(topics.map((topic) => publish(writer, topic, 'before')));
  await leave(c);
  await agree([a, b]);
  const away = await refusedAt(writer);
  assert.ok(away.length > 0 && away.length < topics.length);
  // Nobody at its node has it.
  await writer.fails(305, 'owner_down', 'subscribe', away[0]);
  await agree([a, b, await startAgain(c, 'ends', a)]);
  let now;
  await until(async () => {
    now = await Promise.all(topics.map((topic) => publish(writer, topic, 'now')));
    return now.every(Boolean);
  }, 'all topics to go on', patienceMs);
  for (const [i, topic] of topics.entries()) {
    assert.equal(now[i].epoch, before[i].epoch, topic);
    assert.equal(now[i].offset, 2, topic);
    await reader.take(({ type, subject, payload }) =>
      type === 'event' && subject === topic && payload === 'now');
  }
  const left = await reader.settle();
  assert.deepEqual(left.filter(({ type }) => type === 'position'), []);
});

test('nodes that were told of other store nodes give no topic two owners', async () => {
  const [a, b, c] = await startAll('lists');
  const writer = await connectAs(a, 'ann');
  const before = await publish(writer, topics[0], '1');
  const d = await startNode('d', {
    join: a, words: ['--config', config, '--store-nodes', 'a,b', '--token-jwks', jwks],
  });
  await agree([a, b, c, d]);
  const other = await connectAs(d, 'bob');
  for (const client of [writer, other]) {
    for (const topic of topics) {
      expectError(await client.call('publish', topic, '2'), 305, 'owner_down');
    }
  }
  await a.logged(/cluster_store_nodes_differ .*members="d"/);
  await leave(d);
  await agree([a, b, c]);
  assert.deepEqual(await publish(writer, topics[0], '2'),
    { ...before, offset: Number(before.offset) + 1 });
});
