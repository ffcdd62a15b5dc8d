import { describe, expect, test } from 'vitest';
import type { Event, SubscribeOptions, Subscription } from '../src/index.js';
import { AbortedError, ClosedError, QueueFullError, ServerError } from '../src/index.js';
import { FakeSocket, begin, connected, failure, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

const say = (socket: FakeSocket, offset: number, more: Record<string, unknown> = {}, subject = 't') =>
  socket.say('event', { subject, payload: `p${offset}`, meta: { offset, ...more } });

/** Collects what a subscription says. */
function listen(subscription: Subscription, names = ['subscribed', 'recovered', 'gap', 'event', 'error', 'end']) {
  const heard: unknown[] = [];
  for (const name of names) {
    subscription.on(name as 'event', (value) => {
      heard.push(name === 'event' ? Number(value.offset) : [name, value]);
    });
  }
  return heard;
}

/** Subscribes to `t`, answered with this position. */
async function subscribed(options: SubscribeOptions = {}, payload: unknown = { epoch: 'e', offset: 5, recovered: false }) {
  const { client, socket } = connected();
  const subscription = client.subscribe('t', options);
  await settle();
  socket.answer(socket.take('subscribe'), payload);
  return { client, socket, subscription };
}

async function again(socket: FakeSocket) {
  socket.end(1006);
  await pass(1000);
  FakeSocket.last.welcome();
  await settle();
  return FakeSocket.last;
}

async function collect(subscription: Subscription, count: number) {
  const offsets: unknown[] = [];
  for await (const { offset } of subscription) {
    offsets.push(offset);
    if (offsets.length === count) break;
  }
  return offsets;
}

describe('a subscription', () => {
  test('begins where the server says, and follows its events', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('t');
    const heard = listen(subscription);
    expect([subscription.state, subscription.position]).toEqual(['pending', null]);
    await settle();
    const frame = socket.take('subscribe');
    expect(frame).toMatchObject({ subject: 't', meta: {} });
    socket.answer(frame, { epoch: 'e', offset: 5, recovered: false });
    const answer = { position: { epoch: 'e', offset: 5 }, recovered: false, again: false };
    expect(await subscription.ready).toEqual(answer);
    expect([subscription.state, subscription.position]).toEqual(['subscribed', { epoch: 'e', offset: 5 }]);
    say(socket, 6);
    say(socket, 8);
    expect(heard).toEqual([['subscribed', answer], 6, 8]);
    expect(subscription.position).toEqual({ epoch: 'e', offset: 8 });
  });

  test('an event has what its frame had', async () => {
    const { socket, subscription } = await subscribed();
    const events: Event[] = [];
    subscription.on('event', (event) => events.push(event));
    socket.say('event', { subject: 't', payload: [1], meta: {
      offset: 6, sender: 'bob', key: 'k', trace: 'tr', origin: 'g', attempt: 2 } });
    say(socket, 1, { epoch: 'f' });
    expect(events[0]).toMatchObject({ topic: 't', payload: [1], offset: 6, sender: 'bob', key: 'k',
      trace: 'tr', origin: 'g', attempt: 2, retained: false, timestamp: Date.now() });
    expect(events[1]).toMatchObject({ sender: '', epoch: 'f', offset: 1 });
    expect(subscription.position).toEqual({ epoch: 'f', offset: 1 });
    events[0]?.ack();
    events[0]?.reject();
    await settle();
    expect(socket.frames).toEqual([]);
  });

  test('events before the answer are not its own', async () => {
    const { client, socket } = connected();
    const heard = listen(client.subscribe('t'));
    say(socket, 6);
    expect(heard).toEqual([]);
  });

  test('wishes go with it', async () => {
    const { client, socket } = connected();
    client.subscribe('t', { since: { epoch: 'e', offset: 3 }, presence: true });
    client.subscribe('t', { group: 'g', ack: true });
    client.subscribe('a/+', { presence: false });
    await settle();
    expect(socket.frames.map(({ subject, meta }) => [subject, meta])).toEqual([
      ['t', { since: { epoch: 'e', offset: 3 }, presence: true }],
      ['t', { group: 'g', ack: true }], ['a/+', {}]]);
    expect(() => client.subscribe('t')).toThrow(/'t'/);
    expect(() => client.subscribe('t', { group: 'g' })).toThrow();
    client.subscribe('t', { group: 'h' });
  });

  test('offsets beyond 2^53 are exact', async () => {
    const { socket, subscription } = await subscribed({}, { epoch: 'e', offset: 2n ** 53n, recovered: false });
    const heard: unknown[] = [];
    subscription.on('event', ({ offset }) => heard.push(offset));
    for (const offset of [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 1n, 2n ** 53n + 2n]) {
      socket.say('event', { subject: 't', meta: { offset } });
    }
    expect(heard).toEqual([2n ** 53n + 1n, 2n ** 53n + 2n]);
  });

  test('a buffer has room for something', () => {
    const { client } = connected();
    for (const buffer of [0, -1, 1.5, NaN]) {
      expect(() => client.subscribe('t', { buffer })).toThrow(RangeError);
    }
    client.subscribe('t', { buffer: 1 });
  });
});

