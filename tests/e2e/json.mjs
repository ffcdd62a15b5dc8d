// The JSON subprotocol, alone and together with MessagePack clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExtData } from '@msgpack/msgpack';
import { expectError, frame, json } from './support/client.mjs';
import { within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const shared = suite();
const connect = () => shared.connect({ protocol: json });
const connectMsgpack = () => shared.connect();

/// Returns bytes, given as hex with spaces.
const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('the welcome comes as JSON with names', async () => {
  const one = await connect();
  assert.equal(one.socket.protocol, json);
  assert.equal(one.welcome.type, 'welcome');
  assert.equal(typeof one.welcome.payload.connection, 'string');
  assert.equal(one.welcome.payload.frameBytesMax, 65536);
});

test('publish, subscribe and request work', async () => {
  const [one, two] = [await connect(), await connect()];
  const topic = freshTopic();
  const { epoch, offset } = await one.ok('subscribe', topic);
  assert.equal(offset, 0);
  const payload = { text: 'grüß "dich"\n', list: [1, -2, 3.5, null, true, {}] };
  assert.deepEqual(await two.ok('publish', topic, payload), { epoch, offset: 1 });
  const event = await one.take('event');
  assert.deepEqual([event.subject, event.payload], [topic, payload]);
  assert.deepEqual([event.meta.offset, event.meta.sender, event.meta.epoch], [1, two.id, epoch]);
  assert.ok(Math.abs(event.timestamp - Date.now()) < 60000);
  assert.deepEqual(await one.ok('request', 'callboard.echo', payload), payload);
});

test('what may be left out may be left out', async () => {
  const one = await connect();
  one.socket.send('{"type":"ping","seqId":4}');
  assert.equal((await one.reply(4)).type, 'pong');
  one.socket.send('{"type":"notify","subject":"nobody.listens"}');
  one.socket.send('{"type":"ping"}');
  one.socket.send('{"type":"ping","seqId":5}');
  assert.equal((await one.reply(5)).type, 'pong');
});

test('a type\'s name is read in any case, several lines are several frames', async () => {
  const one = await connect();
  one.socket.send('{"type":"PING","seqId":1}\n{"type":"Ping","seqId":2}\n'
    + '{"type":"ping","seqId":3}\n');
  for (const seqId of [1, 2, 3]) assert.equal((await one.reply(seqId)).type, 'pong');
  assert.deepEqual(one.frames, []);
});

test('a request without a subject takes its action from the payload', async () => {
  const one = await connect();
  const payload = { action: 'callboard.echo', more: 1 };
  one.socket.send(JSON.stringify({ type: 'request', seqId: 8, payload }));
  const reply = await one.reply(8);
  assert.deepEqual([reply.type, reply.payload], ['response', payload]);
});

test('errors come with names', async () => {
  const one = await connect();
  const error = await one.fails(300, 'no_responder', 'request', 'no.such.action');
  assert.equal(error.meta.temporary, true);
  await one.fails(103, 'bad_subject', 'publish', 'a//b');
  await one.fails(106, 'unexpected_frame', 'welcome', '');
  one.socket.send('{"type":"no_such_type","seqId":6}\n{"type":"ping","seqId":7}');
  expectError(await one.reply(6), 101, 'unknown_type');
  assert.equal((await one.reply(7)).type, 'pong');
});

test('what is no frame is answered malformed_frame', async () => {
  const one = await connect();
  const bad = ['nonsense', '[1,2]', '7', '{"seqId":5}', '{"type":3.5,"seqId":5}',
    '{"type":"ping","seqId":-1}', '{"type":"ping","seqId":4294967296}',
    '{"type":"publish","subject":7,"seqId":1}', '{"type":"ping"',
    `{"type":"ping","payload":${'['.repeat(65)}${']'.repeat(65)}}`];
  for (const line of bad) {
    one.socket.send(line);
    const answer = await one.take();
    assert.equal(answer.type, 'error', line);
    expectError(answer, 100, 'malformed_frame');
  }
  one.socket.send('{"type":"ping","seqId":1}\nnonsense\n{"type":"ping","seqId":2}');
  assert.equal((await one.reply(1)).type, 'pong');
  expectError(await one.take('error'), 100, 'malformed_frame');
  assert.deepEqual(await one.settle(), []);
});

test('the seqId of a malformed frame is told where it can be read', async () => {
  const one = await connect();
  one.socket.send('{"type":"publish","seqId":31,"subject":["no string"]}');
  const answer = await one.take('error');
  assert.equal(answer.seqId, 31);
});

test('a binary message closes with 1003, bad UTF-8 with 1007', async () => {
  const one = await connect();
  one.socket.send(Buffer.from('{"type":"ping"}'));
  assert.equal((await within(one.closed, 'the close')).code, 1003);
  const two = await connect();
  two.socket._socket.write(hex('81 82 00000000 c328'));
  assert.equal((await within(two.closed, 'the close')).code, 1007);
});

/// What MessagePack says, as bytes, and what JSON makes of it.
const conversions = [
  ['nil', 'c0', null],
  ['booleans', '92 c2 c3', [false, true]],
  ['integers', '93 05 d0 9c cd 0400', [5, -100, 1024]],
  ['a float', 'cb 3ff8000000000000', 1.5],
  ['a string', 'a3 c3bc 22', 'ü"'],
  ['bin', 'c4 03 00ff80', { $bin: 'AP+A' }],
  ['ext', 'd6 07 01020304', { $ext: [7, 'AQIDBA=='] }],
  ['a negative ext type', 'd4 ff 01', { $ext: [-1, 'AQ=='] }],
  ['NaN', 'cb 7ff8000000000000', null],
  ['infinity', '91 ca 7f800000', [null]],
  ['a map', '82 a1 61 01 a1 62 90', { a: 1, b: [] }],
  ['a map with other keys', '82 01 a1 61 a1 62 c3', { $map: [[1, 'a'], ['b', true]] }],
  ['a string that is no UTF-8', 'a2 c328', { $bin: 'wyg=' }],
];

test('MessagePack payloads reach JSON clients', async () => {
  const [reader, writer] = [await connect(), await connectMsgpack()];
  const topic = freshTopic();
  await reader.ok('subscribe', topic);
  for (const [what, bytes, expected] of conversions) {
    writer.socket.send(frame('publish', writer.nextSeqId(), topic, hex(bytes),
      undefined, { rawPayload: true }));
    assert.deepEqual((await reader.take('event')).payload, expected, what);
  }
});

test('64-bit integers keep every digit', async () => {
  const [reader, writer] = [await connect(), await connectMsgpack()];
  const topic = freshTopic();
  await reader.ok('subscribe', topic);
  const texts = [];
  reader.socket.on('message', (data) => texts.push(String(data)));
  writer.socket.send(frame('publish', 1, topic, hex('92 cf ffffffffffffffff d3 8000000000000000'),
    undefined, { rawPayload: true }));
  await reader.take('event');
  assert.match(texts.join(''), /\[\s*18446744073709551615,\s*-9223372036854775808\]/);
});

test('JSON payloads reach MessagePack clients', async () => {
  const [reader, writer] = [await connectMsgpack(), await connect()];
  const topic = freshTopic();
  await reader.ok('subscribe', topic);
  const payloads = [
    [null, null], [true, true], [7, 7], [-1.5, -1.5], ['ü', 'ü'], [[[]], [[]]],
    [{ a: { b: 1 } }, { a: { b: 1 } }],
    [{ $bin: 'AP+A' }, new Uint8Array([0, 255, 128])],
    [{ $ext: [7, 'AQIDBA=='] }, new ExtData(7, new Uint8Array([1, 2, 3, 4]))],
    [{ $map: [[1, 'a'], [2, true]] }, { 1: 'a', 2: true }],
  ];
  for (const [sent, expected] of payloads) {
    await writer.ok('publish', topic, sent);
    const { payload, meta } = await reader.take('event');
    assert.deepEqual(payload, expected, JSON.stringify(sent));
    assert.equal(meta.sender, writer.id);
  }
});

test('requests cross between the two', async () => {
  for (const [asking, answering] of [[connect, connectMsgpack], [connectMsgpack, connect]]) {
    const [asker, worker] = [await asking(), await answering()];
    const action = `${freshTopic('cross').replace('/', '.')}`;
    await worker.ok('register', action);
    const good = asker.send('request', action, { n: 1 });
    const first = await worker.take('request');
    assert.deepEqual([first.payload, first.meta.sender], [{ n: 1 }, asker.id]);
    worker.send('response', '', { n: 2 }, undefined, first.seqId);
    assert.deepEqual((await asker.reply(good)).payload, { n: 2 });
    const bad = asker.send('request', action, null);
    const second = await worker.take('request');
    worker.send('error', 'no_luck', 'Not today.', { code: 1001 }, second.seqId);
    expectError(await asker.reply(bad), 1001, 'no_luck');
  }
});

test('noEcho and id have their names', async () => {
  const one = await connect();
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  const first = await one.ok('publish', topic, 1, { id: 'x', noEcho: true });
  assert.deepEqual(await one.ok('publish', topic, 1, { id: 'x' }), first);
  assert.deepEqual(await one.settle(), []);
  const { recovered } = await (await connect()).ok('subscribe', topic,
    null, { since: { epoch: 'long gone', offset: 3 } });
  assert.equal(recovered, false);
});
