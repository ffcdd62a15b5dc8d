import { describe, expect, test } from 'vitest';
import type { Event } from '../src/index.js';
import { AbortedError, ClosedError, QueueFullError, ServerError } from '../src/index.js';
import type { FakeSocket } from './support.js';
import { connected, failure, pass, settle, useVirtualTime } from './support.js';
import { again, collect, listen, say, subscribed } from './topic.js';

useVirtualTime();

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

  test.each([1000, 10000])('an answer that does not come in 10 s is asked for again: timeout %i', async (timeout) => {
    const { client, socket } = connected({ timeout, heartbeat: { intervalMs: 1e8, timeoutMs: 2e8 } });
    client.subscribe('t');
    await pass(11499);
    expect(socket.types()).toEqual(['subscribe']);
    await pass(1);
    expect(socket.types()).toEqual(['subscribe', 'subscribe']);
  });

  test('one that comes later has had events behind it, so it begins again where it stood', async () => {
    const { client, socket } = connected({ heartbeat: { intervalMs: 1e8, timeoutMs: 2e8 } });
    const subscription = client.subscribe('t', { since: { epoch: 'e', offset: 3 } });
    const heard = listen(subscription);
    await pass(11500);
    socket.answer(socket.take('subscribe'), { epoch: 'e', offset: 4, recovered: true });
    say(socket, 4);
    say(socket, 5);
    socket.refuse(socket.take('subscribe'), 401, 'already_subscribed');
    await settle();
    expect([subscription.state, heard, socket.types()]).toEqual(['pending', [], ['unsubscribe']]);
    socket.answer(socket.take('unsubscribe'));
    await pass(2000);
    const frame = socket.take('subscribe');
    expect(frame.meta.since).toEqual({ epoch: 'e', offset: 3 });
    socket.answer(frame, { epoch: 'e', offset: 5, recovered: true });
    say(socket, 4);
    say(socket, 5);
    expect(heard.filter((one) => typeof one === 'number')).toEqual([4, 5]);
  });

  test('asked for again while it is there, it goes on', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['gap', 'event', 'end']);
    socket.say('error', { subject: 'forbidden', payload: "No subscriber of 't' any more.", meta: { code: 202 } });
    await settle();
    say(socket, 6);
    socket.refuse(socket.take('subscribe'), 401, 'already_subscribed');
    say(socket, 7);
    expect([subscription.state, heard, socket.types()]).toEqual(['subscribed', [6, 7], []]);
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

  test('a connection that is lost has ended it', async () => {
    const { client, socket, subscription } = await subscribed();
    const responder = client.respond('r', () => 1);
    const ends = [subscription.unsubscribe(), responder.stop()];
    await settle();
    expect(socket.types()).toEqual(['register', 'unsubscribe', 'unregister']);
    socket.end(1006);
    await Promise.all(ends);
    const other = (await again(socket));
    const last = client.subscribe('t');
    await settle();
    other.answer(other.take('subscribe'), { epoch: 'e', offset: 5, recovered: false });
    const end = last.unsubscribe();
    client.close();
    await end;
  });

  test('no event comes behind it, not even of those that were buffered', async () => {
    const { socket, subscription } = await subscribed();
    for (const offset of [6, 7, 8]) say(socket, offset);
    const heard: unknown[] = [];
    subscription.on('event', ({ offset }) => {
      heard.push(offset);
      if (offset === 7) void subscription.unsubscribe();
    });
    await settle();
    expect(heard).toEqual([6, 7]);
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

test.each([[0, [6, 7, 8, 9]], [7, [6, 7]]])(
  'a listener that is added between two events of a message gets them in order, up to its end at %i',
  async (last, wanted) => {
    const { client, socket, subscription } = await subscribed();
    for (const offset of [6, 7]) say(socket, offset);
    const heard: unknown[] = [];
    client.once('push', () => {
      subscription.on('event', ({ offset }) => {
        heard.push(offset);
        if (offset === last) void subscription.unsubscribe();
      });
    });
    const events = [['$user/u', 1], ['t', 8], ['t', 9]] as const;
    const parts = events.map(([subject, offset]) =>
      socket.codec.encode({ type: 11, subject, meta: { offset } }) as Uint8Array);
    socket.raw((socket.codec.join(parts) as Uint8Array).slice().buffer);
    await settle();
    expect(heard).toEqual(wanted);
  });
