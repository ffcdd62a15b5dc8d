// Publish and subscribe, as protocol.md has it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectError, frame } from './support/client.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const shared = suite();
const { connect } = shared;

/// Returns `count` connected clients.
const connectAll = (count) => Promise.all(Array.from({ length: count }, () => connect()));

test('what one frame of a message says of itself is not said of the next one', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  await two.ok('subscribe', topic);
  const first = frame('publish', one.nextSeqId(), topic, 'first', { id: 'x', noEcho: true });
  const second = frame('publish', one.nextSeqId(), topic, 'second');
  one.socket.send(Buffer.concat([first, second]));
  assert.equal((await two.take('event')).payload, 'first');
  assert.equal((await two.take('event')).payload, 'second', 'it has no id');
  assert.equal((await one.take('event')).payload, 'second', 'and is for everybody');
});

test('the welcome says who and where one is, and the limits', async () => {
  const [one, two] = await connectAll(2);
  const { type, seqId, subject, payload } = one.welcome;
  assert.deepEqual([type, seqId, subject], ['welcome', 0, '']);
  assert.equal(typeof payload.connection, 'string');
  assert.notEqual(payload.connection, two.welcome.payload.connection);
  assert.equal(typeof payload.node, 'string');
  assert.ok(payload.incarnation !== undefined);
  assert.equal(payload.incarnation, two.welcome.payload.incarnation);
  assert.equal(payload.user ?? null, null);
  assert.equal(payload.pingIntervalMs, 30000);
  assert.equal(payload.pingTimeoutMs, 90000);
  assert.equal(payload.frameBytesMax, 65536);
  assert.equal(payload.inflightMax, 256);
  assert.ok(Math.abs(Number(payload.time) - Date.now()) < 60000);
  assert.ok(Math.abs(Number(one.welcome.timestamp) - Date.now()) < 60000);
});

test('a client that offers no subprotocol speaks MessagePack', async () => {
  const one = await connect({ protocol: [] });
  assert.equal(await one.ok('request', 'callboard.echo', 7), 7);
});

test('a publication reaches every subscriber with its offset and sender', async () => {
  const [one, two, three] = await connectAll(3);
  const topic = freshTopic();
  const { epoch, offset, recovered } = await one.ok('subscribe', topic);
  assert.equal(typeof epoch, 'string');
  assert.deepEqual([offset, recovered ?? false], [0, false]);
  assert.equal((await two.ok('subscribe', topic)).epoch, epoch);
  const payload = { text: 'grüß dich', list: [1, -2, 3.5, null, true] };
  assert.deepEqual(await three.ok('publish', topic, payload), { epoch, offset: 1 });
  for (const client of [one, two]) {
    const event = await client.take('event');
    assert.deepEqual([event.seqId, event.subject, event.payload], [0, topic, payload]);
    assert.deepEqual([event.meta.offset, event.meta.sender], [1, three.id]);
    assert.equal(event.meta.epoch, epoch, 'the first event of an epoch names it');
    assert.equal(event.meta.pattern, undefined);
  }
  assert.deepEqual(await three.settle(), [], 'it has not subscribed');
});

test('the offsets of a topic are contiguous, whoever publishes', async () => {
  const [reader, one, two] = await connectAll(3);
  const topic = freshTopic();
  await reader.ok('subscribe', topic);
  for (let i = 0; i < 100; ++i) {
    one.send('publish', topic, ['one', i], undefined, 0);
    two.send('publish', topic, ['two', i], undefined, 0);
  }
  const events = await reader.events(200);
  assert.deepEqual(events.map(({ meta }) => meta.offset),
    Array.from({ length: 200 }, (_, i) => i + 1));
  for (const name of ['one', 'two']) {
    assert.deepEqual(
      events.map(({ payload }) => payload).filter(([from]) => from === name),
      Array.from({ length: 100 }, (_, i) => [name, i]));
  }
});

test('a later subscriber gets the head of the topic, then what follows', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  await one.ok('publish', topic, 'before');
  const { offset } = await two.ok('subscribe', topic);
  assert.equal(offset, 1);
  await one.ok('publish', topic, 'after');
  const event = await two.take('event');
  assert.deepEqual([event.payload, event.meta.offset], ['after', 2]);
});

