// Connections that open and end abruptly, at random points of their lives,
// leave nothing behind. CALLBOARD_TEST_CYCLES tells how many there are, and
// CALLBOARD_TEST_SEED which.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { connect, endAll } from './support/client.mjs';
import { live } from './support/lives.mjs';
import { leaks, metrics, sum } from './support/metrics.mjs';
import { sleep, slowness, until } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';
import { seeded } from '../support/seeded.mjs';

const cycles = Number(process.env.CALLBOARD_TEST_CYCLES ?? 1000);
const seed = Number(process.env.CALLBOARD_TEST_SEED ?? Date.now() % 2 ** 32);
const atOnce = 32;
const patienceMs = 30000 * slowness;
// What the allocator keeps; a sanitizer also keeps some of what was freed.
const slackKib = (slowness > 1 ? 64 : 8) * 1024;
process.env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=8`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-cycles-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, `
loops = 2
audit-interval = 1s
presence-linger = 0s
group-ack-timeout = 500ms

[topic present/#]
presence = true
`);

const { server: serve } = serveAll();

/// What must be none when all clients are gone.
const transient = ['callboard_connections', 'callboard_subscriptions', 'callboard_topics',
  'callboard_presence_members', 'callboard_group_members', 'callboard_outbox_bytes'];

/// Waits until nothing is left of the clients but what is counted after it.
async function untilRest(server) {
  let left;
  await until(async () => {
    const all = await metrics(server);
    left = transient.filter((name) => sum(all, name) !== 0);
    // One is that of the metrics.
    if (sum(all, 'callboard_sockets') !== 1) left.push('callboard_sockets');
    return left.length === 0;
  }, 'rest', patienceMs).catch((error) => {
    throw new Error(`${error.message}: ${left}`);
  });
}

const descriptors = ({ child }) => fs.readdirSync(`/proc/${child.pid}/fd`).length;

const actors = async (server) => sum(await metrics(server), 'caf_system_running_actors');

const residentKib = ({ child }) =>
  Number(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

/// Lives `count` lives, some at once, beside clients that publish and ask.
async function run(server, count, begin) {
  let next = 0;
  const worker = async () => {
    while (next < count) await live(server, seeded(seed + begin + next++));
  };
  const busy = await connect(server);
  const asking = setInterval(() => {
    busy.frames.length = 0;
    busy.send('publish', 'cycles/news', 'x'.repeat(500), undefined, 0);
    busy.send('publish', 'cycles/work', 'x', undefined, 0);
    busy.send('request', 'cycles/act', 1, { timeoutMs: 200 });
  }, 10);
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
    assert.equal(busy.closeCode, undefined, 'a good client stays');
  } finally {
    clearInterval(asking);
    endAll();
  }
}

test(`${cycles} cycles with seed ${seed}`, async () => {
  const server = await serve(['--config', config]);
  await run(server, Math.min(cycles, 2000), 0);
  await untilRest(server);
  await sleep(1500 * slowness); // for sockets that metrics were asked for on
  const before = {
    descriptors: descriptors(server),
    // One may be counting descriptors.
    actors: Math.min(await actors(server), await actors(server), await actors(server)),
    residentKib: residentKib(server),
  };
  await run(server, cycles, 1_000_000);
  await untilRest(server);
  await until(async () => (await actors(server)) === before.actors,
    'as many actors as before', patienceMs);
  await until(() => descriptors(server) <= before.descriptors,
    `as many descriptors as before, ${before.descriptors}`, patienceMs);
  await sleep(3500 * slowness); // three audits
  const grownKib = residentKib(server) - before.residentKib;
  console.log(`cycles=${cycles} seed=${seed} descriptors=${before.descriptors} `
    + `actors=${before.actors} resident_kib=${before.residentKib} grown_kib=${grownKib}`);
  assert.ok(grownKib <= slackKib, `resident memory has grown by ${grownKib} KiB`);
  assert.deepEqual(leaks(await metrics(server)), {});
});
