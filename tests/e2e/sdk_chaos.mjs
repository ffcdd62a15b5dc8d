// Clients of the SDK behind a network that delays, splits, truncates and drops.
// CALLBOARD_TEST_SECONDS (300 for more than CI has time for) and
// CALLBOARD_TEST_SEED, which is printed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { rough } from '../support/chaos_plan.mjs';
import { startChaosProxy } from '../support/chaos_proxy.mjs';
import { seeded } from '../support/seeded.mjs';
import { connectSdk } from './support/sdk.mjs';
import {
  checkComplete, checkKept, checkOrder, readKept, startWorkers,
} from './support/sdk_load.mjs';
import { sleep, slowness, startServer, until } from './support/server.mjs';
import { makeKey, sign, writeJwks } from './support/tokens.mjs';

const seconds = Number(process.env.CALLBOARD_TEST_SECONDS ?? 8);
const clients = Number(process.env.CALLBOARD_TEST_CLIENTS ?? 24);
const seed = Number(process.env.CALLBOARD_TEST_SEED ?? Date.now() % 2 ** 32);
const patienceMs = 60000 * slowness;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-sdk-chaos-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, '[topic #]\nhistory-size = 100000\n');

const rejections = [];
process.on('unhandledRejection', (error) => rejections.push(error));

let server;
let proxy;
after(async () => {
  await proxy?.stop();
  server?.child.kill('SIGKILL');
});

test(`${clients} clients get through ${seconds} s of trouble (seed ${seed})`, async () => {
  console.log(`CALLBOARD_TEST_SEED=${seed}`);
  const key = await makeKey('HS256', 'a');
  server = await startServer(['--config', config, '--loops', '2',
    '--ping-interval', '1s', '--ping-timeout', '3s',
    '--token-jwks', writeJwks('chaos.json', [key])]);
  proxy = await startChaosProxy(server.port,
    { seed, settings: { ...rough, mortal: 1, lifeMsMax: 4000, stallMs: 2 * patienceMs } });
  const tokens = await Promise.all(Array.from({ length: clients }, (_, i) =>
    sign(key, `user ${i}`)));
  const { workers, settle } = startWorkers(`ws://127.0.0.1:${proxy.port}/ws`, clients, (i) => ({
    token: tokens[i],
    codec: i % 2 ? 'json' : 'msgpack',
    random: seeded(seed + i),
    backoff: { baseMs: 50, capMs: 1000 },
    connectTimeout: 2000,
    heartbeat: { intervalMs: 500, timeoutMs: 1500 },
  }), { pauseMs: 50 });
  await sleep(1000 * seconds);
  proxy.calm();
  const connected = () => workers.filter(({ client }) => client.state === 'connected').length;
  await until(() => connected() === clients, 'all clients', patienceMs).catch((error) => {
    throw new Error(`${error.message}: ${connected()} of ${clients}`);
  });
  await settle(patienceMs);
  const { counts } = proxy;
  for (const kind of ['refused', ...rough.ends]) assert.ok(counts[kind] > 0, `no ${kind}`);
  checkOrder(workers);
  assert.deepEqual(workers.flatMap(({ gaps }) => gaps), []);
  const reader = await connectSdk(server.ws, { token: tokens[0] });
  const kept = await readKept(reader, workers);
  checkKept(workers, kept);
  checkComplete(workers, kept);
  assert.deepEqual(rejections, []);
  const acknowledged = workers.reduce((sum, one) => sum + one.acknowledged.size, 0);
  console.log(`${acknowledged} publications, ${JSON.stringify(counts)}`);
  for (const { client } of workers) client.close();
  await server.stop();
});