describe('after a reconnect', () => {
  test('it goes on behind its last event, and drops what it has had', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['recovered', 'gap', 'event']);
    say(socket, 6);
    socket.end(1006);
    expect(subscription.state).toBe('pending');
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    const frame = FakeSocket.last.take('subscribe');
    expect(frame.meta.since).toEqual({ epoch: 'e', offset: 6 });
    FakeSocket.last.answer(frame, { epoch: 'e', offset: 8, recovered: true });
    expect(subscription.position).toEqual({ epoch: 'e', offset: 6 });
    for (const offset of [6, 7, 7, 8, 9]) say(FakeSocket.last, offset);
    expect(heard).toEqual([6, ['recovered', { position: { epoch: 'e', offset: 6 }, recovered: true, again: true }],
      7, 8, 9]);
  });

  test('what could not be recovered is told', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['recovered', 'gap', 'event']);
    const second = await again(socket);
    second.answer(second.take('subscribe'), { epoch: 'f', offset: 2, recovered: false });
    const position = { epoch: 'f', offset: 2 };
    expect(heard).toEqual([['recovered', { position, recovered: false, again: true }],
      ['gap', { reason: 'not recovered', position }]]);
    say(second, 3);
    expect(subscription.position).toEqual({ epoch: 'f', offset: 3 });
    expect((await again(second)).take('subscribe').meta.since).toEqual({ epoch: 'f', offset: 3 });
  });

  test('a first one with a position is told what it came to, one without is not', async () => {
    const { client, socket } = connected();
    const heard = listen(client.subscribe('t', { since: { epoch: 'e', offset: 1 } }), ['recovered', 'gap']);
    const plain = listen(client.subscribe('u'), ['recovered', 'gap']);
    await settle();
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 1, recovered: true });
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 1, recovered: false });
    expect(heard).toEqual([['recovered', { position: { epoch: 'e', offset: 1 }, recovered: true, again: false }]]);
    expect(plain).toEqual([]);
  });

  test('a pattern has no position, and has missed something', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('a/+');
    const heard = listen(subscription, ['subscribed', 'gap', 'event']);
    await settle();
    socket.answer(socket.take('subscribe'), { retained: true });
    say(socket, 7, { pattern: 'a/+', retained: true }, 'a/b');
    say(socket, 7, { pattern: 'a/+' }, 'a/c');
    say(socket, 3, { pattern: 'a/+' }, 'a/b');
    expect(subscription.position).toBe(null);
    const second = await again(socket);
    const frame = second.take('subscribe');
    expect(frame.meta).toEqual({});
    second.answer(frame, {});
    expect(heard).toEqual([
      ['subscribed', { position: null, recovered: false, again: false, retained: true }], 7, 7, 3,
      ['subscribed', { position: null, recovered: false, again: true }],
      ['gap', { reason: 'not recovered', position: null }]]);
  });

  test('those made while away are made, those ended while away are not', async () => {
    const { client, socket, subscription } = await subscribed();
    socket.end(1006);
    client.subscribe('u');
    await subscription.unsubscribe();
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    expect(FakeSocket.last.frames.map(({ type, subject }) => [type, subject])).toEqual([['subscribe', 'u']]);
  });

  test('subscriptions come before responders, and these before calls', async () => {
    const client = begin();
    void client.publish('p', 1);
    client.respond('r', () => 1);
    client.subscribe('s');
    FakeSocket.last.welcome();
    await settle();
    expect(FakeSocket.last.types()).toEqual(['subscribe', 'register', 'publish']);
  });

  test('an answer of the connection before is void', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('t');
    await settle();
    const old = socket.take('subscribe');
    const second = await again(socket);
    second.answer(old, { epoch: 'x', offset: 1, recovered: false });
    expect(subscription.state).toBe('pending');
  });
});

