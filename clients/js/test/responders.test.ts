import { expect, test } from 'vitest';
import type { RequestContext } from '../src/index.js';
import { ResponderError } from '../src/index.js';
import { FakeSocket, connected, failure, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

const ask = (socket: FakeSocket, seqId: number, payload: unknown = null, meta = {}, subject = 'a') =>
  socket.say('request', { seqId, subject, payload, meta });

async function answered(socket: FakeSocket) {
  await settle();
  return socket.frames.splice(0).map(({ type, seqId, subject, payload, meta }) =>
    [type, seqId, subject, payload, meta]);
}

test('an action is registered on each connection, and answered', async () => {
  const { client, socket } = connected();
  const contexts: RequestContext[] = [];
  const responder = client.respond('a', (payload, context) => {
    contexts.push(context);
    return [payload];
  });
  await settle();
  const frame = socket.take('register');
  expect(frame.subject).toBe('a');
  socket.answer(frame);
  await responder.ready;
  ask(socket, 5, 'x', { sender: 'bob', timeoutMs: 700, trace: 't' });
  expect(await answered(socket)).toEqual([['response', 5, '', ['x'], {}]]);
  expect(contexts[0]).toMatchObject({ action: 'a', sender: 'bob', timeoutMs: 700, trace: 't', notify: false });
  expect(() => client.respond('a', () => 1)).toThrow(/'a'/);
  socket.end();
  await pass(500);
  FakeSocket.last.welcome();
  await settle();
  expect(FakeSocket.last.take('register').subject).toBe('a');
});

test('promises are awaited, and nothing is null', async () => {
  const { client, socket } = connected();
  client.respond('a', async () => { await Promise.resolve(); });
  await answered(socket);
  ask(socket, 5);
  expect(await answered(socket)).toEqual([['response', 5, '', null, {}]]);
});

test('a ResponderError goes out as it is, anything else without details', async () => {
  const { client, socket } = connected();
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push([error.name, (error.cause as Error).message]));
  client.respond('a', (payload) => {
    if (payload === 1) throw new ResponderError('sold_out', 'Sold out.', { code: 1001, temporary: true, retryAfterMs: 5 });
    if (payload === 2) throw new Error('secret');
    return () => 'no value';
  });
  await answered(socket);
  for (const payload of [1, 2]) ask(socket, payload, payload);
  expect(await answered(socket)).toEqual([
    ['error', 1, 'sold_out', 'Sold out.', { code: 1001, temporary: true, retryAfterMs: 5 }],
    ['error', 2, 'failed', 'The responder failed.', { code: 1000, temporary: false }]]);
  expect(errors).toEqual([['handler_failed', 'secret']]);
  ask(socket, 3);
  expect(await answered(socket)).toEqual([
    ['error', 3, 'failed', 'The responder failed.', { code: 1000, temporary: false }]]);
});

test('an answer that is too large is an error', async () => {
  const { client, socket } = connected({}, { frameBytesMax: 100 });
  client.on('error', () => {});
  client.respond('a', () => new Uint8Array(100));
  await answered(socket);
  ask(socket, 1);
  expect((await answered(socket)).map(([type, seqId]) => [type, seqId])).toEqual([['error', 1]]);
});

test('codes of responders are 1000 … 65535', () => {
  for (const code of [999, 65536, 1000.5, NaN]) {
    expect(() => new ResponderError('n', 'm', { code })).toThrow(RangeError);
  }
  for (const code of [1000, 65535]) expect(new ResponderError('n', 'm', { code }).code).toBe(code);
});

test('what is not answered here is the server\'s to know', async () => {
  const { socket } = connected();
  ask(socket, 9, null, {}, 'b');
  expect(await answered(socket)).toEqual([
    ['error', 9, 'responder_failed', "Nobody answers 'b' here.", { code: 302, temporary: true }]]);
});

test('a notify is not answered, whatever its handler does', async () => {
  const { client, socket } = connected();
  const errors: string[] = [];
  const heard: boolean[] = [];
  client.on('error', ({ name }) => errors.push(name));
  client.respond('a', (payload, { notify }) => {
    heard.push(notify);
    if (payload === 'bad') throw new Error('e');
    return 1;
  });
  await answered(socket);
  for (const payload of ['good', 'bad']) socket.say('notify', { subject: 'a', payload });
  socket.say('notify', { subject: 'unknown' });
  expect(await answered(socket)).toEqual([]);
  expect([heard, errors]).toEqual([[true, true], ['handler_failed']]);
});

