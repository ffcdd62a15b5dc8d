import { describe, expect, test, vi } from 'vitest';
import { ClosedError, connect } from '../src/index.js';
import { FakeSocket, begin, connected, failure, pass, settle, url, useVirtualTime } from './support.js';

useVirtualTime();

const states = (client: { changes: { state: string }[] }) => client.changes.map(({ state }) => state);

describe('connecting', () => {
  test('a socket, a welcome, connected', async () => {
    const client = begin({ autoConnect: false });
    expect([client.state, FakeSocket.all.length]).toEqual(['disconnected', 0]);
    client.connect();
    expect([client.state, FakeSocket.last.url, FakeSocket.last.protocol, FakeSocket.last.binaryType])
      .toEqual(['connecting', url, 'callboard.v1.msgpack', 'arraybuffer']);
    const there = client.connected();
    FakeSocket.last.open();
    expect(client.state).toBe('connecting');
    expect(client.welcome).toBe(null);
    FakeSocket.last.welcome({ user: 'alice' });
    expect(client.state).toBe('connected');
    expect((await there).user).toBe('alice');
    expect(client.welcome?.user).toBe('alice');
    expect(client.changes.map(({ state, previous }) => [previous, state])).toEqual([
      ['disconnected', 'connecting'], ['connecting', 'connected']]);
    expect(FakeSocket.last.frames).toEqual([]);
  });

  test('JSON has its own subprotocol', () => {
    begin({ codec: 'json' });
    expect(FakeSocket.last.protocol).toBe('callboard.v1.json');
    FakeSocket.last.welcome();
  });

  test('no WebSocket, and what is no address, are said at once', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => connect(url)).toThrow(/`WebSocket`.*package ws/);
    for (const wrong of ['', 'nonsense', 'ftp://example.org']) {
      expect(() => begin({}) && connect(wrong, { WebSocket: FakeSocket as never })).toThrow(TypeError);
    }
  });

  test('the global WebSocket is taken where there is one', () => {
    vi.stubGlobal('WebSocket', FakeSocket);
    connect(url).close();
    expect(FakeSocket.all.length).toBe(1);
  });

  test('a server that says nothing is left after the connect timeout, not before', async () => {
    const client = begin({ connectTimeout: 5000 });
    FakeSocket.last.open();
    await pass(4999);
    expect(client.state).toBe('connecting');
    await pass(1);
    expect(client.state).toBe('retry_pending');
    expect(FakeSocket.last.closedWith?.code).toBe(4000);
    expect(client.changes.at(-1)).toMatchObject({ closeCode: 1006, reason: 'no welcome in time' });
  });

  test('what an old socket says is not heard', async () => {
    const client = begin({ connectTimeout: 5000 });
    const old = FakeSocket.last;
    await pass(5000);
    old.welcome();
    old.end(4500);
    expect(client.state).toBe('retry_pending');
  });

  test('a stream that this side finds broken is as one without a close', () => {
    const { client, socket } = connected();
    socket.fail();
    socket.end(1002);
    expect(client.changes.at(-1)).toMatchObject({ state: 'retry_pending', closeCode: 1006 });
  });

  test('a class that throws is an attempt that failed', async () => {
    FakeSocket.throws = new Error('no');
    const client = begin();
    expect(client.state).toBe('retry_pending');
    FakeSocket.throws = undefined;
    await pass(500);
    expect(client.state).toBe('connecting');
  });
});

