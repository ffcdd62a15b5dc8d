// The proxy that other suites hurt clients with (tests/support/chaos_proxy.mjs).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { connectionPlan, gentle, rough } from '../support/chaos_plan.mjs';
import { startChaosProxy, waitingBytesMax } from '../support/chaos_proxy.mjs';
import { seeded } from '../support/seeded.mjs';
import { until, within } from './support/server.mjs';

const opened = [];
afterEach(async () => {
  for (const stop of opened.splice(0).reverse()) await stop();
});

/// Starts a server that calls `serve(socket)`, and a proxy in front of it.
async function proxied(serve, options) {
  const sockets = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => { server.close(resolve); });
  });
  const proxy = await startChaosProxy(server.address().port, options);
  opened.push(() => proxy.stop());
  return proxy;
}

/// Connects; `received` holds what has come, `ended` how it ended.
async function join(proxy) {
  const socket = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  opened.push(() => { socket.destroy(); });
  const client = { socket, received: Buffer.alloc(0), pieces: 0, ended: null };
  socket.on('data', (data) => {
    client.received = Buffer.concat([client.received, data]);
    client.pieces += 1;
  });
  client.over = new Promise((resolve) => {
    for (const [event, how] of [['end', 'end'], ['error', 'reset']]) {
      socket.on(event, () => {
        client.ended ??= how;
        resolve(client);
      });
    }
  });
  await Promise.race([once(socket, 'connect'), client.over]);
  return client;
}

const bytesOf = (seed, count) => {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
};

/// Returns what a plan says, with its first pieces.
function shown(seed, n, settings) {
  const { up, down, ...rest } = connectionPlan(seed, n, settings);
  const show = ({ lifeBytes, pieces }) => [lifeBytes, ...Array.from({ length: 50 }, pieces)];
  return { ...rest, up: show(up), down: show(down) };
}

test('a seed means the same every time, and another one something else', () => {
  assert.deepEqual(shown(7, 3, rough), shown(7, 3, rough));
  assert.notDeepEqual(shown(7, 3, rough), shown(8, 3, rough));
  assert.notDeepEqual(shown(7, 3, rough), shown(7, 4, rough));
  const { up, down } = shown(7, 3, rough);
  assert.notDeepEqual(up, down);
});

test('plans keep within their bounds', () => {
  const settings = {
    ...rough, refused: 0.5, mortal: 0.5, delayed: 0.5, tiny: 0.5, pieceBytesMax: 100,
    delayMsMax: 3, lifeBytesMax: 10, lifeMsMax: 20, stallMs: 5,
  };
  const plans = Array.from({ length: 500 }, (_, n) => shown(1, n, settings));
  const seen = (what) => new Set(plans.map(what));
  assert.deepEqual(seen(({ refused }) => refused), new Set([true, false]));
  assert.deepEqual(seen(({ end }) => end), new Set([null, ...gentle.ends]));
  for (const { end, lifeMs, stallMs, up, down } of plans) {
    assert.ok(lifeMs >= 1 && lifeMs <= 20 && stallMs === 5);
    for (const [lifeBytes, ...pieces] of [up, down]) {
      if (end) assert.ok(lifeBytes >= 1 && lifeBytes <= 10);
      else assert.equal(lifeBytes, Infinity);
      for (const { bytes, delayMs } of pieces) {
        assert.ok(bytes >= 1 && bytes <= 100 && delayMs >= 0 && delayMs <= 3);
      }
    }
  }
  const pieces = plans.flatMap(({ up }) => up.slice(1));
  assert.ok(pieces.some(({ bytes }) => bytes === 1) && pieces.some(({ bytes }) => bytes === 100));
  assert.ok(pieces.some(({ delayMs }) => delayMs === 0));
  assert.ok(pieces.some(({ delayMs }) => delayMs === 3));
});

test('a gentle one brings all bytes both ways, in pieces, and the end behind them', async () => {
  const proxy = await proxied((socket) => socket.pipe(socket),
    { settings: { ...gentle, tiny: 0.5, delayed: 0.02, delayMsMax: 5 } });
  const client = await join(proxy);
  const sent = bytesOf(1, 256 * 1024);
  client.socket.end(sent);
  await within(client.over, 'the end');
  assert.equal(client.ended, 'end');
  assert.ok(client.received.equals(sent));
  assert.ok(client.pieces > 20, `${client.pieces} pieces`);
});

