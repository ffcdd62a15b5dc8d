// Who is in a topic: news for those who asked, lists and counts.

import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json } from './support/client.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-presence-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
presence-interval = 100ms

[topic none/#]

[topic #]
presence = true
`);
after(() => rmSync(folder, { recursive: true }));

const { connect } = suite(['--loops', '2', '--config', config]);

/// Returns the steps that have come by the time that `count` of them have.
async function steps(client, topic, count) {
  const result = [];
  while (result.length < count) {
    const { subject, payload } = await client.take('presence');
    assert.equal(subject, topic);
    result.push(...payload);
  }
  return result;
}

for (const protocol of [undefined, json]) {
  test(`watchers hear who comes and goes (${protocol ?? 'msgpack'})`, async () => {
    const topic = freshTopic('room');
    const watcher = await connect({ protocol });
    await watcher.ok('subscribe', topic, null, { presence: true });
    assert.deepEqual(await steps(watcher, topic, 1),
      [{ event: 'join', connection: watcher.id }]);
    const guest = await connect();
    await guest.ok('subscribe', topic);
    assert.deepEqual(await steps(watcher, topic, 1),
      [{ event: 'join', connection: guest.id }]);
    guest.socket.terminate();
    assert.deepEqual(await steps(watcher, topic, 1),
      [{ event: 'leave', connection: guest.id }]);
  });
}

test('a client that lists and follows the news knows who is there', async () => {
  const topic = freshTopic('room');
  const crowd = await Promise.all(Array.from({ length: 60 }, () => connect()));
  await Promise.all(crowd.slice(0, 40).map((one) => one.ok('subscribe', topic)));
  const watcher = await connect();
  await watcher.ok('subscribe', topic, null, { presence: true });
  // Others come and go while it reads.
  const churn = Promise.all([
    ...crowd.slice(0, 20).map((one) => one.ok('unsubscribe', topic)),
    ...crowd.slice(40).map((one) => one.ok('subscribe', topic)),
  ]);
  const known = new Set();
  let after;
  do {
    const seqId = watcher.send('request', 'callboard.presence', { topic, limit: 7, after });
    // In the order in which they came.
    for (let page; page === undefined;) {
      const frame = await watcher.take();
      if (frame.type === 'presence') {
        apply(known, frame.payload);
      } else {
        assert.deepEqual([frame.type, frame.seqId], ['response', seqId]);
        page = frame.payload;
        for (const { connections } of page.members) known.add(connections[0]);
        after = page.next;
      }
    }
  } while (after);
  await churn;
  const expected = new Set([watcher, ...crowd.slice(20)].map(({ id }) => id));
  while (known.size !== expected.size || [...known].some((id) => !expected.has(id))) {
    apply(known, (await watcher.take('presence')).payload);
  }
  assert.deepEqual(await watcher.ok('request', 'callboard.presence_count', { topic }),
    { members: 41, connections: 41 });
});

function apply(known, news) {
  for (const { event, connection } of news) {
    assert.ok(['join', 'leave'].includes(event));
    if (event === 'join') known.add(connection);
    else known.delete(connection);
  }
}

test('a crowd is told in batches', async () => {
  const topic = freshTopic('room');
  const watcher = await connect();
  await watcher.ok('subscribe', topic, null, { presence: true });
  await watcher.take('presence');
  const crowd = await Promise.all(Array.from({ length: 100 }, () => connect()));
  await Promise.all(crowd.map((one) => one.ok('subscribe', topic)));
  let frames = 0;
  for (let known = 0; known < 100; ++frames) {
    known += (await watcher.take('presence')).payload.length;
  }
  assert.ok(frames < 50, `${frames} frames`);
});

test('a topic that does not keep who is there says so', async () => {
  const client = await connect();
  await client.fails(403, 'no_presence', 'subscribe', 'none/a', null, { presence: true });
  await client.fails(403, 'no_presence', 'request', 'callboard.presence', { topic: 'none/a' });
  await client.fails(403, 'no_presence', 'request', 'callboard.presence_count', { topic: 'none/a' });
  await client.fails(107, 'bad_payload', 'request', 'callboard.presence', { topic: 'a', limit: 0 });
  await client.fails(103, 'bad_subject', 'request', 'callboard.presence', { topic: 'a/#' });
  await client.ok('subscribe', 'none/a');
});