test('unsubscribing ends the events', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  await one.ok('unsubscribe', topic);
  await two.ok('publish', topic, 'nobody hears this');
  await one.ok('subscribe', topic);
  await two.ok('publish', topic, 'this they do');
  assert.equal((await one.take('event')).payload, 'this they do');
});

const patterns = [
  ['+', ['a'], ['a/b']],
  ['q/+', ['q/1', 'q/ü'], ['q', 'q/1/2', 'r/1']],
  ['q/#', ['q/1', 'q/1/2'], ['q', 'qq/1']],
  ['+/x/#', ['a/x/b', 'b/x/b/c'], ['a/x', 'a/y/b']],
  ['#', ['a', 'a/b/c'], []],
];

test('patterns match as the grammar says', async () => {
  const prefix = freshTopic('patterns');
  for (const [pattern, hits, misses] of patterns) {
    const [reader, writer] = await connectAll(2);
    const within = (name) => `${prefix}/${name}`;
    assert.deepEqual(await reader.ok('subscribe', within(pattern)) ?? {}, {});
    for (const topic of [...misses, ...hits]) {
      await writer.ok('publish', within(topic), topic);
    }
    const events = await reader.events(hits.length);
    assert.deepEqual(events.map(({ payload }) => payload), hits, pattern);
    for (const { subject, payload, meta } of events) {
      assert.deepEqual([subject, meta.pattern], [within(payload), within(pattern)]);
      assert.equal(meta.sender, writer.id);
      assert.ok(meta.offset >= 1);
    }
    assert.deepEqual(await reader.settle(), [], pattern);
    reader.end();
  }
});

test('a topic and a pattern that both match make two events', async () => {
  const [reader, writer] = await connectAll(2);
  const topic = freshTopic('both');
  const pattern = `${topic.split('/')[0]}/+`;
  await reader.ok('subscribe', topic);
  await reader.ok('subscribe', pattern);
  await writer.ok('publish', topic, 'twice');
  const events = await reader.events(2);
  assert.deepEqual(events.map(({ meta }) => meta.pattern).sort(), [pattern, undefined]);
  assert.deepEqual(events.map(({ meta }) => meta.offset), [1, 1]);
  await reader.ok('unsubscribe', topic);
  await writer.ok('publish', topic, 'once');
  const last = await reader.take('event');
  assert.deepEqual([last.payload, last.meta.pattern], ['once', pattern]);
  assert.deepEqual(await reader.settle(), []);
});

test('noEcho spares the publisher, and nobody else', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  await two.ok('subscribe', topic);
  await one.ok('publish', topic, 'quiet', { noEcho: true });
  await one.ok('publish', topic, 'loud', { noEcho: false });
  assert.deepEqual((await two.events(2)).map(({ payload }) => payload), ['quiet', 'loud']);
  const own = await one.take('event');
  assert.deepEqual([own.payload, own.meta.offset], ['loud', 2]);
  assert.deepEqual(await one.settle(), []);
});

test('an id is accepted once, and answered with the first offset', async () => {
  const [reader, writer] = await connectAll(2);
  const topic = freshTopic();
  await reader.ok('subscribe', topic);
  const first = await writer.ok('publish', topic, 'a', { id: 'order-1' });
  await writer.ok('publish', topic, 'b', { id: 'order-2' });
  assert.deepEqual(await writer.ok('publish', topic, 'a', { id: 'order-1' }), first);
  assert.equal((await writer.ok('publish', topic, 'c')).offset, 3);
  assert.deepEqual((await reader.events(3)).map(({ payload }) => payload), ['a', 'b', 'c']);
  const other = await writer.ok('publish', freshTopic(), 'a', { id: 'order-1' });
  assert.equal(other.offset, 1, 'another topic, another id');
});

test('an id has 1 to 64 bytes', async () => {
  const one = await connect();
  const topic = freshTopic();
  await one.ok('publish', topic, 1, { id: 'i'.repeat(64) });
  for (const id of ['', 'i'.repeat(65)]) {
    const answer = await one.call('publish', topic, 1, { id });
    assert.equal(answer.type, 'error', `an id of ${id.length} bytes`);
  }
});

test('with seqId 0 a publication is never answered', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await two.ok('subscribe', topic);
  one.send('publish', topic, 'heard', undefined, 0);
  one.send('publish', 'not//a/topic', 'refused', undefined, 0);
  assert.deepEqual(await one.settle(), []);
  assert.equal((await two.take('event')).payload, 'heard');
});

