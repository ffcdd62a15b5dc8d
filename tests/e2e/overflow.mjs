// A reader that stalls, under each overflow policy.

import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { freshTopic, suite } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-overflow-'));
const config = join(folder, 'callboard.conf');
const policies = ['drop-oldest', 'drop-newest', 'latest'];
writeFileSync(config, policies.map((name) => `
[topic ${name}/#]
overflow = ${name}
`).join(''));
after(() => rmSync(folder, { recursive: true }));

const shared = suite(['--loops', '2', '--outbox-bytes-max', '256KiB', '--config', config]);
const { connect } = shared;

const size = 32 * 1024;

/// Publishes more than all buffers between the server and a reader hold, as
/// fast as `quick` reads it. Returns the offsets that `quick` got.
async function flood(topic, quick, count = 1000) {
  const publisher = await connect();
  const text = 'x'.repeat(size);
  const offsets = [];
  for (let i = 0; i < count; i += 2) {
    await Promise.all([1, 2].map(() => publisher.ok('publish', topic, text)));
    offsets.push(...(await quick.events(2)).map(({ meta }) => meta.offset));
  }
  return offsets;
}

for (const policy of policies) {
  test(`a reader that stalls loses events and is told where (${policy})`, async () => {
    const topic = freshTopic(policy);
    const [slow, quick] = [await connect(), await connect()];
    await slow.ok('subscribe', topic);
    await quick.ok('subscribe', topic);
    slow.socket.pause();
    const offsets = await flood(topic, quick);
    const count = offsets.length;
    assert.deepEqual(offsets, offsets.map((_, i) => i + 1));
    slow.socket.resume();
    // Until it stands at the head: by an event, or by the position of a gap.
    let at = 0;
    let gaps = 0;
    let got = 0;
    while (at < count) {
      const { type, payload, meta } = await slow.take();
      if (type === 'position') {
        assert.equal(payload.reason, 'events dropped');
        assert.ok(payload.offset > at, 'a gap goes forward');
        at = payload.offset;
        ++gaps;
      } else {
        assert.deepEqual([type, meta.offset], ['event', at + 1]);
        at = meta.offset;
        ++got;
      }
    }
    assert.equal(gaps, 1);
    assert.ok(got < count);
    const publisher = await connect();
    await publisher.ok('publish', topic, 'after');
    assert.equal((await slow.take('event')).meta.offset, count + 1);
    const metrics = await (await fetch(new URL('/metrics', shared.server.http))).text();
    const dropped = metrics.split('\n')
      .filter((line) => line.startsWith('callboard_drops_total') && line.includes(`"${policy}"`))
      .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
    assert.equal(dropped, count - got);
  });
}

test('a reader of another topic is cut off as ever', async () => {
  const topic = freshTopic('other');
  const [slow, quick] = [await connect(), await connect()];
  await slow.ok('subscribe', topic);
  await quick.ok('subscribe', topic);
  slow.socket.pause();
  // Not for so long that the server gives up waiting for its answer to that.
  await flood(topic, quick, 500);
  slow.socket.resume();
  const { code } = await slow.closed;
  assert.equal(code, 4002);
});
