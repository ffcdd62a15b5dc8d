// Groups: each event goes to one member, and to another where it is not
// confirmed.

import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json } from './support/client.mjs';
import { loadGroup, metric } from './support/group_load.mjs';
import { run, slowness, start, until, within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-groups-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
loops = 2
group-ack-timeout = ${500 * slowness}ms
group-attempts-max = 3
group-inflight-max = 16

[topic kept/#]
history-size = 5000

[topic "$dead/#"]
history-size = 100
`);
after(() => rmSync(folder, { recursive: true }));

const shared = suite(['--config', config]);
const { connect } = shared;

const asMember = { group: 'g', ack: true };

test('members share the events, in both codecs', async () => {
  const topic = freshTopic();
  const [one, two] = [await connect(), await connect({ protocol: json })];
  const { epoch } = await one.ok('subscribe', topic, null, asMember);
  assert.deepEqual(await two.ok('subscribe', topic, null, asMember),
    { epoch, offset: 0, recovered: true });
  for (let i = 1; i <= 10; ++i) await one.ok('publish', topic, i);
  const got = [...await one.events(5), ...await two.events(5)];
  assert.deepEqual(got.map(({ payload }) => Number(payload)).sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const { seqId, meta } of got) {
    assert.ok(seqId > 0);
    assert.deepEqual([meta.group, meta.attempt], ['g', undefined]);
  }
  // One says no to one, and confirms the others.
  for (const { seqId } of got.slice(1, 5)) one.send('ack', '', null, undefined, seqId);
  one.send('error', 'busy', 'later', undefined, got[0].seqId);
  const again = await two.take('event');
  assert.deepEqual([again.payload, again.meta.attempt], [got[0].payload, 2]);
  for (const { seqId } of [...got.slice(5), again]) two.send('ack', '', null, undefined, seqId);
  await two.settle();
  await until(async () => await metric(shared.server, 'callboard_group_events') === 0, 'the end');
  assert.deepEqual(await two.ok('unsubscribe', topic, null, { group: 'g' }), null);
  await one.ok('publish', topic, 11);
  assert.equal((await one.take('event')).payload, 11);
  await two.fails(400, 'not_subscribed', 'unsubscribe', topic, null, { group: 'g' });
});

test('what is not confirmed in time goes to another, and in the end to the dead letters', async () => {
  const topic = freshTopic('kept');
  const [one, two, reader] = [await connect(), await connect(), await connect()];
  await reader.ok('subscribe', `$dead/${topic}`);
  await one.ok('subscribe', topic, null, asMember);
  await two.ok('publish', topic, { job: 1 }, { key: 'k' });
  const first = await one.take('event');
  await two.ok('subscribe', topic, null, asMember);
  assert.equal((await one.take('cancel')).seqId, first.seqId);
  const second = await two.take('event');
  assert.deepEqual([second.meta.attempt, second.meta.key], [2, 'k']);
  one.send('ack', '', null, undefined, first.seqId);
  assert.equal((await one.take('event')).meta.attempt, 3);
  const dead = await reader.take('event');
  assert.deepEqual([dead.subject, dead.payload, dead.seqId], [`$dead/${topic}`, { job: 1 }, 0]);
  assert.deepEqual([dead.meta.origin, dead.meta.attempt, dead.meta.key, dead.meta.sender, dead.meta.group],
    ['g', 3, 'k', two.id, undefined]);
  const { events } = await reader.ok('request', 'callboard.history', { topic: `$dead/${topic}` });
  assert.deepEqual(events.map(({ payload }) => payload), [{ job: 1 }]);
  await reader.fails(103, 'bad_subject', 'publish', `$dead/${topic}`, 1);
});

test('a group without members keeps its place', async () => {
  const topic = freshTopic('kept');
  const [one, two] = [await connect(), await connect()];
  await one.ok('subscribe', topic, null, { group: 'g' });
  one.end();
  for (let i = 0; i < 2000; i += 200) {
    await Promise.all(Array.from({ length: 200 }, (_, n) => two.ok('publish', topic, i + n)));
  }
  const { offset, recovered } = await two.ok('subscribe', topic, null, { group: 'g' });
  assert.deepEqual([offset, recovered], [0, true]);
  const got = await two.events(2000);
  assert.deepEqual(got.map(({ meta }) => meta.offset), Array.from({ length: 2000 }, (_, i) => i + 1));
});

test('a group has a topic and a name', async () => {
  const one = await connect();
  await one.fails(103, 'bad_subject', 'subscribe', 'a/+', null, asMember);
  await one.fails(100, 'malformed_frame', 'subscribe', 'a', null, { group: '' });
  await one.fails(100, 'malformed_frame', 'subscribe', 'a', null, { group: 'g'.repeat(65) });
  await one.ok('subscribe', 'a', null, { group: 'g'.repeat(64) });
  await one.fails(401, 'already_subscribed', 'subscribe', 'a', null, { group: 'g'.repeat(64) });
  await one.fails(100, 'malformed_frame', 'publish', 'a', null, { key: 'k'.repeat(65) });
  await one.ok('publish', 'a', null, { key: 'k'.repeat(64) });
});

test('the events of a key come one after the other', async () => {
  const topic = freshTopic();
  const members = [await connect(), await connect({ protocol: json }), await connect()];
  for (const one of members) await one.ok('subscribe', topic, null, asMember);
  const seen = new Map();
  const work = members.map(async (one, index) => {
    for (;;) {
      const { seqId, payload, meta } = await one.take('event', 10000 * slowness);
      if (payload === 'end') return;
      if (!seen.has(meta.key)) seen.set(meta.key, []);
      seen.get(meta.key).push([index, Number(payload)]);
      one.send('ack', '', null, undefined, seqId);
    }
  });
  const publisher = await connect();
  for (let i = 0; i < 20; ++i) {
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => publisher.ok('publish', topic, i, { key })));
  }
  await until(() => [...seen.values()].reduce((sum, list) => sum + list.length, 0) === 120, 'all events');
  for (const one of members) one.frames.push({ type: 'event', payload: 'end' });
  for (const one of members) one.send('ping', '');
  await Promise.all(work);
  assert.equal(seen.size, 6);
  for (const list of seen.values()) {
    assert.deepEqual(list.map(([, number]) => number), Array.from({ length: 20 }, (_, i) => i));
    assert.equal(new Set(list.map(([index]) => index)).size, 1);
  }
});

test('sub is a member and confirms what it prints', async () => {
  const topic = freshTopic('kept');
  const url = shared.server.ws;
  const program = start(['sub', url, '--group', 'g', '--ack', '-v', '--count', '2', topic]);
  await until(() => program.stderr.includes('subscribed'), `a member: ${program.stderr}`);
  for (const word of ['one', 'two', 'three']) {
    const { code, stderr } = await run(['pub', url, topic, JSON.stringify(word), '--key', 'k']);
    assert.equal(code, 0, stderr);
  }
  const { code, stdout } = await within(program.exited, 'the end of sub');
  assert.equal(code, 0);
  const lines = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ payload, key, attempt }) => [payload, key, attempt]),
    [['one', 'k', 1], ['two', 'k', 1]]);
  // The third one was refused or never given, and is the next member's.
  const one = await connect();
  await one.ok('subscribe', topic, null, asMember);
  assert.equal((await one.take('event')).payload, 'three');
  assert.equal((await run(['sub', url, '--ack', topic])).code, 2);
  assert.equal((await run(['sub', url, '--group', 'g'.repeat(65), topic])).code, 2);
  assert.equal((await run(['pub', url, topic, '1', '--key', 'k'.repeat(65)])).code, 2);
});

test('nothing is lost while workers are killed', async () => {
  const result = await loadGroup(shared.server, freshTopic('kept'),
    { seconds: 4, rate: 400 / slowness, killEveryMs: 300, workers: 4 });
  assert.equal(result.troubles, '');
  assert.ok(result.kills >= 2, `${result.kills} kills`);
  assert.ok(result.accepted > 0);
  assert.equal(result.missing, 0, JSON.stringify(result));
  assert.equal(result.confirmations, result.accepted);
  assert.equal(result.lost, 0);
});
