import { describe, expect, test } from 'vitest';
import { QueueFullError, TooLargeError } from '../src/index.js';
import { FakeSocket, begin, connected, failure, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

const subjects = (socket: FakeSocket) => socket.frames.map(({ subject }) => subject);

describe('the queue', () => {
  const fill = (client: { publish(topic: string, payload: unknown): Promise<unknown> }, names: string[]) =>
    names.map((name) => failure(client.publish(name, null)));

  test('holds `count` calls and refuses the next', async () => {
    const client = begin({ queue: { count: 2 } });
    const [, , refused] = fill(client, ['a', 'b', 'c']);
    expect(await refused).toBeInstanceOf(QueueFullError);
    expect(await refused).toMatchObject({ name: 'queue_full', temporary: true });
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['a', 'b']);
  });

  test('or fails the oldest', async () => {
    const client = begin({ queue: { count: 2, policy: 'drop_oldest' } });
    const [refused] = fill(client, ['a', 'b', 'c']);
    expect(await refused).toBeInstanceOf(QueueFullError);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['b', 'c']);
  });

  // A publish of null to a topic of one character: head, type, seqId, time, topic, null.
  const bytes = 1 + 1 + 1 + 9 + 2 + 1;

  test.each([['reject', ['a', 'b']], ['drop_oldest', ['b', 'c']]] as const)(
    'holds `bytes`, and not one more: %s', async (policy, left) => {
      for (const [room, names] of [[3 * bytes, ['a', 'b', 'c']], [3 * bytes - 1, left]] as const) {
        FakeSocket.all = [];
        const client = begin({ queue: { bytes: room, policy } });
        fill(client, ['a', 'b', 'c']);
        FakeSocket.last.welcome();
        await settle();
        expect(subjects(FakeSocket.last)).toEqual(names);
      }
    });

  test('what alone is too large drops nobody', async () => {
    const client = begin({ queue: { bytes: 50, policy: 'drop_oldest' } });
    fill(client, ['a']);
    expect(await failure(client.publish('b', 'x'.repeat(50)))).toBeInstanceOf(QueueFullError);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['a']);
  });

  test('with a count of 0 nothing waits', async () => {
    const client = begin({ queue: { count: 0 } });
    expect(await failure(client.publish('a', 1))).toBeInstanceOf(QueueFullError);
    FakeSocket.last.welcome();
    void client.publish('b', 1);
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['b']);
  });

  test('what was in flight has its place, also beyond the bound', async () => {
    const { client, socket } = connected({ queue: { count: 1 } });
    for (const id of ['a', 'b']) void client.publish(id, 1, { id });
    await settle();
    socket.end();
    void client.publish('c', 1);
    expect(await failure(client.publish('d', 1))).toBeInstanceOf(QueueFullError);
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['a', 'b', 'c']);
  });

  test('what was in flight is not dropped for what is new', async () => {
    const { client, socket } = connected({ queue: { count: 1, policy: 'drop_oldest' } });
    for (const id of ['a', 'b']) void client.publish(id, 1, { id });
    await settle();
    socket.end();
    const third = client.publish('c', 1);
    void client.publish('d', 1);
    expect(await failure(third)).toBeInstanceOf(QueueFullError);
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['a', 'b', 'd']);
    FakeSocket.last.end();
    void client.publish('e', 1);
    await pass(1000);
    FakeSocket.last.welcome();
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['a', 'b', 'e']);
  });
});

describe('what the server bounds', () => {
  test('inflightMax: the others wait for an answer', async () => {
    const { client, socket } = connected({}, { inflightMax: 2 });
    for (const topic of ['a', 'b', 'c', 'd']) void client.publish(topic, 1);
    await settle();
    expect(subjects(socket)).toEqual(['a', 'b']);
    socket.answer(socket.frames[1] as never);
    await settle();
    expect(subjects(socket)).toEqual(['a', 'b', 'c']);
  });

  test('what failed here is in flight until the server answers', async () => {
    const { client, socket } = connected({}, { inflightMax: 1 });
    void client.publish('a', 1, { timeout: 10 });
    void client.publish('b', 1);
    await pass(10);
    expect(subjects(socket)).toEqual(['a']);
    socket.answer(socket.frames[0] as never);
    await settle();
    expect(subjects(socket)).toEqual(['a', 'b']);
  });

  // A publish of binary to a topic of one character.
  const overhead = 1 + 1 + 1 + 9 + 2 + 2;

  test('frameBytesMax: at it is sent, beyond it is not', async () => {
    const { client, socket } = connected({}, { frameBytesMax: 100 });
    const send = (size: number) => client.publish('t', new Uint8Array(size));
    void send(100 - overhead);
    expect(await failure(send(101 - overhead))).toBeInstanceOf(TooLargeError);
    await settle();
    expect(socket.messages.map(({ length }) => length)).toEqual([100]);
  });

  test('frameBytesMax of a later connection counts, too', async () => {
    const client = begin();
    const failed = failure(client.publish('t', new Uint8Array(101 - overhead), { id: 'i' }));
    void client.publish('u', 1);
    FakeSocket.last.welcome({ frameBytesMax: 100 });
    expect(await failed).toBeInstanceOf(TooLargeError);
    await settle();
    expect(subjects(FakeSocket.last)).toEqual(['u']);
  });

  test('frames of one turn share a message, up to frameBytesMax', async () => {
    const { client, socket } = connected({}, { frameBytesMax: 100 });
    const send = (size: number) => void client.publish('t', new Uint8Array(size));
    send(40 - overhead);
    send(60 - overhead);
    send(30 - overhead);
    await settle();
    expect(socket.messages.map(({ length }) => length)).toEqual([100, 30]);
    socket.messages = [];
    send(40 - overhead);
    send(61 - overhead);
    await settle();
    expect(socket.messages.map(({ length }) => length)).toEqual([40, 61]);
  });

  test('in JSON each is a line, and the bytes are those of UTF-8', async () => {
    const { client, socket } = connected({ codec: 'json' });
    void client.publish('ä', 'ö');
    void client.publish('b', 2);
    await settle();
    expect(socket.messages.map((message) => String(message).split('\n').length)).toEqual([2]);
    const size = new TextEncoder().encode(String(socket.messages[0])).length;
    FakeSocket.all = [];
    for (const [max, count] of [[size, 1], [size - 1, 2]] as const) {
      const other = connected({ codec: 'json' }, { frameBytesMax: max });
      void other.client.publish('ä', 'ö');
      void other.client.publish('b', 2);
      await settle();
      expect(other.socket.messages.length).toBe(count);
    }
  });

  test('a socket that does not get rid of its bytes gets no more', async () => {
    const { client, socket } = connected();
    socket.bufferedAmount = 2 ** 20;
    await client.publish('a', 1, { ack: false });
    await settle();
    socket.bufferedAmount = 2 ** 20 + 1;
    const sent = client.publish('b', 1, { ack: false });
    await pass(49);
    expect(subjects(socket)).toEqual(['a']);
    socket.bufferedAmount = 0;
    await pass(1);
    expect(await sent).toBe(null);
    await settle();
    expect(subjects(socket)).toEqual(['a', 'b']);
  });

  test('close() sends what was given over before it', () => {
    const { client, socket } = connected();
    void client.publish('a', 1, { ack: false });
    client.close();
    expect(subjects(socket)).toEqual(['a']);
  });
});