describe('coming back', () => {
  test('delays are drawn from 0 … 1 s · 2ⁿ, and 60 s at most', async () => {
    for (const [share, delays] of [
      [0, [0, 0, 0, 0, 0, 0, 0, 0]],
      [0.5, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]],
      [0.999, [999, 1998, 3996, 7992, 15984, 31968, 59940, 59940]],
    ] as const) {
      const client = begin({ random: () => share });
      for (const delay of delays) {
        FakeSocket.last.end(1006);
        const change = client.changes.at(-1);
        expect(change?.state).toBe('retry_pending');
        expect(change?.retryInMs).toBeCloseTo(delay, 6);
        if (delay > 1) {
          const sockets = FakeSocket.all.length;
          await pass(delay - 1);
          expect(FakeSocket.all.length).toBe(sockets);
        }
        await pass(1);
        expect(client.state).toBe('connecting');
      }
      client.close();
    }
  });

  test('the bounds of the backoff are options', async () => {
    const client = begin({ backoff: { baseMs: 10, capMs: 30 } });
    for (const delay of [5, 10, 15, 15]) {
      FakeSocket.last.end();
      expect(client.changes.at(-1)?.retryInMs).toBe(delay);
      await pass(delay);
    }
  });

  test('a connection of 10 s makes the backoff begin anew, a shorter one does not', async () => {
    const { client, socket } = connected();
    await pass(9999);
    socket.end(1006);
    expect(client.changes.at(-1)?.retryInMs).toBe(500);
    await pass(500);
    FakeSocket.last.welcome();
    await pass(9999);
    FakeSocket.last.end(1006);
    expect(client.changes.at(-1)?.retryInMs).toBe(1000);
    await pass(1000);
    FakeSocket.last.welcome();
    await pass(10000);
    FakeSocket.last.end(1006);
    expect(client.changes.at(-1)?.retryInMs).toBe(500);
  });

  test.each([1000, 1001, 1006, 1010, 1011, 3000, 4000, 4002, 4004, 4499, 5000])(
    'after %i it tries again', (code) => {
      const { client, socket } = connected();
      socket.end(code);
      expect(client.state).toBe('retry_pending');
    });

  test.each([1002, 1003, 1007, 1008, 1009, 4500, 4501, 4503, 4504, 4999])('after %i it does not', async (code) => {
    const { client, socket } = connected();
    const ready = failure(client.request('a'));
    socket.end(code, 'why');
    expect(client.changes.at(-1)).toMatchObject({
      state: 'disconnected', previous: 'connected', closeCode: code, reason: 'why',
    });
    expect(client.changes.at(-1)?.error).toBeInstanceOf(ClosedError);
    expect(await ready).toMatchObject({ name: 'closed', closeCode: code });
    await pass(1e6);
    expect(FakeSocket.all.length).toBe(1);
    expect(await failure(client.request('a'))).toMatchObject({ name: 'closed', closeCode: code });
    expect(await failure(client.connected())).toMatchObject({ closeCode: code });
    await expect(client.subscribe('t').ready).rejects.toThrow(ClosedError);
    await expect(client.respond('a', () => 1).ready).rejects.toThrow(ClosedError);
    client.connect();
    FakeSocket.last.welcome();
    expect(client.state).toBe('connected');
  });

  test('connect() does not wait for the next attempt, and else does nothing', () => {
    const { client, socket } = connected();
    client.connect();
    socket.end();
    expect(client.state).toBe('retry_pending');
    client.connect();
    expect([client.state, FakeSocket.all.length]).toEqual(['connecting', 2]);
    client.connect();
    expect(FakeSocket.all.length).toBe(2);
  });

  test('close() is for good', async () => {
    const { client, socket } = connected();
    const lost = failure(client.request('a'));
    const subscription = client.subscribe('t');
    client.close();
    expect(socket.closedWith?.code).toBe(1000);
    expect(client.changes.at(-1)).toMatchObject({ state: 'disconnected', closeCode: 1000 });
    expect(await lost).toMatchObject({ name: 'closed', closeCode: 1000, temporary: false });
    expect(subscription.state).toBe('ended');
    await pass(1e6);
    expect(FakeSocket.all.length).toBe(1);
    client.close();
    expect(states(client)).toEqual(['connected', 'disconnected']);
  });

  test('a listener may close it at each change', async () => {
    for (const state of ['connecting', 'connected', 'retry_pending']) {
      FakeSocket.all = [];
      const client = begin({ autoConnect: false });
      client.on('state', (change) => { if (change.state === state) client.close(); });
      client.connect();
      if (state !== 'connecting') FakeSocket.last.welcome();
      if (state === 'retry_pending') FakeSocket.last.end();
      await pass(1e5);
      expect(client.state).toBe('disconnected');
      expect(FakeSocket.all.length).toBe(state === 'connecting' ? 0 : 1);
    }
  });
});

