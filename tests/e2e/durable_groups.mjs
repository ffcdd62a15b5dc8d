// Workers of a group on a durable topic, and a node that is killed again and
// again while some of them, or none, are there: everything that was acknowledged
// is confirmed by one of them in the end. CALLBOARD_TEST_KILLS says how often;
// CALLBOARD_TEST_SEED begins another row of moments.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { connect } from './support/client.mjs';
import { metric } from './support/group_load.mjs';
import { run, slowness, startServer, until } from './support/server.mjs';

const kills = Number(process.env.CALLBOARD_TEST_KILLS ?? 6);
let state = Number(process.env.CALLBOARD_TEST_SEED ?? 1);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-durable-groups-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
const store = path.join(folder, 'store');
// What a topic has in memory is far less than what waits here.
fs.writeFileSync(config, `
history-bytes-max = 64KiB
group-pending-max = 50
group-inflight-max = 8

[topic jobs/+]
durability = disk
history-size = 100000
`);
const words = ['--config', config, '--store-dir', store, '--loops', '2'];

const topics = ['jobs/a', 'jobs/b'];
const publishers = 4;
const inflight = 16;
const asMember = { group: 'workers', ack: true };

/// Returns a number from 0 to n − 1 (a linear congruential generator).
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * n);
}

/// Publishes until the connection ends; calls `acknowledged(payload)`.
async function publish(client, name, acknowledged) {
  const one = async (slot) => {
    for (let n = 0; ; ++n) {
      const payload = `${name}.${slot}.${n}`;
      await client.ok('publish', topics[(slot + n) % topics.length], payload,
        n % 2 === 0 ? undefined : { key: `k${n % 7}` });
      acknowledged(payload);
    }
  };
  await Promise.allSettled(Array.from({ length: inflight }, (_, slot) => one(slot)));
}

/// Is a member of all groups until the connection ends; calls `confirmed(event)`
/// with each that it confirms. One that is careless forgets some.
async function work(server, isCareless, confirmed) {
  const client = await connect(server);
  for (const topic of topics) await client.ok('subscribe', topic, null, asMember);
  const working = (async () => {
    for (;;) {
      const event = await client.take('event', 600000);
      if (isCareless && random(50) === 0) continue;
      confirmed(event);
      client.send('ack', '', null, undefined, event.seqId);
    }
  })();
  working.catch(() => {});
  return client;
}

test(`${kills} kills lose nothing that a group was to get`, async () => {
  const wanted = new Set();
  const handled = new Map();
  let backlog = 0;
  const confirm = ({ payload }) => handled.set(payload, (handled.get(payload) ?? 0) + 1);
  for (let round = 0; round < kills; ++round) {
    const server = await startServer(words);
    // The groups are there before the first event; later on often nobody is.
    const workers = round === 0 ? 1 : random(3);
    for (let i = 0; i < workers; ++i) await work(server, true, confirm);
    let left = 1 + random(1500);
    const all = await Promise.all(Array.from({ length: publishers }, () => connect(server)));
    await Promise.all(all.map((client, i) => publish(client, `${round}.${i}`, (payload) => {
      wanted.add(payload);
      if (--left === 0) server.child.kill('SIGKILL');
    })));
    await server.exited;
    backlog = Math.max(backlog, [...wanted].filter((payload) => !handled.has(payload)).length);
  }
  const server = await startServer(words);
  for (let i = 0; i < 3; ++i) await work(server, false, confirm);
  const missing = () => [...wanted].filter((payload) => !handled.has(payload));
  await until(() => missing().length === 0, 'all of the work', 60000 * slowness).catch(() => {});
  assert.deepEqual(missing().slice(0, 10), [], `${missing().length} of ${wanted.size} are lost`);
  await until(async () => await metric(server, 'callboard_group_events') === 0, 'the last confirmations');
  assert.equal(await metric(server, 'callboard_group_lost_total'), 0);
  assert.equal(await metric(server, 'callboard_group_dead_letters_total'), 0);
  const again = await metric(server, 'callboard_group_redeliveries_total');
  assert.equal((await server.stop()).code, 0);
  const twice = [...handled.values()].filter((n) => n > 1).length;
  console.log(`${kills} kills, ${wanted.size} events, a backlog of ${backlog}, ${twice} confirmed twice, ${again} redelivered in the end`);

  // After a clean end the places are exact.
  const check = await run(['store', 'check', '--store-dir', store]);
  assert.equal(check.code, 0, check.stderr);
  assert.match(check.stdout, /places of 2 groups/);
  const { stdout } = await run(['store', 'export', '--groups', '--store-dir', store]);
  const places = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(places.map(({ topic, group, open }) => [topic, group, open]),
    topics.map((topic) => [topic, 'workers', []]));
  const next = await startServer(words);
  const one = await connect(next);
  for (const { topic, epoch, place } of places) {
    assert.deepEqual(await one.ok('subscribe', topic, null, asMember), { epoch, offset: place, recovered: true });
    assert.equal((await one.ok('request', 'callboard.position', { topic })).offset, place);
  }
  assert.equal((await next.stop()).code, 0);
});

test('a backlog that is larger than the memory comes whole and in order', async () => {
  const server = await startServer(words);
  const [one, two] = [await connect(server), await connect(server)];
  await one.ok('subscribe', 'jobs/order', null, { group: 'g', ack: true });
  one.end();
  const filler = 'x'.repeat(100);
  for (let i = 0; i < 5000; i += 250) {
    await Promise.all(Array.from({ length: 250 }, (_, n) => two.ok('publish', 'jobs/order', `${i + n} ${filler}`)));
  }
  assert.ok(await metric(server, 'callboard_history_bytes') <= 64 * 1024);
  server.child.kill('SIGKILL');
  await server.exited;
  const next = await startServer(words);
  const three = await connect(next);
  const { offset, recovered } = await three.ok('subscribe', 'jobs/order', null, { group: 'g' });
  assert.deepEqual([offset, recovered], [0, true]);
  const got = await three.events(5000);
  assert.deepEqual(got.map(({ payload }) => parseInt(payload, 10)), Array.from({ length: 5000 }, (_, i) => i));
  assert.equal(await metric(next, 'callboard_group_lost_total'), 0);
  await next.stop();
});
