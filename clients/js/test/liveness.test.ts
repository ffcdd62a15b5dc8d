import { describe, expect, test, vi } from 'vitest';
import { FakeSocket, begin, connected, pass, settle, useVirtualTime } from './support.js';

useVirtualTime();

describe('heartbeat', () => {
  const hidden = (socket: FakeSocket) => socket.frames.filter(({ type }) => type === 'ping').length;

  test('it asks after pingIntervalMs of silence, and gives up at pingTimeoutMs', async () => {
    const { client, socket } = connected({}, { pingIntervalMs: 1000, pingTimeoutMs: 3000 });
    await pass(999);
    expect(hidden(socket)).toBe(0);
    await pass(1);
    expect(hidden(socket)).toBe(1);
    expect(socket.frames[0]?.seqId).toBeGreaterThan(0);
    await pass(1999);
    expect(client.state).toBe('connected');
    await pass(1);
    expect(client.state).toBe('retry_pending');
    expect(client.changes.at(-1)?.reason).toBe('nothing heard in time');
  });

  test('anything that comes is life', async () => {
    const { client, socket } = connected({}, { pingIntervalMs: 1000, pingTimeoutMs: 3000 });
    await pass(900);
    socket.say('pong');
    await pass(999);
    expect(hidden(socket)).toBe(0);
    await pass(1);
    expect(hidden(socket)).toBe(1);
    await pass(1999);
    socket.raw('what is this');
    await pass(999);
    expect([client.state, hidden(socket)]).toEqual(['connected', 1]);
    await pass(1);
    expect(hidden(socket)).toBe(2);
  });

  test('an option goes before what the server says', async () => {
    const { client, socket } = connected({ heartbeat: { intervalMs: 10, timeoutMs: 30 } });
    await pass(10);
    expect(hidden(socket)).toBe(1);
    await pass(20);
    expect(client.state).toBe('retry_pending');
  });
});

test('an interval beyond the timeout leaves time for an answer', async () => {
  const { client, socket } = connected({ heartbeat: { intervalMs: 100000 } });
  await pass(100000);
  expect(socket.types()).toEqual(['ping']);
  await pass(4999);
  expect(client.state).toBe('connected');
  await pass(1);
  expect(client.state).toBe('retry_pending');
});

describe('in a browser', () => {
  function browser(onLine = true) {
    const page = new EventTarget();
    const surroundings = new EventTarget();
    const navigator = { onLine };
    const document = Object.assign(page, { visibilityState: 'visible' });
    vi.stubGlobal('navigator', navigator);
    vi.stubGlobal('document', document);
    for (const name of ['addEventListener', 'removeEventListener'] as const) {
      vi.stubGlobal(name, surroundings[name].bind(surroundings));
    }
    return {
      online: (is: boolean) => {
        navigator.onLine = is;
        surroundings.dispatchEvent(new Event(is ? 'online' : 'offline'));
      },
      visible: (is: boolean) => {
        document.visibilityState = is ? 'visible' : 'hidden';
        page.dispatchEvent(new Event('visibilitychange'));
      },
    };
  }

  test('offline nothing is tried, online it is at once', async () => {
    const { online } = browser(false);
    const client = begin();
    expect(client.state).toBe('retry_pending');
    await pass(1e6);
    expect(FakeSocket.all.length).toBe(0);
    online(true);
    expect(client.state).toBe('connecting');
    FakeSocket.last.welcome();
    FakeSocket.last.end();
    expect(client.changes.at(-1)?.retryInMs).toBe(500);
    online(false);
    expect(client.changes.at(-1)?.retryInMs).toBe(Infinity);
    await pass(1e6);
    expect(FakeSocket.all.length).toBe(1);
    online(true);
    expect(FakeSocket.all.length).toBe(2);
  });

  test('a loss while offline waits for the network', async () => {
    const { online } = browser();
    const { client, socket } = connected();
    online(false);
    socket.end();
    expect(client.changes.at(-1)?.retryInMs).toBe(Infinity);
    online(true);
    expect(client.state).toBe('connecting');
  });

  test.each(['visible', 'online', 'offline'])('%s: the connection has 5 s to show that it lives', async (how) => {
    const { online, visible } = browser();
    const { client, socket } = connected();
    await pass(1000);
    if (how === 'visible') {
      visible(false);
      expect(socket.frames).toEqual([]);
      visible(true);
    } else {
      online(how === 'online');
    }
    expect(socket.types()).toEqual(['ping']);
    await pass(4999);
    expect(client.state).toBe('connected');
    await pass(1);
    expect(client.state).toBe('retry_pending');
  });

  test('a page that is seen again does not wait for its next attempt', () => {
    const { visible } = browser();
    const { client, socket } = connected();
    socket.end();
    visible(true);
    expect(client.state).toBe('connecting');
  });

  test('but for what the server has told', async () => {
    const { visible, online } = browser();
    const { client, socket } = connected();
    socket.say('goaway', { payload: { reason: 'r', reconnect: 'now', afterMs: 100 } });
    socket.end(4004);
    visible(true);
    online(true);
    expect(client.state).toBe('retry_pending');
    online(false);
    online(true);
    expect(client.state).toBe('connecting');
  });

  test('a check that is answered changes nothing; a closed client hears nothing', async () => {
    const { visible, online } = browser();
    const { client, socket } = connected();
    visible(true);
    socket.say('pong');
    await pass(29999);
    expect([client.state, socket.types()]).toEqual(['connected', ['ping']]);
    client.close();
    online(true);
    visible(true);
    await settle();
    expect(FakeSocket.all.length).toBe(1);
  });

  test('a question that is under way gets no more time by another', async () => {
    const { visible } = browser();
    const { client } = connected({}, { pingIntervalMs: 30000, pingTimeoutMs: 34000 });
    await pass(30000);
    visible(true);
    await pass(3999);
    expect(client.state).toBe('connected');
    await pass(1);
    expect(client.state).toBe('retry_pending');
  });
});
