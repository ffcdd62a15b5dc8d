// What was missed comes back: history, last values, and reading them.

import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json } from './support/client.mjs';
import { run, until } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-history-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
[topic last/#]
retain = true

[topic short/#]
history-size = 5

[topic aged/#]
history-size = 100
history-ttl = 1s

[topic none/#]

[topic #]
history-size = 20000
`);
after(() => rmSync(folder, { recursive: true }));

const shared = suite(['--loops', '2', '--config', config]);
const { connect } = shared;

const offsets = (events) => events.map(({ meta }) => meta.offset);
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/// Publishes, with fewer in flight than may be; returns the last position.
async function publish(client, topic, count, text = '') {
  let answers = [];
  for (let i = 0; i < count; i += 200) {
    answers = await Promise.all(range(i, Math.min(i + 200, count) - 1)
      .map((n) => client.ok('publish', topic, `${n}${text}`)));
  }
  return answers.at(-1);
}

const since = (epoch, offset) => ({ since: [epoch, offset] });

test('who comes back gets what it missed, in both codecs', async () => {
  const [one, two] = [await connect(), await connect()];
  const topic = freshTopic();
  const { epoch } = await two.ok('subscribe', topic);
  await publish(one, topic, 3);
  assert.deepEqual(offsets(await two.events(3)), [1, 2, 3]);
  two.end();
  await publish(one, topic, 200);
  const three = await connect();
  const head = await three.ok('subscribe', topic, null, since(epoch, 3));
  assert.deepEqual(head, { epoch, offset: 203, recovered: true });
  const missed = await three.events(200);
  assert.deepEqual(offsets(missed), range(4, 203));
  assert.equal(missed[0].payload, '0');
  assert.equal(missed[0].meta.sender, one.id);
  const four = await connect({ protocol: json });
  const answer = await four.ok('subscribe', topic, null, { since: { epoch, offset: 3 } });
  assert.deepEqual(answer, { epoch, offset: 203, recovered: true });
  assert.deepEqual(offsets(await four.events(200)), range(4, 203));
  await publish(one, topic, 1);
  assert.deepEqual(offsets(await three.events(1)), [204]);
  assert.deepEqual(offsets(await four.events(1)), [204]);
});

test('what is not all there any more does not come at all', async () => {
  const one = await connect();
  const topic = freshTopic('short');
  const { epoch } = await publish(one, topic, 10);
  for (const [position, recovered] of [[4, false], [5, true], [11, false]]) {
    const two = await connect();
    const head = await two.ok('subscribe', topic, null, since(epoch, position));
    assert.deepEqual(head, { epoch, offset: 10, recovered });
    assert.deepEqual(offsets(await two.settle()), recovered ? range(6, 10) : []);
  }
  const none = freshTopic('none');
  const head = await publish(one, none, 1);
  const three = await connect();
  assert.equal((await three.ok('subscribe', none, null, since(head.epoch, 0))).recovered, false);
});

test('what is too old is lost', async () => {
  const one = await connect();
  const topic = freshTopic('aged');
  const { epoch } = await publish(one, topic, 3);
  await until(async () => (await one.ok('request', 'callboard.history', { topic })).events.length === 0,
    'the end of three events');
  const { recovered } = await one.ok('subscribe', topic, null, since(epoch, 2));
  assert.equal(recovered, false);
});

test('readers come back one after the other while publishing goes on', async () => {
  const topic = freshTopic();
  const writer = await connect();
  const { epoch } = await publish(writer, topic, 2000, 'x'.repeat(200));
  let publishing = true;
  let total = 2000;
  const work = (async () => {
    while (publishing) {
      await publish(writer, topic, 100, 'y'.repeat(200));
      total += 100;
    }
  })();
  const readers = await Promise.all(range(0, 39).map(() => connect()));
  await Promise.all(readers.map(async (reader, i) => {
    const head = await reader.ok('subscribe', topic, null, since(epoch, i * 50));
    assert.equal(head.recovered, true);
  }));
  publishing = false;
  await work;
  for (const [i, reader] of readers.entries()) {
    const events = await reader.events(total - i * 50);
    assert.deepEqual(offsets(events), range(i * 50 + 1, total), `reader ${i}`);
    reader.end();
  }
});

test('a reader that is slow to take its past is not cut off', async () => {
  const topic = freshTopic();
  const writer = await connect();
  const count = 600;
  let position;
  for (let i = 0; i < count; ++i) {
    position = await writer.ok('publish', topic, `${i}${'z'.repeat(20000)}`);
  }
  const reader = await connect();
  const seqId = reader.send('subscribe', topic, null, since(position.epoch, 0));
  reader.socket.pause();
  // Twelve times what an outbox may hold waits for it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await publish(writer, topic, 5);
  reader.socket.resume();
  assert.equal((await reader.reply(seqId)).payload.recovered, true);
  assert.deepEqual(offsets(await reader.events(count + 5)), range(1, count + 5));
});

test('a newcomer gets the last value, until it is cleared', async () => {
  const topic = freshTopic('last');
  const one = await connect();
  await publish(one, topic, 3);
  const two = await connect();
  const { offset } = await two.ok('subscribe', topic);
  const [event] = await two.settle();
  assert.deepEqual([offset, event.payload, event.meta.offset, event.meta.retained],
    [3, '2', 3, true]);
  await one.ok('publish', topic, 'live');
  assert.equal((await two.take('event')).meta.retained, undefined);
  await one.ok('publish', topic, null);
  const three = await connect();
  assert.equal((await three.ok('subscribe', topic)).offset, 5);
  assert.deepEqual(await three.settle(), []);
});

test('a newcomer to a pattern gets the last values of all topics first', async () => {
  const base = freshTopic('last');
  const writer = await connect();
  const topics = range(1, 2000).map((i) => `${base}/${i}`);
  for (let i = 0; i < topics.length; i += 200)
    await Promise.all(topics.slice(i, i + 200).map((topic) => writer.ok('publish', topic, 'old')));
  let publishing = true;
  const heads = new Map(topics.map((topic) => [topic, 1]));
  const work = (async () => {
    for (let n = 0; publishing; n = (n + 100) % 2000) {
      await Promise.all(topics.slice(n, n + 100).map(async (topic) => {
        heads.set(topic, (await writer.ok('publish', topic, 'x'.repeat(100))).offset);
      }));
    }
  })();
  const readers = await Promise.all(range(1, 20).map((i) =>
    connect(i % 2 ? {} : { protocol: json })));
  const answers = await Promise.all(readers.map((who) => who.ok('subscribe', `${base}/#`)));
  for (const answer of answers) assert.deepEqual(answer, { retained: true });
  publishing = false;
  await work;
  await Promise.all(readers.map(async (who) => {
    const last = new Map();
    let live = false;
    const done = () => topics.every((topic) => last.get(topic) === heads.get(topic));
    while (!done()) {
      const { subject, meta } = await who.take('event');
      assert.equal(meta.pattern, `${base}/#`);
      if (meta.retained) {
        assert.ok(!live, 'last values come first');
        assert.ok(!last.has(subject), 'one for each topic');
      } else {
        live = true;
        if (last.has(subject)) assert.equal(meta.offset, last.get(subject) + 1);
      }
      last.set(subject, meta.offset);
    }
  }));
});

test('what a topic keeps can be read in pages', async () => {
  const topic = freshTopic();
  const one = await connect();
  const { epoch } = await publish(one, topic, 250);
  const seen = [];
  for (let offset = 0, more = true; more;) {
    const page = await one.ok('request', 'callboard.history',
      { topic, since: { epoch, offset }, limit: 100 });
    assert.deepEqual([page.epoch, page.offset], [epoch, 250]);
    seen.push(...page.events);
    offset = page.events.at(-1).offset;
    more = page.more;
  }
  assert.deepEqual(seen.map(({ offset }) => offset), range(1, 250));
  assert.deepEqual([seen[7].payload, seen[7].sender], ['7', one.id]);
  const back = await one.ok('request', 'callboard.history',
    { topic, before: 11, limit: 3, reverse: true });
  assert.deepEqual(back.events.map(({ offset }) => offset), [10, 9, 8]);
  assert.deepEqual(await one.ok('request', 'callboard.position', { topic }),
    { epoch, offset: 250 });
  const two = await connect({ protocol: json });
  const page = await two.ok('request', 'callboard.history', { topic, limit: 1 });
  assert.equal(page.events[0].payload, '0');
  await one.fails(107, 'bad_payload', 'request', 'callboard.history', { topic, limit: 0 });
  await one.fails(103, 'bad_subject', 'request', 'callboard.position', { topic: 'a/#' });
});

test('the metrics tell what is kept and who came back', async () => {
  const text = await (await fetch(`${shared.server.http}/metrics`)).text();
  const sum = (name) => [...text.matchAll(new RegExp(`^${name}({[^}]*})? (\\d+)`, 'gm'))]
    .reduce((total, [, , value]) => total + Number(value), 0);
  assert.ok(sum('callboard_history_bytes') > 12_000_000, text);
  assert.match(text, /callboard_recoveries_total{[^}]*outcome="whole"/);
});

test('a crowd that lost its connections comes back', async () => {
  const { code, stdout, stderr } = await run(['bench', 'comeback', shared.server.ws, '--subscribers', '200',
    '--watchers', '5', '--rate', '200', '--steady', '200ms', '--away', '300ms', '--threads', '2', '--json']);
  assert.equal(code, 0, stdout + stderr);
  const { returned, published, delivered, lost, misordered } = JSON.parse(stdout);
  assert.deepEqual({ returned, lost, misordered }, { returned: 200, lost: 0, misordered: 0 });
  assert.ok(published > 60 && delivered > 60 * 205, stdout);
});
