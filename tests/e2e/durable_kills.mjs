// A node that is killed under load, again and again: everything that it had
// acknowledged is there, in order and once. CALLBOARD_TEST_KILLS says how often;
// CALLBOARD_TEST_SEED begins another row of moments.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { connect } from './support/client.mjs';
import { run, startServer } from './support/server.mjs';

const kills = Number(process.env.CALLBOARD_TEST_KILLS ?? 5);
let state = Number(process.env.CALLBOARD_TEST_SEED ?? 1);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-kills-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
const store = path.join(folder, 'store');
fs.writeFileSync(config, '[topic #]\ndurability = disk\nhistory-size = 100000\n');

const clients = 8;
const topics = 3;
const inflight = 32;

/// Returns a number from 0 to n − 1 (a linear congruential generator).
function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * n);
}

/// Publishes without an end; calls `acknowledged(topic, offset, payload)`.
async function publish(client, name, acknowledged) {
  const one = async (slot) => {
    for (let n = 0; ; ++n) {
      const topic = `t/${(slot + n) % topics}`;
      const payload = `${name}.${slot}.${n}`;
      const { offset } = await client.ok('publish', topic, payload, { id: payload });
      acknowledged(topic, offset, payload);
    }
  };
  // Each ends when the connection does.
  await Promise.allSettled(Array.from({ length: inflight }, (_, slot) => one(slot)));
}

/// Returns all events of a topic after an offset.
async function read(client, topic, epoch, offset) {
  const result = [];
  for (let more = true; more;) {
    const page = await client.ok('request', 'callboard.history',
      { topic, limit: 1000, since: { epoch, offset } });
    result.push(...page.events);
    ({ more } = page);
    if (page.events.length > 0) ({ offset } = page.events.at(-1));
  }
  return result;
}

test(`${kills} kills under load lose nothing`, async () => {
  const seen = new Set();
  const known = new Map();
  let total = 0;
  for (let round = 0; round <= kills; ++round) {
    const server = await startServer(['--config', config, '--store-dir', store, '--loops', '2']);
    const reader = await connect(server);
    for (const [topic, x] of known) {
      const { epoch, offset } = await reader.ok('request', 'callboard.position', { topic });
      assert.equal(epoch, x.epoch, topic);
      const events = await read(reader, topic, epoch, x.offset);
      assert.deepEqual(events.map((event) => event.offset),
        Array.from({ length: offset - x.offset }, (_, i) => x.offset + 1 + i));
      for (const event of events) {
        assert.ok(!seen.has(event.payload), `${event.payload} is there twice`);
        seen.add(event.payload);
        const wanted = x.acknowledged.get(event.offset);
        if (wanted !== undefined) assert.equal(event.payload, wanted);
        x.acknowledged.delete(event.offset);
      }
      assert.equal(x.acknowledged.size, 0, `round ${round}: ${topic} has lost something`);
      total += events.length;
      x.offset = offset;
    }
    if (round === kills) {
      assert.equal((await server.stop()).code, 0);
      break;
    }
    for (let i = 0; i < topics; ++i) {
      const topic = `t/${i}`;
      if (known.has(topic)) continue;
      const { epoch } = await reader.ok('publish', topic, `first of ${topic}`);
      known.set(topic, { epoch, offset: 0, acknowledged: new Map([[1, `first of ${topic}`]]) });
    }
    let left = 1 + random(3000);
    const count = (topic, offset, payload) => {
      known.get(topic).acknowledged.set(offset, payload);
      if (--left === 0) server.child.kill('SIGKILL');
    };
    const all = await Promise.all(Array.from({ length: clients }, () => connect(server)));
    await Promise.all(all.map((client, i) => publish(client, `${round}.${i}`, count)));
    await server.exited;
  }
  assert.ok(total > kills);
  const result = await run(['store', 'check', '--store-dir', store]);
  assert.equal(result.code, 0, result.stderr);
  console.log(`${kills} kills, ${total} events`);
});
