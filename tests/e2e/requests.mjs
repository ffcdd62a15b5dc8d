// Requests and responses: the server's own actions, and clients that answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectError, frame } from './support/client.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const { connect } = suite();

let actions = 0;
const freshAction = () => `test.action${++actions}`;

/// Returns a client that has registered `action`.
async function responder(action) {
  const client = await connect();
  await client.ok('register', action);
  return client;
}

/// Answers the next request that `client` gets.
async function answer(client, payload, name = 'response', subject = '', meta = undefined) {
  const request = await client.take('request');
  client.send(name, subject, payload, meta, request.seqId);
  return request;
}

test('callboard.echo answers with its payload', async () => {
  const one = await connect();
  const payloads = [null, true, 0, -1, 1.5, 2 ** 40, '', 'text', [], {}, [[['deep']]],
    { key: 'value', nested: { list: [1, 2, 3] } }, new Uint8Array([0, 255, 128])];
  for (const payload of payloads) {
    const echoed = await one.ok('request', 'callboard.echo', payload);
    assert.deepEqual(echoed, payload);
  }
});

test('callboard.time answers with the server\'s time', async () => {
  const one = await connect();
  const time = await one.ok('request', 'callboard.time');
  const number = typeof time === 'object' ? Object.values(time)[0] : time;
  assert.ok(Math.abs(Number(number) - Date.now()) < 60000, `${number}`);
});

test('a client answers the requests of another', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, { a: 20, b: 22 }, { trace: '00-ab-cd-01' });
  const request = await answer(worker, 42);
  assert.deepEqual([request.subject, request.payload], [action, { a: 20, b: 22 }]);
  assert.equal(request.meta.sender, asker.id);
  assert.equal(request.meta.trace, '00-ab-cd-01');
  const reply = await asker.reply(seqId);
  assert.deepEqual([reply.type, reply.payload], ['response', 42]);
  assert.deepEqual(await worker.settle(), []);
});

test('a responder\'s own error passes through', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, null);
  await answer(worker, 'There is no tea left.', 'error', 'out_of_tea',
    { code: 1418, temporary: true });
  const reply = await asker.reply(seqId);
  expectError(reply, 1418, 'out_of_tea');
  assert.equal(reply.payload, 'There is no tea left.');
  assert.equal(reply.meta.temporary, true);
});

test('without a responder there is no_responder', async () => {
  const one = await connect();
  const error = await one.fails(300, 'no_responder', 'request', freshAction());
  assert.equal(error.meta.temporary, true);
});

test('a bad action is refused by name', async () => {
  const one = await connect();
  for (const action of ['', 'a//b', 'a\u0000']) {
    await one.fails(103, 'bad_subject', 'register', action);
  }
});

test('callboard.… is the server\'s own', async () => {
  const one = await connect();
  const reply = await one.call('register', 'callboard.mine');
  assert.equal(reply.type, 'error');
  assert.ok([103, 202].includes(reply.meta.code), `${reply.meta.code}`);
});

test('unregister ends it, and what is in flight is still answered', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, 'early');
  const request = await worker.take('request');
  await worker.ok('unregister', action);
  await asker.fails(300, 'no_responder', 'request', action, 'late');
  worker.send('response', '', 'done', undefined, request.seqId);
  assert.equal((await asker.reply(seqId)).payload, 'done');
});

test('responders share the load, fewest in flight first', async () => {
  const action = freshAction();
  const [asker, one, two] = [await connect(), await responder(action), await responder(action)];
  for (let i = 0; i < 4; ++i) asker.send('request', action, i);
  const held = [];
  for (let i = 0; i < 2; ++i) held.push(await one.take('request'));
  for (let i = 0; i < 2; ++i) await two.take('request');
  for (const { seqId } of held) one.send('response', '', 'free again', undefined, seqId);
  for (let i = 0; i < 2; ++i) await asker.take('response');
  for (let i = 0; i < 2; ++i) asker.send('request', action, i);
  for (let i = 0; i < 2; ++i) await one.take('request');
  assert.deepEqual(await two.settle(), [], 'it is still busy');
});

test('a responder that goes away has failed', async () => {
  const action = freshAction();
  for (const leave of ['close', 'terminate']) {
    const [asker, worker] = [await connect(), await responder(action)];
    const seqId = asker.send('request', action, null);
    await worker.take('request');
    worker.socket[leave]();
    const reply = await asker.reply(seqId);
    expectError(reply, 302, 'responder_failed');
    assert.equal(reply.meta.temporary, true);
    await asker.fails(300, 'no_responder', 'request', action);
  }
});