describe('last values', () => {
  test('one comes first, and is no step forward', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['event']);
    say(socket, 5, { retained: true });
    say(socket, 6);
    expect(heard).toEqual([5, 6]);
    expect(subscription.position).toEqual({ epoch: 'e', offset: 6 });
  });

  test.each([[5, 'e', []], [6, 'e', [6]], [5, 'f', [5]]])(
    'after a reconnect: offset %i of epoch %s', async (offset, epoch, events) => {
      const { socket, subscription } = await subscribed();
      const second = await again(socket);
      second.answer(second.take('subscribe'), { epoch, offset, recovered: false });
      const heard = listen(subscription, ['event']);
      say(second, offset, { retained: true });
      expect(heard).toEqual(events);
    });
});

describe('position and presence', () => {
  test('a new position is a gap, and is where it goes on from', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['gap', 'event']);
    socket.say('position', { subject: 't', payload: { epoch: 'f', offset: 0, reason: 'epoch changed' } });
    say(socket, 1, { epoch: 'f' });
    socket.say('position', { subject: 't', payload: { epoch: 'f', offset: 9, reason: 'events dropped' } });
    say(socket, 9);
    say(socket, 10);
    expect(heard).toEqual([['gap', { reason: 'epoch changed', position: { epoch: 'f', offset: 0 } }], 1,
      ['gap', { reason: 'events dropped', position: { epoch: 'f', offset: 9 } }], 10]);
    expect((await again(socket)).take('subscribe').meta.since).toEqual({ epoch: 'f', offset: 10 });
  });

  test.each([null, 5, {}, { epoch: 1, offset: 1 }, { epoch: 'e', offset: -1 }])(
    'a position of %j is told as malformed', async (payload) => {
      const { client, socket, subscription } = await subscribed();
      const errors: string[] = [];
      client.on('error', ({ name }) => errors.push(name));
      socket.say('position', { subject: 't', payload });
      expect([errors, subscription.position]).toEqual([['malformed_frame'], { epoch: 'e', offset: 5 }]);
    });

  test('steps of presence come as they are', async () => {
    const { socket, subscription } = await subscribed({ presence: true });
    const heard: unknown[] = [];
    subscription.on('presence', (steps) => heard.push(...steps));
    const steps = [{ event: 'join', user: 'bob', connection: 'c2' }, { event: 'reset' }];
    socket.say('presence', { subject: 't', payload: steps });
    socket.say('presence', { subject: 't', payload: 'x' });
    expect(heard).toEqual(steps);
  });
});

