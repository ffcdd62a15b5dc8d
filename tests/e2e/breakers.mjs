// Rules for actions: circuit breakers and rates, with a responder that fails,
// gets slow, dies and recovers.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { expectError, frame } from './support/client.mjs';
import { sleep, slowness, until } from './support/server.mjs';
import { suite } from './support/suite.mjs';

// Slower than any answer that is meant to be quick.
const slowMs = 2000 * slowness;
const folder = mkdtempSync(join(tmpdir(), 'callboard-breakers-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
[action recovers]
breaker = on
breaker-requests-min = 5
breaker-window = 1h
breaker-open = 300ms
breaker-open-max = 300ms
breaker-probes = 2

[action slow]
breaker = on
breaker-errors = 0
breaker-latency = ${slowMs - 500}ms
breaker-requests-min = 1
breaker-window = 1h
breaker-open = 300ms
breaker-open-max = 300ms
breaker-probes = 1

[action stays/+]           # open for longer than any test takes
breaker = on
breaker-requests-min = 5
breaker-window = 1h
breaker-open = 1h

[action limited]
rate = 1
burst = 3
`);
after(() => rmSync(folder, { recursive: true }));

const shared = suite(['--loops', '2', '--config', config]);
const { connect } = shared;

/// Returns a client that answers an action's requests as its mood is.
async function moodyResponder(action, mood = 'well') {
  const client = await connect();
  const responder = { client, mood, got: 0 };
  const answer = async ({ seqId }) => {
    ++responder.got;
    if (responder.mood === 'mute') return;
    if (responder.mood === 'ill') {
      // Not of its own: it reaches the asker as responder_failed.
      client.send('error', 'internal', 'I am ill.', { code: 599 }, seqId);
      return;
    }
    if (responder.mood === 'slow') await sleep(slowMs);
    client.send('response', '', 'well', undefined, seqId);
  };
  const serve = async () => {
    for (;;) await answer(await client.take('request', 600000));
  };
  await client.ok('register', action);
  serve().catch(() => {}); // its connection has ended
  return responder;
}

/// Returns the sum of the lines of /metrics that begin with `name` and contain
/// `part`.
async function metric(name, part) {
  const text = await (await fetch(`${shared.server.http}/metrics`)).text();
  return text.split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(part))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

const circuits = (pattern, state) =>
  metric('callboard_action_circuits', `pattern="${pattern}",state="${state}"`);

const openings = (pattern) =>
  metric('callboard_action_circuit_openings_total', `pattern="${pattern}"`);

const refusals = (name) => metric('callboard_requests_total', `outcome="${name}"`);

const isClosed = async (pattern) =>
  await circuits(pattern, 'open') + await circuits(pattern, 'half_open') === 0;

/// Asks until the circuit is open. Returns how many failures that took.
async function openCircuit(asker, action) {
  for (let failures = 0; ; ++failures) {
    const { type, subject } = await asker.call('request', action);
    assert.equal(type, 'error');
    if (subject === 'circuit_open') return failures;
    assert.equal(subject, 'responder_failed');
  }
}

/// Asks until there is an answer.
function untilAnswered(asker, action) {
  return until(async () => {
    const reply = await asker.call('request', action);
    if (reply.type === 'response') return true;
    expectError(reply, 304, 'circuit_open');
    return false;
  }, `an answer from ${action}`);
}

test('a responder that fails is left alone until it is well', async () => {
  const action = 'recovers';
  const [asker, worker] = [await connect(), await moodyResponder(action)];
  assert.equal(await asker.ok('request', action), 'well');
  assert.equal(await openings(action), 0);
  worker.mood = 'ill';
  // With the one that was well these are the least that may open it.
  assert.ok(await openCircuit(asker, action) >= 4);
  assert.ok(await openings(action) >= 1);
  worker.mood = 'well';
  await untilAnswered(asker, action);
  // That was the first probe of two, and this is the second.
  assert.equal(await asker.ok('request', action), 'well');
  assert.ok(await isClosed(action));
  for (let i = 0; i < 20; ++i) await asker.ok('request', action);
});

test('an open circuit keeps requests and notifies from the responder', async () => {
  const action = 'stays/open';
  const before = await refusals('circuit_open');
  const [asker, worker] = [await connect(), await moodyResponder(action, 'ill')];
  assert.equal(await openCircuit(asker, action), 5);
  const error = await asker.fails(304, 'circuit_open', 'request', action);
  assert.equal(error.meta.temporary, true);
  const { retryAfterMs } = error.meta;
  assert.ok(retryAfterMs > 0 && retryAfterMs <= 3600000, `${retryAfterMs}`);
  asker.send('notify', action, 'nobody hears this', undefined, 0);
  await until(async () => await refusals('circuit_open') === before + 3, 'three refusals');
  assert.deepEqual(await worker.client.settle(), []);
  assert.equal(worker.got, 5);
  assert.equal(await circuits('stays/+', 'open'), 1);
  await until(() => shared.server.log.includes(
    `circuit_opened action="${action}" for_ms=3600000 requests=5 failed=5 slow=0`), 'a line in the log');
});

test('a responder that dies has failed, also for the one that follows it', async () => {
  const action = 'stays/dead';
  const opened = await openings('stays/+');
  const [asker, worker] = [await connect(), await moodyResponder(action, 'mute')];
  const asked = Array.from({ length: 5 }, () => asker.send('request', action));
  await until(() => worker.got === 5, 'five requests');
  worker.client.end();
  for (const seqId of asked) expectError(await asker.reply(seqId), 302, 'responder_failed');
  assert.equal(await openings('stays/+'), opened + 1);
  const next = await moodyResponder(action);
  await asker.fails(304, 'circuit_open', 'request', action);
  assert.equal(next.got, 0);
});

test('a responder that is slow is left alone until it is quick', async () => {
  const action = 'slow';
  const [asker, worker] = [await connect(), await moodyResponder(action, 'slow')];
  assert.equal(await asker.ok('request', action, null, { timeoutMs: 60000 }), 'well');
  assert.equal(await openings(action), 1);
  worker.mood = 'well';
  await until(async () => {
    await asker.call('request', action);
    return isClosed(action);
  }, 'a closed circuit');
  assert.equal(await asker.ok('request', action), 'well');
});

test('a rate lets a burst pass, and refuses what is more with a time', async () => {
  const action = 'limited';
  const [asker, worker] = [await connect(), await moodyResponder(action)];
  const asked = Array.from({ length: 20 }, () => asker.nextSeqId());
  asker.socket.send(Buffer.concat(asked.map((seqId) => frame('request', seqId, action))));
  let passed = 0;
  for (const seqId of asked) {
    const reply = await asker.reply(seqId);
    if (reply.type === 'response') {
      ++passed;
      continue;
    }
    expectError(reply, 500, 'rate_limited');
    assert.equal(reply.meta.temporary, true);
    const { retryAfterMs } = reply.meta;
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 1000, `${retryAfterMs}`);
  }
  assert.ok(passed >= 3 && passed < 20, `${passed} have passed`);
  assert.equal(worker.got, passed);
  assert.equal(await refusals('rate_limited'), 20 - passed);
  await until(async () => (await asker.call('request', action)).type === 'response', 'a token');
});