test('a life ends at the byte that the seed says, each time', async () => {
  const settings = { ...gentle, mortal: 1, lifeMsMax: 2 ** 30, lifeBytesMax: 5000 };
  for (const end of ['close', 'reset']) {
    const seed = 11;
    const sent = bytesOf(2, 10000);
    const proxy = await proxied((socket) => socket.write(sent),
      { seed, settings: { ...settings, ends: [end] } });
    for (let n = 0; n < 3; ++n) {
      const client = await join(proxy);
      await within(client.over, 'the end');
      const { lifeBytes } = connectionPlan(seed, n, settings).down;
      // A reset may overtake what was sent before it, and libuv shows one behind
      // the last bytes as an end.
      if (end === 'close') assert.deepEqual([client.ended, client.received.length], ['end', lifeBytes]);
      assert.ok(client.received.equals(sent.subarray(0, client.received.length)));
      assert.ok(client.received.length <= lifeBytes);
    }
    assert.deepEqual([proxy.counts.connections, proxy.counts[end]], [3, 3]);
  }
});

test('a life ends in time, too', async () => {
  const proxy = await proxied(() => {},
    { settings: { ...gentle, mortal: 1, lifeMsMax: 20, ends: ['close'] } });
  const client = await join(proxy);
  await within(client.over, 'the end');
  assert.equal(client.ended, 'end');
});

test('a stall is silence, and then a reset', async () => {
  const settings = {
    ...gentle, mortal: 1, lifeBytesMax: 100, lifeMsMax: 2 ** 30, ends: ['stall'], stallMs: 50,
  };
  let atServer = 0;
  const proxy = await proxied((socket) => {
    socket.on('data', ({ length }) => { atServer += length; });
  }, { settings });
  const client = await join(proxy);
  client.socket.write(bytesOf(3, 1000));
  await until(() => proxy.counts.stall === 1, 'the stall');
  const { lifeBytes } = connectionPlan(1, 0, settings).up;
  await until(() => atServer === lifeBytes, 'what came before it');
  await within(client.over, 'the end');
  assert.equal(client.ended, 'reset');
  assert.equal(atServer, lifeBytes);
});

test('in a stall the server can end without being heard, and the client ends it', async () => {
  let atServer;
  const proxy = await proxied((socket) => { atServer = socket; }, {
    settings: { ...gentle, mortal: 1, lifeMsMax: 10, ends: ['stall'], stallMs: 2 ** 30 },
  });
  const [quiet, loud] = [await join(proxy), await join(proxy)];
  await until(() => proxy.counts.stall === 2 && atServer, 'the stalls');
  atServer.resume().end('farewell');
  await within(once(atServer, 'close'), 'the end at the server');
  loud.socket.end('farewell');
  await within(loud.over, 'the end');
  assert.deepEqual([loud.received.length, quiet.received.length, quiet.ended], [0, 0, null]);
});

test('who is refused hears of it', async () => {
  const proxy = await proxied(() => assert.fail('let in'), { settings: { ...gentle, refused: 1 } });
  const client = await join(proxy);
  await within(client.over, 'the end');
  assert.equal(client.received.length, 0);
  assert.equal(proxy.counts.refused, 1);
});

test('as many connections as there may be, and one more', async () => {
  const proxy = await proxied((socket) => socket.write('x'), { connectionsMax: 2 });
  const clients = [await join(proxy), await join(proxy)];
  for (const client of clients) {
    await until(() => client.received.length === 1, 'what the server says');
  }
  const more = await join(proxy);
  await within(more.over, 'the end');
  assert.deepEqual([more.received.length, proxy.counts.refused], [0, 1]);
});

test('nobody is hurt any more once it is calm', async () => {
  const proxy = await proxied((socket) => socket.pipe(socket),
    { settings: { ...rough, refused: 0, mortal: 1, lifeMsMax: 2 ** 30, lifeBytesMax: 100 } });
  const before = await join(proxy);
  // The first turn of its server socket: from then on it is there to be spared.
  await until(() => proxy.counts.connections === 1, 'the connection');
  proxy.calm();
  const after = await join(proxy);
  const sent = bytesOf(4, 20000);
  for (const client of [before, after]) {
    client.socket.end(sent);
    await within(client.over, 'the end');
    assert.ok(client.received.equals(sent));
  }
  assert.deepEqual([proxy.counts.close, proxy.counts.reset, proxy.counts.stall], [0, 0, 0]);
});

test('a server that reads late makes the client wait, and the proxy no larger', async () => {
  let atServer = 0;
  let reader;
  const proxy = await proxied((socket) => {
    reader = socket;
    socket.pause();
    socket.on('data', ({ length }) => { atServer += length; });
    socket.pause();
  }, { settings: { ...gentle, tiny: 0, delayed: 0, pieceBytesMax: 64 * 1024 } });
  const client = await join(proxy);
  const sent = 32 * 1024 * 1024;
  client.socket.write(Buffer.alloc(sent));
  await until(() => proxy.counts.waitingMax > waitingBytesMax, 'a proxy that is full');
  reader.resume();
  await until(() => atServer === sent, 'the last byte');
  assert.ok(proxy.counts.waitingMax <= 2 * waitingBytesMax, `${proxy.counts.waitingMax} bytes`);
});