describe('refusals', () => {
  test('for good: it ends', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('t');
    const heard = listen(subscription, ['error', 'end']);
    const loop = failure(collect(subscription, 1));
    await settle();
    socket.refuse(socket.take('subscribe'), 202, 'forbidden');
    const error = await failure(subscription.ready);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ name: 'forbidden', code: 202 });
    expect(heard).toEqual([['error', error], ['end', undefined]]);
    expect(await loop).toBe(error);
    expect(await collect(subscription, 1)).toEqual([]);
    expect((await again(socket)).frames).toEqual([]);
    client.subscribe('t');
  });

  test('for now: it is tried again, when the server says, and then with backoff', async () => {
    const { client, socket } = connected();
    client.subscribe('t');
    await settle();
    for (const delay of [2500, 3000, 4000]) {
      socket.refuse(socket.take('subscribe'), 501, 'overloaded', { temporary: true, retryAfterMs: 2000 });
      await pass(delay - 1);
      expect(socket.frames).toEqual([]);
      await pass(1);
    }
    expect(socket.types()).toEqual(['subscribe']);
  });

  test('an answer that does not come is asked for again; it may be there already', async () => {
    const { client, socket } = connected({ heartbeat: { intervalMs: 1e8, timeoutMs: 2e8 } });
    const subscription = client.subscribe('t');
    await pass(10000);
    expect(socket.types()).toEqual(['subscribe']);
    await pass(500);
    expect(socket.types()).toEqual(['subscribe', 'subscribe']);
    socket.refuse(socket.frames[1] as never, 401, 'already_subscribed');
    expect(subscription.state).toBe('subscribed');
  });

  test('what is taken back is asked for again, and the answer counts', async () => {
    const { client, socket, subscription } = await subscribed();
    const other = client.subscribe('u');
    await settle();
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 1, recovered: false });
    const complaints: string[] = [];
    client.on('error', ({ message }) => complaints.push(message));
    socket.say('error', { subject: 'forbidden', payload: "No subscriber of 't' any more.", meta: { code: 202 } });
    await settle();
    const frame = socket.take('subscribe');
    expect([frame.subject, frame.meta.since]).toEqual(['t', { epoch: 'e', offset: 5 }]);
    socket.refuse(frame, 202, 'forbidden');
    expect([subscription.state, other.state]).toEqual(['ended', 'subscribed']);
    expect(complaints).toEqual(["No subscriber of 't' any more."]);
    expect(socket.frames).toEqual([]);
  });
});

describe('its end', () => {
  test('unsubscribe tells the server, and is over when it knows', async () => {
    const { client, socket, subscription } = await subscribed({ group: 'g' });
    const heard = listen(subscription, ['end', 'error']);
    let isOver = false;
    void subscription.unsubscribe().then(() => { isOver = true; });
    await settle();
    const frame = socket.take('unsubscribe');
    expect([frame.subject, frame.meta, isOver, subscription.state]).toEqual(['t', { group: 'g' }, false, 'ended']);
    expect(heard).toEqual([['end', undefined]]);
    const next = client.subscribe('t', { group: 'g' });
    say(socket, 9, { group: 'g' });
    socket.answer(frame);
    await settle();
    expect(isOver).toBe(true);
    await subscription.unsubscribe();
    expect(next.state).toBe('pending');
    expect(socket.types()).toEqual(['subscribe']);
  });

  test('before the answer: `ready` fails', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('t');
    void subscription.unsubscribe();
    expect(await failure(subscription.ready)).toBeInstanceOf(AbortedError);
    await settle();
    expect(socket.types()).toEqual(['subscribe', 'unsubscribe']);
    socket.refuse(socket.frames[0] as never, 303, 'cancelled');
    expect(subscription.state).toBe('ended');
  });

  test('a signal ends it, then and before', async () => {
    const { client, socket } = connected();
    const control = new AbortController();
    const subscription = client.subscribe('t', { signal: control.signal });
    control.abort();
    expect(subscription.state).toBe('ended');
    expect(client.subscribe('u', { signal: control.signal }).state).toBe('ended');
    await settle();
    expect(socket.frames.map(({ type, subject }) => [type, subject])).toEqual([
      ['subscribe', 't'], ['unsubscribe', 't']]);
  });

  test('a client that closes ends iterators with its error', async () => {
    const { client, subscription } = await subscribed();
    const loop = failure(collect(subscription, 1));
    client.close();
    expect(await loop).toBeInstanceOf(ClosedError);
  });
});

