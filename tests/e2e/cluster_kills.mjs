// A node that is killed under load: how long its topics stand still, and that
// nobody sees two orders or misses something without being told.
// CALLBOARD_TEST_RATE=5000 publishes more than CI has time for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLoad } from './support/cluster_load.mjs';
import { agree, endNodes, kill, startCluster, startNode, timeoutMs } from './support/cluster.mjs';
import { sleep, slowness } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';

endNodes();

const perSecond = Number(process.env.CALLBOARD_TEST_RATE ?? 500);
// So many that each node owns some, whatever their names hash to.
const topics = Array.from({ length: 60 }, () => freshTopic());

test(`a node is killed under ${perSecond} publications a second, and comes back`, async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const [a, b, c] = nodes;
  // Not at c: its clients would be gone with it.
  const load = await startLoad([a, b], topics, perSecond / 2);
  await load.isOne([a, b]);
  const begin = performance.now();
  const before = [a, b].map((node) => load.at(node).accepted);
  await sleep(1000);
  const reached = [a, b].reduce((sum, node, i) => sum + load.at(node).accepted - before[i], 0)
    / (performance.now() - begin) * 1000;
  const killed = performance.now();
  await kill(c);
  await agree([a, b], timeoutMs + 5000 * slowness);
  await load.isOne([a, b]);
  const stillMs = [a, b].flatMap((node) => [...load.at(node).epochs.values()])
    .map(({ sinceMs }) => Math.round(sinceMs - killed)).filter((ms) => ms > 0);
  assert.ok(stillMs.length > 0, 'it owned topics');
  console.log(`${Math.round(reached)} a second; ${stillMs.length / 2} of ${topics.length} topics `
    + `stood still for at most ${Math.max(...stillMs)} ms, with a timeout of ${timeoutMs} ms`);
  assert.ok(Math.max(...stillMs) < timeoutMs + 5000 * slowness);
  await agree([a, b, await startNode('c', { join: a, listen: c.address })]);
  await load.isOne([a, b]);
  console.log('refused for a while:', JSON.stringify(await load.stop()));
});
