import { expect, test } from 'vitest';
import { FakeSocket, begin, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

const refuse = (socket: FakeSocket, name = 'unauthenticated', code = 200) => {
  socket.refuse({ seqId: socket.take('connect').seqId }, code, name);
  socket.end(4500, name);
};

test('a token goes into the first frame', async () => {
  begin({ token: 't0k', client: 'web/1' });
  const socket = FakeSocket.last;
  expect(socket.frames).toEqual([]);
  socket.open();
  const frame = socket.take('connect');
  expect(frame.payload).toEqual({ token: 't0k', client: 'web/1' });
  expect(frame.seqId).toBeGreaterThan(0);
});

test('or into the address, if so wanted', async () => {
  begin({ token: 'a b&c', tokenIn: 'url' });
  expect(FakeSocket.last.url).toBe('wss://example.org/ws?token=a+b%26c');
  FakeSocket.last.open();
  expect(FakeSocket.last.frames).toEqual([]);
});

test('a token of its own that is refused ends it', () => {
  const client = begin({ token: 'bad' });
  FakeSocket.last.open();
  refuse(FakeSocket.last);
  expect(client.changes.at(-1)).toMatchObject({ state: 'disconnected', closeCode: 4500 });
  expect(client.changes.at(-1)?.error?.cause).toMatchObject({ name: 'unauthenticated', code: 200 });
});

test('getToken is asked before each connection; 3 refused ones in a row are enough', async () => {
  const reasons: string[] = [];
  const client = begin({ getToken: ({ reason }) => { reasons.push(reason); return `t${reasons.length}`; } });
  for (const n of [1, 2, 3]) {
    await pass(n === 1 ? 0 : 500 * 2 ** (n - 2));
    FakeSocket.last.open();
    expect(FakeSocket.last.frames[0]?.payload).toMatchObject({ token: `t${n}` });
    expect(client.state).toBe('connecting');
    refuse(FakeSocket.last);
  }
  expect(reasons).toEqual(['connect', 'refused', 'refused']);
  expect(client.state).toBe('disconnected');
});

test('a welcome forgives the refused ones', async () => {
  const client = begin({ getToken: () => 't', connectTimeout: 1e6 });
  for (const round of [0, 1]) {
    for (const n of [0, 1]) {
      await pass(60000);
      FakeSocket.last.open();
      refuse(FakeSocket.last);
      expect([round, n, client.state]).toEqual([round, n, 'retry_pending']);
    }
    await pass(60000);
    FakeSocket.last.welcome();
    FakeSocket.last.end(1006);
  }
});

test('a log-in that has run out is made anew, with getToken', async () => {
  const client = begin({ getToken: () => 't' });
  for (let round = 0; round < 5; ++round) {
    await pass(60000);
    FakeSocket.last.welcome();
    FakeSocket.last.say('error', { subject: 'token_expired', payload: 'It ran out.', meta: { code: 201 } });
    FakeSocket.last.end(4500, 'token_expired');
    expect(client.state).toBe('retry_pending');
  }
});

test('and ends it without', () => {
  const client = begin({ token: 't' });
  FakeSocket.last.welcome();
  FakeSocket.last.end(4500, 'token_expired');
  expect(client.state).toBe('disconnected');
});

test('an application that closes with 4500 and says never is obeyed', async () => {
  const client = begin({ getToken: () => 't' });
  await settle();
  FakeSocket.last.welcome();
  FakeSocket.last.say('goaway', { payload: { reason: 'r', reconnect: 'never' } });
  FakeSocket.last.end(4500);
  expect(client.state).toBe('disconnected');
});

test('getToken that throws, or is late, is an attempt that failed', async () => {
  const errors: string[] = [];
  let answer = () => Promise.reject(new Error('no network'));
  const client = begin({ getToken: () => answer() as Promise<string>, connectTimeout: 1000 });
  client.on('error', (error) => errors.push(error.name));
  await settle();
  expect([client.state, errors]).toEqual(['retry_pending', ['no_token']]);
  answer = () => new Promise(() => {});
  await pass(500);
  expect(client.state).toBe('connecting');
  await pass(1000);
  expect([client.state, FakeSocket.all.length]).toEqual(['retry_pending', 0]);
});

test('getToken that has none, be it null, connects without one', async () => {
  begin({ getToken: () => null as never });
  await settle();
  FakeSocket.last.open();
  expect(FakeSocket.last.frames).toEqual([]);
});

test('a token in the address stands in no reason', async () => {
  FakeSocket.throws = new SyntaxError('wss://example.org/ws?token=secret is no address');
  const client = begin({ token: 'secret', tokenIn: 'url' });
  await pass(500);
  expect(client.changes.length).toBe(2);
  expect(JSON.stringify(client.changes)).not.toContain('secret');
  expect(client.state).toBe('retry_pending');
});

test('a token that comes after a close is not used', async () => {
  let give = (_: string) => {};
  const client = begin({ getToken: () => new Promise((resolve) => { give = resolve; }) });
  client.close();
  give('t');
  await settle();
  expect(FakeSocket.all.length).toBe(0);
});

test('a server that wants no log-in may refuse the frame', () => {
  const client = begin({ token: 't' });
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  FakeSocket.last.welcome();
  FakeSocket.last.refuse(FakeSocket.last.take('connect'), 106, 'unexpected_frame');
  expect([client.state, errors]).toEqual(['connected', []]);
});

async function loggedIn(welcome: Record<string, unknown>) {
  const reasons: string[] = [];
  const client = begin({ getToken: ({ reason }) => { reasons.push(reason); return `t${reasons.length}`; } });
  await settle();
  const socket = FakeSocket.last;
  socket.open();
  socket.welcome(welcome, socket.take('connect').seqId);
  return { client, socket, reasons };
}

test.each([
  [{ time: 1000, expires: 3601000, pingIntervalMs: 1e7, pingTimeoutMs: 2e7 }, 3570000],
  [{ time: 5e12, expires: 5e12 + 40000, pingIntervalMs: 1e7, pingTimeoutMs: 2e7 }, 30000],
])('a fresh token is shown before %j is over', async (welcome, dueMs) => {
  const { client, socket, reasons } = await loggedIn(welcome);
  await pass(dueMs - 1);
  expect(reasons).toEqual(['connect']);
  await pass(1);
  expect(reasons).toEqual(['connect', 'refresh']);
  const frame = socket.take('connect');
  expect(frame.payload).toEqual({ token: 't2' });
  const heard: unknown[] = [];
  client.on('welcome', ({ expires }) => heard.push(expires));
  socket.welcome({ ...welcome, time: 0, expires: 80000 }, frame.seqId);
  expect([heard, client.changes.length, FakeSocket.all.length]).toEqual([[80000], 1, 1]);
  await pass(60000);
  expect(reasons.length).toBe(3);
});

test('a fresh token that is refused is replaced, three times', async () => {
  const { client, socket, reasons } = await loggedIn({ time: 0, expires: 40000 });
  const errors: string[] = [];
  client.on('error', (error) => errors.push(error.name));
  await pass(30000);
  for (let n = 0; n < 3; ++n) {
    socket.refuse(socket.take('connect'), 201, 'token_expired');
    await settle();
  }
  expect(reasons).toEqual(['connect', 'refresh', 'refused', 'refused']);
  expect(errors).toEqual(['token_expired', 'token_expired', 'token_expired']);
  expect(client.state).toBe('connected');
  await pass(5000);
  expect(reasons.length).toBe(4);
});

test('a refresh that cannot be handled now is tried again; one that is forbidden is not', async () => {
  const { client, socket, reasons } = await loggedIn({ time: 0, expires: 40000 });
  client.on('error', () => {});
  await pass(30000);
  socket.refuse(socket.take('connect'), 500, 'rate_limited', { temporary: true });
  await pass(1500);
  socket.refuse(socket.take('connect'), 202, 'forbidden');
  await pass(10000);
  expect(reasons).toEqual(['connect', 'refresh', 'refresh']);
});

test('a time of more than 24 days is waited for in parts', async () => {
  const days = 40 * 86400000;
  const { reasons } = await loggedIn({ time: 0, expires: days, pingIntervalMs: 1e12, pingTimeoutMs: 2e12 });
  await pass(days - 30001);
  expect(reasons).toEqual(['connect']);
  await pass(1);
  expect(reasons).toEqual(['connect', 'refresh']);
});