describe('iterating', () => {
  test('yields events from the subscribe on, and unsubscribes at a break', async () => {
    const { client, socket } = connected();
    const subscription = client.subscribe('t');
    await settle();
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 0, recovered: false });
    say(socket, 1);
    say(socket, 2);
    const loop = collect(subscription, 3);
    await settle();
    say(socket, 3);
    say(socket, 4);
    expect(await loop).toEqual([1, 2, 3]);
    await settle();
    expect([subscription.state, socket.types()]).toEqual(['ended', ['unsubscribe']]);
  });

  test('yields what is there when it ends', async () => {
    const { socket, subscription } = await subscribed();
    say(socket, 6);
    void subscription.unsubscribe();
    expect(await collect(subscription, 9)).toEqual([6]);
  });

  test('several iterators share the events', async () => {
    const { socket, subscription } = await subscribed();
    const [one, two] = [subscription, subscription].map((s) => s[Symbol.asyncIterator]().next());
    say(socket, 6);
    say(socket, 7);
    expect([(await one)?.value.offset, (await two)?.value.offset]).toEqual([6, 7]);
  });

  test('the first listener gets what was there before it, in order', async () => {
    const { socket, subscription } = await subscribed();
    say(socket, 6);
    const heard = listen(subscription, ['event']);
    expect(heard).toEqual([]);
    await settle();
    say(socket, 7);
    expect(heard).toEqual([6, 7]);
    const second = listen(subscription, ['event']);
    await settle();
    expect(second).toEqual([]);
  });

  test('listeners and iterators both get all', async () => {
    const { socket, subscription } = await subscribed();
    const loop = collect(subscription, 2);
    const heard = listen(subscription, ['event']);
    say(socket, 6);
    say(socket, 7);
    expect([await loop, heard]).toEqual([[6, 7], [6, 7]]);
  });

  test('a full buffer fails, behind what it holds, and says where to go on', async () => {
    const { socket, subscription } = await subscribed({ buffer: 2 });
    const heard = listen(subscription, ['gap', 'error']);
    const iterator = subscription[Symbol.asyncIterator]();
    for (const offset of [6, 7]) say(socket, offset);
    expect(subscription.state).toBe('subscribed');
    say(socket, 8);
    expect(subscription.state).toBe('ended');
    expect(subscription.position).toEqual({ epoch: 'e', offset: 7 });
    expect(heard).toEqual([['error', expect.any(QueueFullError)]]);
    expect([(await iterator.next()).value.offset, (await iterator.next()).value.offset]).toEqual([6, 7]);
    expect(await failure(iterator.next())).toBeInstanceOf(QueueFullError);
    expect((await iterator.next()).done).toBe(true);
    await settle();
    expect(socket.types()).toEqual(['unsubscribe']);
  });

  test('or drops the oldest, and says so once', async () => {
    const { socket, subscription } = await subscribed({ buffer: 2, overflow: 'drop_oldest' });
    const heard = listen(subscription, ['gap', 'error']);
    const iterator = subscription[Symbol.asyncIterator]();
    for (const offset of [6, 7, 8, 9]) say(socket, offset);
    expect(heard).toEqual([['gap', { reason: 'buffer full', position: { epoch: 'e', offset: 8 } }]]);
    expect([(await iterator.next()).value.offset, (await iterator.next()).value.offset]).toEqual([8, 9]);
    for (const offset of [10, 11, 12]) say(socket, offset);
    expect(heard.length).toBe(2);
  });

  test('where nobody has iterated, a full buffer drops the oldest', async () => {
    const { socket, subscription } = await subscribed({ buffer: 2 });
    for (const offset of [6, 7, 8]) say(socket, offset);
    expect(subscription.state).toBe('subscribed');
    const heard = listen(subscription, ['event']);
    await settle();
    expect(heard).toEqual([7, 8]);
  });
});