describe('goaway', () => {
  test('never', () => {
    const { client, socket } = connected();
    socket.say('goaway', { payload: { reason: 'bye', reconnect: 'never', afterMs: 0, spreadMs: 0 } });
    expect(client.state).toBe('connected');
    socket.end(1000);
    expect(client.state).toBe('disconnected');
  });

  test.each([
    ['backoff', 0, 1000, 1000], ['backoff', 2000, 1000, 3000], ['backoff', 2000, 0, 2500],
    ['now', 0, 0, 0], ['now', 100, 50, 125], ['backoff', 0, 0, 500], ['later', 7, 0, 507],
    ['now', 3600000, 3600000, 5400000], ['now', 3600001, 3600001, 5400000],
  ])('%s, after %i ms, over %i ms: %i', (reconnect, afterMs, spreadMs, delay) => {
    const { client, socket } = connected();
    const heard: unknown[] = [];
    client.on('goaway', (goaway) => heard.push(goaway.reason));
    socket.say('goaway', { payload: { reason: 'draining', reconnect, afterMs, spreadMs } });
    socket.end(4004);
    expect(heard).toEqual(['draining']);
    expect(client.changes.at(-1)?.retryInMs).toBe(delay);
  });

  test('it counts for one attempt, then the backoff does', async () => {
    const { client, socket } = connected();
    socket.say('goaway', { payload: { reason: 'r', reconnect: 'backoff', afterMs: 7, spreadMs: 0 } });
    socket.end(4004);
    await pass(507);
    FakeSocket.last.end();
    expect(client.changes.at(-1)?.retryInMs).toBe(1000);
  });

  test('nothing new is begun behind it; what is kept waits for the next connection', async () => {
    const { client, socket } = connected();
    const done: unknown[] = [];
    const publish = (id: string) => void client.publish(id, 1, { id }).then(() => done.push(id), () => {});
    const refused = failure(client.publish('x', 1));
    publish('a');
    publish('b');
    client.respond('r', () => 1);
    await settle();
    socket.say('goaway', { payload: { reason: 'draining', reconnect: 'backoff' } });
    publish('c');
    client.subscribe('s');
    socket.say('request', { seqId: 9, subject: 'r' });
    await settle();
    expect(socket.frames.map(({ type, subject }) => type + subject)).toEqual([
      'publishx', 'publisha', 'publishb', 'registerr', 'response']);
    socket.refuse(socket.take('publish'), 502, 'shutting_down', { temporary: true });
    socket.refuse(socket.take('publish'), 502, 'shutting_down', { temporary: true });
    expect(await refused).toMatchObject({ name: 'shutting_down' });
    socket.end(4004);
    await pass(500);
    FakeSocket.last.welcome();
    await settle();
    const { frames } = FakeSocket.last;
    expect(frames.map(({ type, subject }) => type + subject)).toEqual([
      'subscribes', 'registerr', 'publisha', 'publishb', 'publishc']);
    for (const frame of frames.slice(2)) FakeSocket.last.answer(frame);
    await settle();
    expect(done).toEqual(['a', 'b', 'c']);
  });

  test('without a goaway, shutting_down is an answer', async () => {
    const { client, socket } = connected();
    const refused = failure(client.publish('x', 1, { id: 'i' }));
    await settle();
    socket.refuse(socket.take('publish'), 502, 'shutting_down', { temporary: true });
    expect(await refused).toMatchObject({ name: 'shutting_down', temporary: true });
  });

  test('other addresses are tried first, if they are as safe', async () => {
    const { socket } = connected();
    socket.say('goaway', { payload: { reason: 'r', reconnect: 'now',
      urls: ['wss://b.example/ws', 'ws://c.example/ws', 'nonsense', 7] } });
    socket.end(4004);
    await pass(0);
    expect(FakeSocket.last.url).toBe('wss://b.example/ws');
    FakeSocket.last.end();
    await pass(500);
    expect(FakeSocket.last.url).toBe(url);
  });

  test('eight other addresses are tried, and then our own', async () => {
    const { socket } = connected();
    socket.say('goaway', { payload: { reason: 'r', reconnect: 'now',
      urls: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `wss://n${n}.example/ws`) } });
    socket.end(4004);
    await pass(0);
    for (let n = 1; n <= 8; n += 1) {
      expect(FakeSocket.last.url).toBe(`wss://n${n}.example/ws`);
      FakeSocket.last.end();
      await pass(Math.min(500 * 2 ** (n - 1), 30000));
    }
    expect(FakeSocket.last.url).toBe(url);
  });

  test('other addresses are those of one end', async () => {
    const { socket } = connected();
    socket.say('goaway', { payload: { reason: 'r', reconnect: 'now',
      urls: ['wss://b.example/ws', 'wss://c.example/ws'] } });
    socket.end(4004);
    await pass(0);
    FakeSocket.last.open();
    FakeSocket.last.welcome();
    FakeSocket.last.end();
    await pass(500);
    expect(FakeSocket.last.url).toBe(url);
  });

  test.each([null, 'x', {}, { afterMs: 'x', spreadMs: -5 }])('%j does no harm', (payload) => {
    const { client, socket } = connected();
    socket.say('goaway', { payload });
    socket.end(4004);
    expect(client.changes.at(-1)?.retryInMs).toBe(500);
  });
});

