import { describe, expect, test } from 'vitest';
import {
  AbortedError, ConnectionLostError, MalformedError, ResponderError, ServerError,
  TimeoutError, TooLargeError,
} from '../src/index.js';
import { FakeSocket, begin, connected, failure, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

/** Loses the connection and makes another one. */
async function again(socket: FakeSocket, welcome = {}) {
  socket.end(1006);
  await pass(60000 - 59000);
  FakeSocket.last.welcome(welcome);
  await settle();
  return FakeSocket.last;
}

const subjects = (socket: FakeSocket) => socket.frames.map(({ subject }) => subject);

describe('a call', () => {
  test('publish is answered with a position', async () => {
    const { client, socket } = connected();
    const published = client.publish('room/1', { text: 'hi' },
      { id: 'i1', noEcho: true, key: 'k', trace: 't' });
    await settle();
    const frame = socket.take('publish');
    expect(frame).toMatchObject({
      subject: 'room/1', payload: { text: 'hi' },
      meta: { id: 'i1', noEcho: true, key: 'k', trace: 't' },
    });
    socket.answer(frame, { epoch: 'e', offset: 5 });
    expect(await published).toEqual({ epoch: 'e', offset: 5 });
  });

  test('without ack nothing is waited for', async () => {
    const { client, socket } = connected();
    expect(await client.publish('t', 1, { ack: false, id: 'i' })).toBe(null);
    await client.notify('log', 2, { trace: 'x' });
    await settle();
    expect(socket.take('publish')).toMatchObject({ seqId: 0, meta: { id: 'i' } });
    expect(socket.take('notify')).toMatchObject({ seqId: 0, subject: 'log', payload: 2, meta: { trace: 'x' } });
  });

  test('an id can be made up, and differs', async () => {
    let n = 0;
    const { client, socket } = connected({ random: () => ++n / 100 });
    void client.publish('t', 1, { id: true });
    void client.publish('t', 1, { id: true });
    await settle();
    const ids = socket.frames.map(({ meta }) => meta.id);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('request and ping', async () => {
    const { client, socket } = connected();
    const answered = client.request('orders.get', { id: 7 }, { timeout: 2500, trace: 'x' });
    const trip = client.ping();
    await settle();
    const frame = socket.take('request');
    expect(frame).toMatchObject({ subject: 'orders.get', payload: { id: 7 }, meta: { timeoutMs: 2500, trace: 'x' } });
    await pass(12);
    socket.answer(frame, 'there');
    expect(await answered).toBe('there');
    socket.say('pong', { seqId: socket.take('ping').seqId });
    expect(await trip).toBe(12);
  });

  test.each([[5, 5], [300000, 300000], [300001, 300000], [0.5, 1]])(
    'a timeout of %d ms is told the server as %i', async (timeout, told) => {
      const { client, socket } = connected();
      void client.request('a', null, { timeout });
      await settle();
      expect(socket.take('request').meta.timeoutMs).toBe(told);
    });

  test.each([0, -1, NaN, Infinity, 2 ** 31])('a timeout of %d is none', async (timeout) => {
    const { client } = connected();
    expect(await failure(client.request('a', null, { timeout }))).toBeInstanceOf(RangeError);
  });

  test('errors are of the class that they are handled by', async () => {
    const { client, socket } = connected();
    for (const [code, name, Class, more] of [
      [300, 'no_responder', ServerError, { temporary: true }],
      [500, 'rate_limited', ServerError, { temporary: true, retryAfterMs: 250 }],
      [301, 'timeout', TimeoutError, { temporary: true }],
      [102, 'frame_too_large', TooLargeError, {}],
      [303, 'cancelled', AbortedError, {}],
      [1000, 'out_of_stock', ResponderError, { temporary: true, retryAfterMs: 9 }],
      [65535, 'last', ResponderError, {}],
      [999, 'odd', ServerError, {}],
      [70000, 'odd', ServerError, {}],
    ] as const) {
      const failed = failure(client.request('a'));
      await settle();
      socket.refuse(socket.take('request'), code, name, more);
      const error = await failed;
      expect(error).toBeInstanceOf(Class);
      expect(error).toMatchObject({ code, name, temporary: false, ...more });
    }
  });

  test('the server helps: history, position, presence and push', async () => {
    const { client, socket } = connected();
    void client.history('t', { since: { epoch: 'e', offset: 3 }, limit: 5, reverse: true, before: 9 });
    void client.position('t');
    void client.presence('t', { limit: 2, after: 'x' });
    void client.presenceCount('t');
    void client.push('bob', 'hi', { id: 'i' });
    await settle();
    expect(socket.frames.map(({ subject, payload, meta }) => [subject, payload, meta.id])).toEqual([
      ['callboard.history', { topic: 't', since: { epoch: 'e', offset: 3 }, before: 9, limit: 5, reverse: true }, undefined],
      ['callboard.position', { topic: 't' }, undefined],
      ['callboard.presence', { topic: 't', limit: 2, after: 'x' }, undefined],
      ['callboard.presence_count', { topic: 't' }, undefined],
      ['callboard.push', { user: 'bob', payload: 'hi' }, 'i'],
    ]);
  });

  test('what has no place in a frame is not sent', async () => {
    const { client, socket } = connected();
    const loop: unknown[] = [];
    loop.push(loop);
    for (const payload of [() => 1, Symbol('s'), 2n ** 64n, loop, new Date(0)]) {
      expect(await failure(client.publish('t', payload))).toBeInstanceOf(MalformedError);
    }
    await settle();
    expect(socket.frames).toEqual([]);
  });
});

describe('a deadline', () => {
  test('is kept in flight; a request is cancelled', async () => {
    const { client, socket } = connected();
    const late = failure(client.request('a', null, { timeout: 1000 }));
    const published = failure(client.publish('t', 1, { timeout: 1000 }));
    await pass(999);
    expect(socket.types()).toEqual(['request', 'publish']);
    await pass(1);
    expect(await late).toBeInstanceOf(TimeoutError);
    expect(await published).toMatchObject({ name: 'timeout', code: 301, temporary: true });
    expect(socket.types()).toEqual(['request', 'publish', 'cancel']);
    expect(socket.frames[2]?.seqId).toBe(socket.frames[0]?.seqId);
  });

  test('is kept while waiting, and what waited too long is not sent', async () => {
    const client = begin();
    const all = [client.request('a', null, { timeout: 1000 }), client.publish('t', 1, { ack: false, timeout: 1000 }),
      client.notify('a', 1, { timeout: 1000 }), client.ping({ timeout: 1000 })].map(failure);
    await pass(1000);
    for (const one of await Promise.all(all)) expect(one).toBeInstanceOf(TimeoutError);
    FakeSocket.last.welcome();
    await settle();
    expect(FakeSocket.last.frames).toEqual([]);
  });

  test('is the client\'s where none is given', async () => {
    const { client } = connected({ timeout: 50 });
    const late = failure(client.request('a'));
    await pass(50);
    expect(await late).toBeInstanceOf(TimeoutError);
  });

  test('an answer that comes late does nothing', async () => {
    const { client, socket } = connected();
    const late = failure(client.request('a', null, { timeout: 10 }));
    await pass(10);
    await late;
    socket.answer(socket.take('request'));
    expect(client.state).toBe('connected');
  });
});

describe('a signal', () => {
  test('aborted before: nothing is sent', async () => {
    const { client, socket } = connected();
    const error = await failure(client.request('a', null, { signal: AbortSignal.abort('why') }));
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ name: 'cancelled', code: 303, cause: 'why' });
    await settle();
    expect(socket.frames).toEqual([]);
  });

  test('while waiting: it is not sent', async () => {
    const client = begin();
    const control = new AbortController();
    const aborted = failure(client.publish('t', 1, { signal: control.signal }));
    control.abort();
    expect(await aborted).toBeInstanceOf(AbortedError);
    FakeSocket.last.welcome();
    await settle();
    expect(FakeSocket.last.frames).toEqual([]);
  });

  test('in flight: a request is cancelled, a publish is not', async () => {
    const { client, socket } = connected();
    const control = new AbortController();
    const { signal } = control;
    const all = [client.request('a', null, { signal }), client.publish('t', 1, { signal })].map(failure);
    await settle();
    control.abort();
    for (const one of await Promise.all(all)) expect(one).toBeInstanceOf(AbortedError);
    await settle();
    expect(socket.types()).toEqual(['request', 'publish', 'cancel']);
    expect(socket.frames[2]?.seqId).toBe(socket.frames[0]?.seqId);
  });

  test('after the answer: nothing', async () => {
    const { client, socket } = connected();
    const control = new AbortController();
    const answered = client.request('a', null, { signal: control.signal });
    await settle();
    socket.answer(socket.take('request'), 1);
    expect(await answered).toBe(1);
    control.abort();
    await settle();
    expect(socket.frames).toEqual([]);
  });
});

describe('a lost connection', () => {
  test('publishes with an id are sent again, in order and before what waits', async () => {
    const { client, socket } = connected();
    const done: unknown[] = [];
    for (const id of ['a', 'b', 'c']) {
      void client.publish(id, 1, { id }).then((position) => done.push([id, position]));
    }
    const lost = failure(client.publish('without', 1));
    await settle();
    socket.answer(socket.frames[0] as never, { epoch: 'e', offset: 1 });
    socket.end(1006);
    expect(await lost).toBeInstanceOf(ConnectionLostError);
    expect(await lost).toMatchObject({ name: 'connection_lost', temporary: true });
    void client.publish('d', 1, { id: 'd' }).then((position) => done.push(['d', position]));
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['b', 'c', 'd']);
    expect(FakeSocket.last.frames.map(({ meta }) => meta.id)).toEqual(['b', 'c', 'd']);
    FakeSocket.last.frames.forEach((frame, at) => FakeSocket.last.answer(frame, at));
    await settle();
    expect(done).toEqual([['a', { epoch: 'e', offset: 1 }], ['b', 0], ['c', 1], ['d', 2]]);
  });

  test('requests fail, but those that are idempotent are sent again', async () => {
    const { client, socket } = connected();
    const lost = failure(client.request('once'));
    const kept = client.request('any', null, { idempotent: true });
    const read = client.history('t');
    const trip = failure(client.ping());
    await settle();
    const second = await again(socket);
    expect(await lost).toBeInstanceOf(ConnectionLostError);
    expect(await trip).toBeInstanceOf(ConnectionLostError);
    expect(subjects(second)).toEqual(['any', 'callboard.history']);
    for (const frame of second.frames) second.answer(frame, 'yes');
    expect([await kept, await read]).toEqual(['yes', 'yes']);
  });

  test('what has failed meanwhile is not sent again', async () => {
    const { client, socket } = connected();
    const control = new AbortController();
    const aborted = failure(client.publish('x', 1, { id: 'x', signal: control.signal }));
    const late = failure(client.publish('y', 1, { id: 'y', timeout: 100 }));
    const answered = client.publish('z', 1, { id: 'z' });
    await settle();
    control.abort();
    socket.answer(socket.frames[2] as never, 1);
    await pass(100);
    expect([await aborted, await late, await answered]).toMatchObject([{ code: 303 }, { code: 301 }, 1]);
    expect((await again(socket)).frames).toEqual([]);
  });

  test('the deadline does not begin anew', async () => {
    const { client, socket } = connected();
    const late = failure(client.publish('t', 1, { id: 'i', timeout: 2000 }));
    await settle();
    await again(socket);
    await pass(1000);
    expect(await late).toBeInstanceOf(TimeoutError);
  });

  test('what was given over in the turn of the loss is not sent twice', async () => {
    const { client, socket } = connected();
    void client.publish('t', 1, { id: 'i' });
    const second = await again(socket);
    expect(subjects(second)).toEqual(['t']);
    expect(socket.frames).toEqual([]);
  });
});

test('connected() fails by its signal and its timeout', async () => {
  const client = begin();
  const control = new AbortController();
  const aborted = failure(client.connected({ signal: control.signal }));
  control.abort();
  expect(await aborted).toBeInstanceOf(AbortedError);
  expect(await failure(client.connected({ signal: control.signal }))).toBeInstanceOf(AbortedError);
  const late = failure(client.connected({ timeout: 20 }));
  await pass(20);
  expect(await late).toBeInstanceOf(TimeoutError);
});

test('a promise that is left alone makes no noise', async () => {
  const { client, socket } = connected();
  void client.request('a');
  void client.notify('a', () => {});
  void client.ping();
  void client.connected();
  void client.subscribe('t').unsubscribe();
  void client.respond('r', () => 1).stop();
  client.subscribe('u');
  await settle();
  socket.end(4503);
  void client.request('a');
  await settle();
});
