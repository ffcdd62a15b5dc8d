// Durable topics with copies: the node that owns them is killed under load, and
// they go on at another one, in the same epoch, until it is back. Nothing that
// was acknowledged is missing, nothing is there twice, and nobody misses
// anything without being told. CALLBOARD_TEST_KILLS says how often.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agree, endNodes, kill, timeoutMs,
} from './support/cluster.mjs';
import { durableCluster } from './support/durable_cluster.mjs';
import { Ledger } from './support/ledger.mjs';
import { sleep, slowness, until } from './support/server.mjs';

endNodes();

const kills = Number(process.env.CALLBOARD_TEST_KILLS ?? 2);
// So many that each of three nodes owns some, whatever their names hash to.
const topics = Array.from({ length: 30 }, (_, i) => `orders/${i}`);

// Two copies; the third node has promises only.
const {
  connectAs, follow, read, startAgain, startAll, startWriter,
} = await durableCluster('durability = disk\nreplicas = 2\nhistory-size = 100000\n', topics);

const epochOf = async (client, topic) =>
  (await client.ok('request', 'callboard.position', { topic })).epoch;

test(`${kills} kills of an owner lose nothing, and its topics go on`, async () => {
  const ledger = new Ledger();
  const accepted = new Map(topics.map((topic) => [topic, new Map()]));
  const [a, b, first] = await startAll('replicas');
  let c = first;
  const readers = [await follow(a, ledger), await follow(b, ledger)];
  const writers = [await startWriter(a, ledger, accepted), await startWriter(b, ledger, accepted)];
  const asker = await connectAs(a, 'asker');
  const sizes = () => new Map(topics.map((topic) => [topic, accepted.get(topic).size]));
  const goOn = (what) => {
    const before = sizes();
    return until(() => topics.every((topic) =>
      accepted.get(topic).size > before.get(topic) + 3), what);
  };
  await goOn('the load');
  const epochs = new Map(await Promise.all(topics.map(async (topic) =>
    [topic, await epochOf(asker, topic)])));
  for (let round = 0; round < kills; ++round) {
    await sleep(500 * slowness);
    await kill(c);
    await agree([a, b], timeoutMs + 5000 * slowness);
    await goOn('all topics to go on without c');
    c = await startAgain(c, 'replicas', a);
    await agree([a, b, c]);
    await goOn('all topics to go on with c');
  }
  await Promise.all(writers.map((writer) => writer.stop()));
  assert.ok(writers.some(({ refused }) => refused.count > 0), 'something was refused');
  const checkAll = async () => {
    for (const topic of topics) {
      const { epoch, events } = await read(asker, topic);
      assert.equal(epoch, epochs.get(topic), topic);
      assert.deepEqual(events.map(({ offset }) => offset), events.map((_, i) => i + 1), topic);
      const payloads = events.map(({ payload }) => payload);
      assert.equal(new Set(payloads).size, payloads.length, `${topic} has something twice`);
      for (const [offset, payload] of accepted.get(topic)) {
        assert.equal(payloads[offset - 1], payload, `${topic} ${offset}`);
      }
    }
  };
  for (const topic of topics) {
    const last = { epoch: epochs.get(topic), offset: Math.max(...accepted.get(topic).keys()) };
    await until(() => readers.every((reader) => reader.has(topic, last)), `all of ${topic}`);
  }
  await checkAll();
  ledger.check();
  // What c has owned since it came back is on the disk of another one, too.
  await kill(c);
  await agree([a, b], timeoutMs + 5000 * slowness);
  await until(async () => (await Promise.all(topics.map((topic) =>
    asker.call('request', 'callboard.position', { topic })))).every(({ type }) => type !== 'error'),
  'all topics to be served');
  await checkAll();
  const total = [...accepted.values()].reduce((sum, { size }) => sum + size, 0);
  console.log(`${total} events; gaps that were told: ${readers.map((reader) => reader.gaps)}`);
});

test('without a majority nothing is acknowledged', async () => {
  const [a, b, c] = await startAll('alone');
  const writer = await connectAs(a, 'ann');
  await until(async () => (await Promise.all(topics.map((topic) =>
    writer.call('publish', topic, '1')))).every(({ type }) => type !== 'error'), 'the topics');
  await Promise.all([kill(b), kill(c)]);
  await agree([a], timeoutMs + 5000 * slowness);
  const answers = await Promise.all(topics.map((topic) => writer.call('publish', topic, '2')));
  assert.deepEqual(answers.filter(({ type }) => type !== 'error'), []);
});