test('a message may hold several frames', async () => {
  const one = await connect();
  const topic = freshTopic();
  one.socket.send(Buffer.concat([
    frame('subscribe', 11, topic),
    frame('publish', 12, topic, 'first'),
    frame('publish', 13, topic, 'second'),
    frame('request', 14, 'callboard.echo', 'third'),
  ]));
  for (const seqId of [11, 12, 13, 14]) {
    assert.equal((await one.reply(seqId)).type, 'response');
  }
  assert.deepEqual((await one.events(2)).map(({ payload }) => payload), ['first', 'second']);
});

test('the response to a subscribe comes before the events', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  for (let i = 0; i < 50; ++i) two.send('publish', topic, i, undefined, 0);
  const seqId = one.send('subscribe', topic);
  for (let i = 50; i < 100; ++i) two.send('publish', topic, i, undefined, 0);
  await two.settle();
  await one.reply(seqId).then(({ payload }) => {
    const heads = one.frames.filter(({ type }) => type === 'event');
    assert.ok(heads.every(({ meta }) => meta.offset > payload.offset));
    one.head = payload.offset;
  });
  const events = await one.events(100 - one.head);
  assert.deepEqual(events.map(({ meta }) => meta.offset),
    events.map((_, i) => one.head + 1 + i));
});

const badTopics = ['', '/', 'a/', '/a', 'a//b', 'a\u0000b', 'a\nb', 'a/+', 'a/#',
  'a+', '$sys/x', 'x'.repeat(256), 'ü'.repeat(128)];
const badPatterns = ['', 'a//b', 'a/#/b', '#/a', 'a+/b', 'a/b#', '+a', 'a\u0007',
  'x'.repeat(256)];

test('bad subjects are refused by name', async () => {
  const one = await connect();
  for (const topic of badTopics) {
    const answer = await one.call('publish', topic, 1);
    assert.equal(answer.type, 'error', `publish to ${JSON.stringify(topic)}`);
    expectError(answer, 103, 'bad_subject');
    assert.equal(answer.meta.temporary ?? false, false);
  }
  for (const pattern of badPatterns) {
    const answer = await one.call('subscribe', pattern);
    assert.equal(answer.type, 'error', `subscribe to ${JSON.stringify(pattern)}`);
    expectError(answer, 103, 'bad_subject');
  }
  await one.ok('publish', 'x'.repeat(255), 'the longest');
  await one.ok('publish', `${'ü'.repeat(127)}x`, 'the longest in bytes');
});

test('subscriptions are made and ended once', async () => {
  const one = await connect();
  const topic = freshTopic();
  await one.fails(400, 'not_subscribed', 'unsubscribe', topic);
  await one.ok('subscribe', topic);
  await one.fails(401, 'already_subscribed', 'subscribe', topic);
  await one.ok('unsubscribe', topic);
  await one.fails(400, 'not_subscribed', 'unsubscribe', topic);
  await one.ok('subscribe', 'some/+/pattern');
  await one.fails(401, 'already_subscribed', 'subscribe', 'some/+/pattern');
  await one.ok('unsubscribe', 'some/+/pattern');
});

test('a connection has at most 1,000 subscriptions', async () => {
  const one = await connect();
  const prefix = freshTopic('many');
  const frames = Array.from({ length: 1000 }, (_, i) =>
    frame('subscribe', one.nextSeqId(), `${prefix}/${i}`));
  one.socket.send(Buffer.concat(frames));
  for (let i = 0; i < 1000; ++i) {
    assert.equal((await one.take(({ seqId }) => seqId > 0)).type, 'response');
  }
  await one.fails(402, 'too_many_subscriptions', 'subscribe', `${prefix}/over`);
  await one.ok('unsubscribe', `${prefix}/0`);
  await one.ok('subscribe', `${prefix}/over`);
});

test('what a connection leaves behind is nothing', async () => {
  const [one, two] = await connectAll(2);
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  one.socket.close();
  await one.closed;
  await two.ok('publish', topic, 'to nobody');
  await two.ok('subscribe', topic);
  await two.ok('publish', topic, 'to me');
  assert.equal((await two.take('event')).meta.offset, 2);
});