describe('what is malformed', () => {
  test.each([
    ['text for msgpack', 'hello'], ['nothing', new ArrayBuffer(0)], ['0xc1', Uint8Array.of(0xc1).buffer],
    ['a number', Uint8Array.of(5).buffer], ['undefined', undefined], ['a Blob', {}],
    ['four billion', Uint8Array.of(0xdd, 255, 255, 255, 255).buffer],
  ])('%s is told, and the connection goes on', (name, data) => {
    const { client, socket } = connected();
    const errors: string[] = [];
    client.on('error', (error) => errors.push(error.name));
    socket.raw(data);
    expect(errors).toEqual(name === 'nothing' ? [] : ['malformed_frame']);
    expect(client.state).toBe('connected');
  });

  test('a welcome that is none does not connect', async () => {
    const client = begin();
    FakeSocket.last.open();
    for (const payload of [null, 5, {}, { connection: 5 }]) {
      FakeSocket.last.say('welcome', { payload });
      expect(client.state).toBe('connecting');
    }
    FakeSocket.last.say('welcome', { payload: { connection: 'c', pingIntervalMs: 0, inflightMax: 'x' } });
    expect(client.welcome).toMatchObject({ pingIntervalMs: 30000, inflightMax: 256 });
  });

  test('frames that belong to nobody, and of later versions, do nothing', () => {
    const { client, socket } = connected();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    for (const type of ['response', 'error', 'pong', 'cancel']) socket.say(type, { seqId: 77 });
    for (const type of ['event', 'presence', 'position', 'ack', 'register']) socket.say(type, { subject: 't' });
    socket.raw(Uint8Array.of(0x95, 99, 1, 0, 0xa0, 0xc0).buffer);
    expect([client.state, errors, socket.frames]).toEqual(['connected', [], []]);
  });

  test('a listener that throws harms nobody', () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    const client = begin();
    const heard: string[] = [];
    client.once('welcome', () => { throw new Error('mine'); });
    client.on('welcome', () => heard.push('second'));
    FakeSocket.last.welcome();
    expect([client.state, heard, complaint.mock.calls.length]).toEqual(['connected', ['second'], 1]);
    complaint.mockRestore();
  });
});
