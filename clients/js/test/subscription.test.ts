import { describe, expect, test } from 'vitest';
import type { Event } from '../src/index.js';
import { FakeSocket, begin, connected, pass, settle, useVirtualTime } from './support.js';
import { again, listen, say, subscribed } from './topic.js';

useVirtualTime();

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

  test('where the topic stands where it was left, nothing is missing', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['gap', 'recovered']);
    const second = await again(socket);
    const position = { epoch: 'e', offset: 5 };
    second.answer(second.take('subscribe'), { ...position, recovered: false });
    expect(heard).toEqual([['recovered', { position, recovered: true, again: true }]]);
  });

  test('of a position with more in it, such as a history, the position is sent', async () => {
    const { client, socket } = connected({ codec: 'json' });
    const history = { epoch: 'e', offset: 3, more: false, events: [] };
    client.subscribe('t', { since: history });
    await settle();
    expect(socket.messages[0]).toContain('"since":{"epoch":"e","offset":3}');
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

  test.each(['msgpack', 'json'] as const)('a pattern has a gap without a position (%s)', async (codec) => {
    const { client, socket } = connected({ codec });
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    const subscription = client.subscribe('a/+');
    await settle();
    socket.answer(socket.take('subscribe'), {});
    const heard = listen(subscription, ['gap', 'event']);
    say(socket, 7, { pattern: 'a/+' }, 'a/b');
    socket.say('position', { subject: 'a/+', payload: { reason: 'events lost' } });
    say(socket, 9, { pattern: 'a/+' }, 'a/b');
    expect([heard, errors]).toEqual([[7, ['gap', { reason: 'events lost', position: null }], 9], []]);
    expect([subscription.state, subscription.position]).toEqual(['subscribed', null]);
    expect((await again(socket)).take('subscribe').meta).toEqual({});
  });

  test('one without a position moves no subscription', async () => {
    const { socket, subscription } = await subscribed();
    const heard = listen(subscription, ['gap']);
    socket.say('position', { subject: 't', payload: { reason: 'events lost' } });
    expect(heard).toEqual([['gap', { reason: 'events lost', position: null }]]);
    expect((await again(socket)).take('subscribe').meta.since).toEqual({ epoch: 'e', offset: 5 });
  });

  test.each([null, 5, {}, { epoch: 1, offset: 1 }, { epoch: 'e', offset: -1 }, { offset: 9 }, { reason: 5 }])(
    'a position of %j is told as malformed', async (payload) => {
      const { client, socket, subscription } = await subscribed();
      const errors: string[] = [];
      client.on('error', ({ name }) => errors.push(name));
      const heard = listen(subscription, ['gap']);
      socket.say('position', { subject: 't', payload });
      expect([errors, heard, subscription.position]).toEqual([['malformed_frame'], [], { epoch: 'e', offset: 5 }]);
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

test('what is pushed to a user comes without a subscription', async () => {
  const { client, socket } = connected();
  const pushed: unknown[] = [];
  client.on('push', ({ payload }) => pushed.push(payload));
  say(socket, 1, {}, '$user/bob');
  say(socket, 1, {}, 'other');
  expect(pushed).toEqual(['p1']);
});
