// Nodes that lose each other and not their clients: each on a host of its own,
// with wires between these that are cut, or bad. Clients at all of them publish
// and subscribe all the time, and nobody of them may see two orders or miss
// something without being told. CALLBOARD_TEST_SECONDS=60 cuts more than in CI,
// CALLBOARD_TEST_SEED the same again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeNetwork } from './support/network.mjs'; // first: without one it ends here
import { makeCa, makeCertificate, writeFile } from './support/certificates.mjs';
import { startLoad } from './support/cluster_load.mjs';
import { agree, cluster, endNodes, startNode, timeoutMs, upAt } from './support/cluster.mjs';
import { metrics, sum } from './support/metrics.mjs';
import { sleep, slowness } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';
import { seeded } from '../support/seeded.mjs';

endNodes();

const names = ['a', 'b', 'c'];
const network = await makeNetwork(names);
const { hosts, wire } = network;
const adminKey = 'a-key-of-some-length';
const keyFile = writeFile('admin.key', adminKey);
const ca = makeCa('cluster');
const port = 8180;

// So many that each node owns some, whatever their names hash to.
const topics = Array.from({ length: 30 }, (_, i) => `${freshTopic()}/${i}`);

// What it may take until a view that is wanted is there: what is cut is noticed,
// and then agreed on; what can be reached again is dialed.
const partMs = timeoutMs + 5000 * slowness;
const healMs = 2 * timeoutMs + 10000 * slowness;

/// Starts a node on the host of its name.
async function startAt(name, words) {
  const { address, clients, via } = hosts[name];
  const node = await startNode(name, {
    listen: `${address}:${port}`, join: names.map((one) => `${hosts[one].address}:${port}`),
    clients, via, words: ['--admin-key-file', keyFile, ...words], adminKey,
  });
  return node;
}

/// Starts all nodes, the first one first, and clients at them.
async function startAll(words = () => ['--cluster-insecure']) {
  // As whatever went wrong before may have left them.
  await wires('a', ['b', 'c'], well);
  await wires('b', ['c'], well);
  const nodes = [];
  for (const name of names) {
    nodes.push(await startAt(name, words(name)));
    await agree(nodes);
  }
  const load = await startLoad(nodes, topics);
  await load.isOne(nodes);
  return { nodes, load };
}

/// Does the same to both directions between one host and others.
async function wires(one, others, state) {
  for (const other of others) {
    await wire(one, other, state);
    await wire(other, one, state);
  }
}

const cut = { loss: 1 };
const well = { loss: 0 };

test('both sides of a cut go on, and are one again when it heals', async () => {
  const certificates = (name) => {
    const { cert, key } = makeCertificate(ca, name);
    return ['--cluster-cert', cert, '--cluster-key', key, '--cluster-ca', ca.cert];
  };
  const { nodes: [a, b, c], load } = await startAll(certificates);
  await wires('c', ['a', 'b'], cut);
  await Promise.all([agree([a, b], partMs), agree([c], partMs)]);
  await Promise.all([load.isOne([a, b]), load.isOne([c])]);
  await wires('c', ['a', 'b'], well);
  await agree([a, b, c], healMs);
  await load.isOne([a, b, c]);
  // The larger part's view went on.
  assert.equal((await cluster(c)).coordinator, 'a');
  console.log('refused for a while:', JSON.stringify(await load.stop()));
});

test('all are alone, and find each other', async () => {
  const { nodes, load } = await startAll();
  await wires('a', ['b', 'c'], cut);
  await wires('b', ['c'], cut);
  await Promise.all(nodes.map((node) => agree([node], partMs)));
  await Promise.all(nodes.map((node) => load.isOne([node])));
  await wires('a', ['b', 'c'], well);
  await wires('b', ['c'], well);
  await agree(nodes, healMs);
  await load.isOne(nodes);
  await load.stop();
});

test('where one hears another and is not heard, one of the two leaves', async () => {
  const { nodes: [a, b, c], load } = await startAll();
  await wire('a', 'b', cut);
  // All members of a view hear all. It is a that stays, which is the older one, but where b has
  // taken c along before a knew.
  const ends = [[[a, c], [b]], [[b, c], [a]]];
  const parts = await Promise.any(ends.map(async (end) => {
    await Promise.all(end.map((part) => agree(part, partMs)));
    return end;
  }));
  await Promise.all(parts.map((part) => load.isOne(part)));
  await wire('a', 'b', well);
  await agree([a, b, c], healMs);
  await load.isOne([a, b, c]);
  await load.stop();
});

test('a link that comes and goes ends in one view', async () => {
  const { nodes, load } = await startAll();
  for (let i = 0; i < 5; ++i) {
    hosts.c.link(false);
    await sleep(300);
    hosts.c.link(true);
    await sleep(300);
  }
  await agree(nodes, healMs);
  await load.isOne(nodes);
  await load.stop();
});

test('whatever is cut, and when, it ends in one view', async () => {
  const seed = Number(process.env.CALLBOARD_TEST_SEED ?? Date.now() % 1e6);
  console.log(`CALLBOARD_TEST_SEED=${seed}`);
  const random = seeded(seed);
  const { nodes, load } = await startAll();
  const end = performance.now() + 1000 * Number(process.env.CALLBOARD_TEST_SECONDS ?? 4);
  while (performance.now() < end) {
    // Short, so that views are agreed on meanwhile, or long enough for parts.
    const from = names[Math.floor(3 * random())];
    const to = names.filter((name) => name !== from)[Math.floor(2 * random())];
    await wire(from, to, { loss: Math.floor(2 * random()), delayMs: 20 * random() });
    await sleep(random() < 0.1 ? 2 * timeoutMs : 400 * random());
  }
  await wires('a', ['b', 'c'], well);
  await wires('b', ['c'], well);
  await agree(nodes, healMs);
  await load.isOne(nodes);
  await load.stop();
});

test('a slow network that loses packets changes nothing', async () => {
  const { nodes, load } = await startAll();
  const counts = () => Promise.all(nodes.map(async (node) => {
    const all = await metrics(node);
    return ['views_total', 'overflows_total', 'members'].map((name) =>
      sum(all, `callboard_cluster_${name}`));
  }));
  const before = await counts();
  const bad = { loss: 0.05, delayMs: 50 };
  await wires('a', ['b', 'c'], bad);
  await wires('b', ['c'], bad);
  await sleep(2 * timeoutMs);
  await load.isOne(nodes);
  assert.deepEqual(await counts(), before);
  for (const node of nodes) assert.deepEqual(await upAt(node), names);
  await wires('a', ['b', 'c'], well);
  await wires('b', ['c'], well);
  await load.stop();
});
