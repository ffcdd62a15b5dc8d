// A node that is killed and started again, under clients of the SDK that
// publish with ids. CALLBOARD_TEST_RESTARTS, _CLIENTS and _SECONDS make more of
// it than CI has time for: 20, 200 and 300.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { connectSdk, countingWebSocket } from './support/sdk.mjs';
import {
  checkComplete, checkKept, checkOrder, mostWithin, readKept, startWorkers,
} from './support/sdk_load.mjs';
import { sleep, slowness, startServer, until } from './support/server.mjs';
import { makeKey, sign, writeJwks } from './support/tokens.mjs';

const restarts = Number(process.env.CALLBOARD_TEST_RESTARTS ?? 3);
const clients = Number(process.env.CALLBOARD_TEST_CLIENTS ?? 40);
const seconds = Number(process.env.CALLBOARD_TEST_SECONDS ?? 12);
const patienceMs = 60000 * slowness;
// The bound of the first wait. The node stays away longer than that.
const windowMs = 1000;
const awayMs = 1.5 * windowMs;
// Where restarts follow each other so closely that waits never begin anew, they
// have a lower bound, for the sake of time.
const backoff = seconds / restarts < 12 ? { baseMs: windowMs, capMs: 4 * windowMs }
  : { baseMs: windowMs };

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-sdk-restarts-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, '[topic #]\ndurability = disk\nhistory-size = 100000\n');

const key = await makeKey('HS256', 'a');
const words = ['--config', config, '--store-dir', path.join(folder, 'store'), '--loops', '2',
  '--token-jwks', writeJwks('restarts.json', [key])];

let server;
after(() => server?.child.kill('SIGKILL'));

test(`${clients} clients come back from ${restarts} restarts`, async () => {
  server = await startServer(words);
  const tokens = await Promise.all(Array.from({ length: clients }, (_, i) =>
    sign(key, `user ${i}`)));
  const { WebSocket, tries } = countingWebSocket();
  const { workers, settle } = startWorkers(server.ws, clients, (i) => ({
    token: tokens[i], WebSocket, codec: i % 2 ? 'json' : 'msgpack', backoff,
  }), { pauseMs: 5 * clients });
  const connected = () => workers.filter(({ client }) => client.state === 'connected').length;
  await until(() => connected() === clients, 'all clients', patienceMs);
  assert.equal(tries.length, clients);
  const begin = performance.now();
  const back = [];
  for (let n = 1; n <= restarts; ++n) {
    await sleep(begin + (n - 0.5) * 1000 * seconds / restarts - performance.now());
    server.child.kill('SIGKILL');
    await server.exited;
    const killed = performance.now();
    await sleep(awayMs);
    server = await startServer(words, { listen: `127.0.0.1:${server.port}` });
    // The next one may come before everybody is back, but for the last one.
    until(() => connected() === clients, 'all clients', patienceMs)
      .then(() => back.push(Math.round(performance.now() - killed)), () => {});
  }
  await sleep(begin + 1000 * seconds - performance.now());
  await settle(patienceMs);
  const most = mostWithin(tries.slice(clients), windowMs);
  assert.ok(most < 2 * clients, `${most} tries within ${windowMs} ms`);
  checkOrder(workers);
  assert.deepEqual(workers.flatMap(({ gaps }) => gaps), []);
  const reader = await connectSdk(server.ws, { token: tokens[0] });
  const kept = await readKept(reader, workers);
  checkKept(workers, kept);
  checkComplete(workers, kept);
  const acknowledged = workers.reduce((sum, one) => sum + one.acknowledged.size, 0);
  assert.ok(acknowledged > clients * restarts, `${acknowledged} publications`);
  const problems = workers.flatMap(({ client }) => client.problems);
  console.log(`${restarts} restarts, ${acknowledged} publications, ${tries.length - clients} tries, `
    + `at most ${most} within ${windowMs} ms; all back after ${back.join(', ')} ms; `
    + `${problems.length} problems told`);
  for (const { client } of workers) client.close();
  await server.stop();
});
