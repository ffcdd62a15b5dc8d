// A rolling restart: each node of a cluster ends and comes back, under clients of
// the SDK that publish, subscribe and ask. CALLBOARD_TEST_CLIENTS=300 makes more
// of them than CI has time for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agree, endNodes, leave, startNode } from './support/cluster.mjs';
import { startWorkers } from './support/cluster_workers.mjs';
import { sleep, slowness, until } from './support/server.mjs';
import { writeFile } from './support/certificates.mjs';
import { makeKey, sign, writeJwks } from './support/tokens.mjs';

endNodes();

const clients = Number(process.env.CALLBOARD_TEST_CLIENTS ?? 60);
const patienceMs = 60000 * slowness;
// 200 publications and 200 requests a second, however many clients.
const pauseMs = 5 * clients;

const config = writeFile('callboard.conf', '[topic #]\nhistory-size = 1000\n');
const key = await makeKey('HS256', 'a');
const words = ['--config', config, '--token-jwks', writeJwks('rolling.json', [key]),
  '--drain-timeout', '2s'];

test(`${clients} clients stay through a rolling restart of all nodes`, async () => {
  const names = ['a', 'b', 'c'];
  const nodes = [];
  for (const name of names) nodes.push(await startNode(name, { join: nodes, words }));
  await agree(nodes);
  const urls = nodes.map(({ ws }) => ws);
  const tokens = await Promise.all(Array.from({ length: clients }, (_, i) =>
    sign(key, `user ${i}`)));
  const { workers, connected, settle } = startWorkers(urls, clients, (i) => ({
    token: tokens[i], codec: i % 2 ? 'json' : 'msgpack', backoff: { baseMs: 250, capMs: 2000 },
  }), pauseMs);
  await until(() => connected() === clients, 'all clients', patienceMs);
  for (const [i, node] of nodes.entries()) {
    await sleep(500);
    const begin = performance.now();
    await leave(node);
    const others = nodes.filter((one) => one !== node);
    await agree(others);
    nodes[i] = await startNode(node.name,
      { join: others, listen: node.address, port: node.port, words });
    // A client may be at any node; the view says when the next one may go.
    await agree(nodes);
    console.log(`${node.name}: whole again after ${Math.round(performance.now() - begin)} ms`);
  }
  await until(() => connected() === clients, 'all clients again', patienceMs);
  const total = await settle(patienceMs);
  console.log(JSON.stringify(total));
  assert.ok(total.published > clients && total.answered > clients, 'there was a load');
  for (const { client } of workers) {
    assert.equal(client.state, 'connected');
    client.close();
  }
});