test('a cancel, and a lost connection, abort the signal; the answer is dropped', async () => {
  const { client, socket } = connected();
  const open: { signal: AbortSignal; answer: (value: unknown) => void }[] = [];
  client.respond('a', (_, { signal }) => new Promise((answer) => { open.push({ signal, answer }); }));
  await answered(socket);
  for (const seqId of [1, 2, 3]) ask(socket, seqId);
  socket.say('cancel', { seqId: 2 });
  expect(open.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
  open[1]?.answer('late');
  open[0]?.answer('good');
  expect(await answered(socket)).toEqual([['response', 1, '', 'good', {}]]);
  socket.end();
  expect(open[2]?.signal.aborted).toBe(true);
  await pass(500);
  FakeSocket.last.welcome();
  await answered(FakeSocket.last);
  ask(FakeSocket.last, 3);
  open[2]?.answer('of the connection before');
  expect(await answered(FakeSocket.last)).toEqual([]);
  open[3]?.answer('now');
  expect(await answered(FakeSocket.last)).toEqual([['response', 3, '', 'now', {}]]);
});

test('a handler that throws because it was aborted is no news', async () => {
  const { client, socket } = connected();
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  client.respond('a', (_, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  }));
  await answered(socket);
  ask(socket, 1);
  socket.say('cancel', { seqId: 1 });
  expect(await answered(socket)).toEqual([]);
  expect(errors).toEqual([]);
});

test('1,024 are answered at a time, and one more is refused', async () => {
  const { client, socket } = connected();
  const answers: (() => void)[] = [];
  client.respond('a', () => new Promise<void>((resolve) => { answers.push(resolve); }));
  await answered(socket);
  for (let seqId = 1; seqId <= 1024; ++seqId) ask(socket, seqId);
  expect(await answered(socket)).toEqual([]);
  ask(socket, 1025);
  expect((await answered(socket)).map(([type, seqId, name, , meta]) => [type, seqId, name, meta])).toEqual([
    ['error', 1025, 'overloaded', { code: 501, temporary: true }]]);
  answers[0]?.();
  expect((await answered(socket)).map(([type, seqId]) => [type, seqId])).toEqual([['response', 1]]);
  ask(socket, 1026);
  expect(await answered(socket)).toEqual([]);
  expect(answers.length).toBe(1025);
});

test('stop: no more requests, but those that came are answered', async () => {
  const { client, socket } = connected();
  let answer = (_: unknown) => {};
  const responder = client.respond('a', () => new Promise((resolve) => { answer = resolve; }));
  await answered(socket);
  ask(socket, 1);
  const stopped = responder.stop();
  await settle();
  socket.answer(socket.take('unregister'));
  await stopped;
  answer('done');
  expect(await answered(socket)).toEqual([['response', 1, '', 'done', {}]]);
  expect(await failure(responder.ready)).toMatchObject({ name: 'cancelled' });
  client.respond('a', () => 2);
  expect((await answered(socket)).map(([type]) => type)).toEqual(['register']);
});

test('a registration that is refused ends; one that cannot be now is tried again', async () => {
  const { client, socket } = connected();
  const errors: string[] = [];
  client.on('error', ({ name }) => errors.push(name));
  const refused = client.respond('callboard.x', () => 1);
  const later = client.respond('b', () => 1);
  await settle();
  socket.refuse(socket.take('register'), 202, 'forbidden');
  socket.refuse(socket.take('register'), 501, 'overloaded', { temporary: true, retryAfterMs: 1000 });
  expect(await failure(refused.ready)).toMatchObject({ name: 'forbidden' });
  expect(errors).toEqual(['forbidden']);
  await pass(1499);
  expect(socket.frames).toEqual([]);
  await pass(1);
  socket.answer(socket.take('register'));
  await later.ready;
});

test('one that is taken back is registered again, and the answer counts', async () => {
  const { client, socket } = connected();
  client.on('error', () => {});
  const responder = client.respond('a', () => 1);
  await settle();
  socket.answer(socket.take('register'));
  await responder.ready;
  socket.say('error', { subject: 'forbidden', payload: "No responder of 'a' any more.", meta: { code: 202 } });
  await settle();
  socket.refuse(socket.take('register'), 202, 'forbidden');
  ask(socket, 4);
  expect((await answered(socket)).map(([, , subject]) => subject)).toEqual(['responder_failed']);
});