test('an asker that goes away leaves its responder unharmed', async () => {
  const action = freshAction();
  const [asker, other, worker] = [await connect(), await connect(), await responder(action)];
  asker.send('request', action, 'gone soon');
  const request = await worker.take('request');
  asker.end();
  await asker.closed;
  const seqId = other.send('request', action, 'patient');
  const second = await worker.take(({ type, payload }) => type === 'request' && payload === 'patient');
  worker.send('response', '', 'too late', undefined, request.seqId);
  worker.send('response', '', 'in time', undefined, second.seqId);
  assert.equal((await other.reply(seqId)).payload, 'in time');
});

test('timeoutMs bounds the wait, and a late answer reaches nobody', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, null, { timeoutMs: 100 });
  const request = await worker.take('request');
  const reply = await asker.reply(seqId);
  expectError(reply, 301, 'timeout');
  assert.equal(reply.meta.temporary, true);
  worker.send('response', '', 'late', undefined, request.seqId);
  await worker.settle();
  assert.deepEqual(await asker.settle(), []);
});

test('cancel answers the canceller and tells the responder', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, null);
  const request = await worker.take('request');
  asker.send('cancel', '', null, undefined, seqId);
  expectError(await asker.reply(seqId), 303, 'cancelled');
  assert.equal((await worker.take('cancel')).seqId, request.seqId);
  worker.send('response', '', 'anyway', undefined, request.seqId);
  await worker.settle();
  assert.deepEqual(await asker.settle(), [], 'answered once');
});

test('a seqId in flight cannot be used again', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, 'first');
  const request = await worker.take('request');
  asker.send('request', action, 'second', undefined, seqId);
  expectError(await asker.reply(seqId), 104, 'duplicate_seq_id');
  worker.send('response', '', 'first is answered', undefined, request.seqId);
  assert.equal((await asker.reply(seqId)).payload, 'first is answered');
  assert.deepEqual(await worker.settle(), [], 'the second never came');
});

test('inflightMax requests may wait at once, and no more', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const { inflightMax } = asker.welcome.payload;
  const frames = Array.from({ length: inflightMax }, () =>
    frame('request', asker.nextSeqId(), action, null));
  asker.socket.send(Buffer.concat(frames));
  const first = await worker.take('request');
  const error = await asker.fails(105, 'too_many_inflight', 'request', action);
  assert.equal(error.meta.temporary, true);
  worker.send('response', '', 'room again', undefined, first.seqId);
  await asker.take('response');
  asker.send('request', action, 'fits');
  await worker.take(({ payload }) => payload === 'fits');
});

test('a request with seqId 0 wants no answer', async () => {
  const one = await connect();
  one.send('request', freshAction(), null, undefined, 0);
  one.send('request', 'callboard.echo', 'unheard', undefined, 0);
  assert.deepEqual(await one.settle(), []);
});

test('notify reaches a responder and is not answered', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  asker.send('notify', action, 'for your information', undefined, 0);
  const notice = await worker.take('notify');
  assert.deepEqual([notice.seqId, notice.subject, notice.payload, notice.meta.sender],
    [0, action, 'for your information', asker.id]);
  asker.send('notify', freshAction(), 'nobody', undefined, 0);
  assert.deepEqual(await asker.settle(), []);
});

test('nobody answers twice', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const seqId = asker.send('request', action, null);
  const { seqId: theirs } = await worker.take('request');
  worker.send('response', '', 'once', undefined, theirs);
  worker.send('response', '', 'twice', undefined, theirs);
  assert.equal((await asker.reply(seqId)).payload, 'once');
  await worker.ok('request', 'callboard.echo', null);
  assert.deepEqual(await asker.settle(), []);
});

test('only the one that was asked can answer', async () => {
  const action = freshAction();
  const [asker, worker, stranger] = [await connect(), await responder(action), await connect()];
  const seqId = asker.send('request', action, null);
  const { seqId: theirs } = await worker.take('request');
  for (let guess = 1; guess <= 5; ++guess) {
    stranger.send('response', '', 'forged', undefined, guess);
  }
  await stranger.settle();
  worker.send('response', '', 'genuine', undefined, theirs);
  assert.equal((await asker.reply(seqId)).payload, 'genuine');
});

test('a request and a publication in flight do not hold each other up', async () => {
  const action = freshAction();
  const [asker, worker] = [await connect(), await responder(action)];
  const topic = freshTopic();
  const seqId = asker.send('request', action, null);
  const { seqId: theirs } = await worker.take('request');
  assert.equal((await asker.ok('publish', topic, 1)).offset, 1);
  worker.send('response', '', 'slow', undefined, theirs);
  assert.equal((await asker.reply(seqId)).payload, 'slow');
});