describe('groups', () => {
  const give = (socket: FakeSocket, seqId: number, more = {}) => socket.say('event', {
    seqId, subject: 't', payload: seqId, meta: { offset: seqId, group: 'g', ...more } });

  async function member() {
    const { client, socket, subscription } = await subscribed({ group: 'g', ack: true });
    const events: Event[] = [];
    subscription.on('event', (event) => events.push(event));
    return { client, socket, subscription, events };
  }

  test('events are confirmed, once', async () => {
    const { socket, events } = await member();
    give(socket, 11);
    give(socket, 12, { attempt: 2 });
    events[0]?.ack();
    events[0]?.ack();
    events[0]?.reject();
    events[1]?.reject('not now');
    await settle();
    expect(socket.frames.map(({ type, seqId, subject, payload }) => [type, seqId, subject, payload])).toEqual([
      ['ack', 11, '', null], ['error', 12, 'rejected', 'not now']]);
    expect(socket.frames[1]?.meta).toEqual({ code: 1000, temporary: true });
    expect(events[1]).toMatchObject({ group: 'g', attempt: 2 });
    expect(events.map(({ signal }) => signal?.aborted)).toEqual([false, false]);
  });

  test('the same offset may come again, and any order', async () => {
    const { socket, events } = await member();
    give(socket, 12);
    give(socket, 13, { offset: 11 });
    give(socket, 14, { offset: 11, attempt: 2 });
    expect(events.map(({ offset }) => offset)).toEqual([12, 11, 11]);
  });

  test('one that is another member\'s now is aborted', async () => {
    const { socket, events } = await member();
    give(socket, 11);
    socket.say('cancel', { seqId: 11 });
    expect(events[0]?.signal?.aborted).toBe(true);
    events[0]?.ack();
    await settle();
    expect(socket.frames).toEqual([]);
  });

  test('a lost connection aborts them; the next may use the number again', async () => {
    const { socket, events } = await member();
    give(socket, 11);
    const second = await again(socket);
    expect(events[0]?.signal?.aborted).toBe(true);
    second.answer(second.take('subscribe'), { epoch: 'e', offset: 5, recovered: true });
    give(second, 11);
    events[0]?.ack();
    await settle();
    expect(second.frames).toEqual([]);
    events[1]?.ack();
    await settle();
    expect(second.types()).toEqual(['ack']);
  });

  test('the place is the group\'s: `since` is said but once', async () => {
    const since = { epoch: 'e', offset: 2 };
    const { client, socket } = connected();
    const subscription = client.subscribe('t', { group: 'g', since });
    await settle();
    expect(socket.frames[0]?.meta.since).toEqual(since);
    const second = await again(socket);
    expect(second.frames[0]?.meta.since).toEqual(since);
    second.answer(second.take('subscribe'), { epoch: 'e', offset: 9, recovered: true });
    expect(subscription.position).toEqual({ epoch: 'e', offset: 9 });
    expect((await again(second)).take('subscribe').meta).toEqual({ group: 'g' });
  });

  test('plain subscriptions and groups of a topic are apart', async () => {
    const { client, socket, events } = await member();
    const plain = client.subscribe('t');
    const heard = listen(plain, ['event', 'gap']);
    await settle();
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 5, recovered: false });
    say(socket, 6);
    give(socket, 7);
    socket.say('position', { subject: 't', payload: { epoch: 'e', offset: 9, reason: 'r' }, meta: { group: 'g' } });
    expect([heard, events.map(({ offset }) => offset)]).toEqual([[6], [7]]);
  });
});

test('what is pushed to a user comes without a subscription', async () => {
  const { client, socket } = connected();
  const pushed: unknown[] = [];
  client.on('push', ({ payload }) => pushed.push(payload));
  say(socket, 1, {}, '$user/bob');
  say(socket, 1, {}, 'other');
  expect(pushed).toEqual(['p1']);
});
