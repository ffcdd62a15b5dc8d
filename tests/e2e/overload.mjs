// A node that has more to do than it can: what it refuses, and that it stops to.
// And handshakes that wait for a place on a full one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import tls from 'node:tls';
import { findAdmin, ok } from './support/admin.mjs';
import { makeCa, makeCertificate } from './support/certificates.mjs';
import { expectError, frame } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { slowness, until, within } from './support/server.mjs';
import { freshTopic, serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

const { connect, server } = serveAll();
const key = await makeKey('HS256', 'a');
const jwks = writeJwks('jwks.json', [key]);
const ca = makeCa('callboard tests');
const own = makeCertificate(ca, 'server');
const trusting = { ca: ca.read().cert };

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

/// Asks for a WebSocket that is refused and returns the answer.
async function refusedHandshake(node, name) {
  const answer = parseResponse(await exchange(node, request('GET /ws', ...upgrade)));
  assert.equal(expectRefusal(answer, 503, name).error, name);
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  return answer;
}

/// Returns a metric's sum over the loops, of the lines with these labels.
async function metric(node, name, labels = '') {
  const text = await (await fetch(`${node.http}/metrics`)).text();
  const lines = text.split('\n').filter((line) =>
    line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  assert.ok(lines.length > 0, name);
  const value = (line) => Number(line.match(/^[^{ ]+(?:\{[^}]*\})? (\S+)/)[1]);
  return lines.filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + value(line), 0);
}

const refusals = (node, limit) => metric(node, 'callboard_refusals_total', `limit="${limit}"`);
const stage = (node) => metric(node, 'callboard_load_stage');

// -- load ---------------------------------------------------------------------

/// Frames that cost little, want no answer and are never refused, as messages
/// with a mask of 0.
const busywork = (() => {
  const one = frame('cancel', 9, '', null, undefined, { timestamp: 0 });
  const payload = Buffer.concat(Array.from({ length: Math.floor(60_000 / one.length) }, () => one));
  const head = Buffer.from([0x82, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat(Array.from({ length: 8 }, () => [head, payload]).flat());
})();

/// Connects to a node that refuses clients now and then: on a slow machine a
/// single stall is a load.
async function getIn(node, options) {
  let client;
  await until(async () => {
    client = await connect(node, options).catch(() => undefined);
    return client !== undefined;
  }, 'a client');
  return client;
}

/// Gives a loop more to do than it can, from many clients at once: each turn
/// reads 64 KiB of every one. Returns what ends it.
async function keepBusy(node, options) {
  const clients = [];
  while (clients.length < 16) clients.push(await getIn(node, options));
  for (const { socket: { _socket: socket } } of clients) {
    const write = () => {
      if (!socket.destroyed) socket.write(busywork, () => setImmediate(write));
    };
    write();
  }
  return () => clients.forEach((client) => client.end());
}

/// Keeps it busy until it sheds requests. Returns what ends that.
async function overload(node, options) {
  const rest = await keepBusy(node, options);
  await until(async () => await stage(node) === 4, 'the last stage');
  return rest;
}

/// A node with one loop, on which turns of some milliseconds are a full load.
const sensitive = (...words) => server(['--loops', '1', '--load-turn-max', `${2 * slowness}ms`,
  '--load-high', '0.8', '--load-low', '0.2', '--connect-timeout', '10m', ...words]);

/// Asks until it is refused, because the last stage takes what it can. Returns
/// the answer.
async function shed(client, name, subject) {
  let answer;
  await until(async () => {
    answer = await client.call(name, subject, 'x');
    return answer.subject === 'overloaded';
  }, `${name} ${subject} is refused`);
  expectError(answer, 501, 'overloaded');
  return answer;
}

/// Publishes to a reader that does not read, until `wanted()`. Returns it.
async function stuff(node, wanted) {
  const [one, reader] = [await connect(node), await connect(node)];
  const topic = freshTopic('stuff');
  await reader.ok('subscribe', topic);
  reader.socket.pause();
  const text = 'x'.repeat(60_000);
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, () => one.ok('publish', topic, text)));
    return wanted();
  }, 'enough that waits');
  return reader;
}

/// Returns whether TLS is spoken with who comes now.
async function shakesHands(node) {
  const socket = tls.connect({ port: node.port, host: '127.0.0.1', ...trusting });
  const answer = await within(new Promise((resolve) => {
    socket.on('secureConnect', () => resolve(true));
    for (const end of ['error', 'close']) socket.on(end, () => resolve(false));
  }), 'a handshake, or its end');
  socket.destroy();
  return answer;
}

test('a node with too much to do refuses new work by name, and takes it again', async () => {
  const node = await sensitive('--token-jwks', jwks);
  const token = bearer(await sign(key, 'ann'));
  const [one, other] = [await getIn(node, token), await getIn(node, token)];
  const nameless = await getIn(node, { welcomed: false });
  const topic = freshTopic('shed');
  await other.ok('subscribe', topic);
  const rest = await overload(node, token);

  // Handshakes, and who is not logged in.
  const early = await refusals(node, 'load_connections');
  await refusedHandshake(node, 'overloaded');
  expectError(await nameless.take('error'), 501, 'overloaded');
  assert.deepEqual(await within(nameless.closed, 'the close'),
    { code: 4003, reason: 'overloaded' });
  assert.equal(await refusals(node, 'load_connections') - early, 1);
  assert.equal(await refusals(node, 'load_logins'), 1);

  // Publications without an answer.
  const before = await refusals(node, 'load_publishes');
  for (let i = 0; i < 5; ++i) one.send('publish', topic, i, undefined, 0);
  assert.equal((await one.call('ping', '')).type, 'pong');
  assert.equal(await refusals(node, 'load_publishes') - before, 5);

  // Requests, and publications with one.
  const requests = await refusals(node, 'load_requests');
  for (const [name, subject] of [['request', 'callboard.echo'], ['request', 'sum'], ['publish', topic]]) {
    const { meta } = await shed(one, name, subject);
    assert.equal(meta.temporary, true);
    assert.ok(meta.retryAfterMs > 0);
  }
  assert.equal(await refusals(node, 'load_requests') - requests, 3);

  // Everything else goes on.
  await one.ok('subscribe', freshTopic('shed'));
  assert.equal((await fetch(`${node.http}/health`)).status, 200);
  assert.equal((await fetch(`${node.http}/ready`)).status, 200);
  assert.ok(await metric(node, 'callboard_load_part', 'part="turn"') > 0.2);
  await node.logged(/load_stage loop=0 from=\w+ to=\w+ score=/);

  rest();
  await until(async () => await stage(node) === 0, 'the end of it');
  assert.equal(await one.ok('request', 'callboard.echo', 'x'), 'x');
  one.send('publish', topic, 'after', undefined, 0);
  // What was published while it let something through comes first.
  await other.take(({ type, payload }) => type === 'event' && payload === 'after');
  await connect(node, token);
  assert.ok(await metric(node, 'callboard_load_peak') >= 0.95);
});

test('a node that sheds nothing takes all of it', async () => {
  const node = await sensitive('--load-high', '0');
  const one = await connect(node);
  const rest = await keepBusy(node);
  await until(async () => await metric(node, 'callboard_load_score') === 1, 'a full load');
  assert.equal(await stage(node), 0);
  assert.equal(await one.ok('request', 'callboard.echo', 'x'), 'x');
  await connect(node);
  rest();
});

test('clients that do not read keep newcomers out at most, and only if that is wanted', async () => {
  const words = ['--loops', '1', '--load-outbox-bytes-max', '64KiB', '--outbox-bytes-max', '64MiB',
    '--load-high', '0.9'];
  const node = await server([...words, '--load-weights', 'outbox=1']);
  const one = await connect(node);
  const reader = await stuff(node, async () => await metric(node, 'callboard_load_score') === 1);
  assert.equal(await stage(node), 2);
  await refusedHandshake(node, 'overloaded');
  assert.equal(await one.ok('request', 'callboard.echo', 'x'), 'x');
  assert.equal(await refusals(node, 'load_requests'), 0);
  reader.socket.resume();
  await until(async () => await stage(node) === 0, 'the end of it');
  await connect(node);

  const usual = await server(words);
  await stuff(usual, async () => await metric(usual, 'callboard_load_part', 'part="outbox"') > 1);
  assert.equal(await stage(usual), 0);
  await connect(usual);
});

test('a node with far too much to do does not even shake hands', async () => {
  const node = await sensitive('--tls-cert', own.cert, '--tls-key', own.key, '--admin', '127.0.0.1:0');
  await findAdmin(node);
  assert.equal(await shakesHands(node), true);
  const rest = await keepBusy(node, trusting);
  await until(async () => !(await shakesHands(node)), 'a socket that is closed');
  assert.match(await ok(node, 'GET', '/metrics'),
    /callboard_refusals_total\{[^}]*limit="load_connections"[^}]*\} [1-9]/);
  rest();
  await until(() => shakesHands(node), 'one that is not');
});

// -- places -------------------------------------------------------------------

const waiting = (node) => metric(node, 'callboard_accept_queue');

/// A node with one place, which is taken by `first`.
async function full(...words) {
  const node = await server(['--max-connections', '1', ...words]);
  return { node, first: await connect(node) };
}

/// Begins the n-th handshake that waits, and returns {client} when it does; that
/// is there later.
async function wait(node, n) {
  const client = connect(node);
  client.catch(() => {}); // until somebody looks
  await until(async () => await waiting(node) === n, `${n} handshakes that wait`);
  return { client };
}

async function leave(client) {
  client.socket.close();
  await within(client.closed, 'the close');
}

test('a handshake waits for a place, and one more than may is refused', async () => {
  const { node, first } = await full('--accept-wait', '1m', '--accept-queue-max', '1');
  const { client: second } = await wait(node, 1);
  await refusedHandshake(node, 'overloaded');
  assert.equal(await refusals(node, 'accept_queue'), 1);
  assert.equal(await refusals(node, 'connections'), 0);
  await leave(first);
  assert.equal(await (await second).ok('request', 'callboard.echo', 'x'), 'x');
  await until(async () => await waiting(node) === 0, 'nobody who waits');
});

test('who came first gets the next place', async () => {
  const { node, first } = await full('--accept-wait', '1m');
  const order = [];
  const clients = [];
  for (const name of ['a', 'b', 'c']) {
    const { client } = await wait(node, clients.length + 1);
    clients.push(client.then((one) => {
      order.push(name);
      return leave(one);
    }));
  }
  await leave(first);
  await Promise.all(clients);
  assert.deepEqual(order, ['a', 'b', 'c']);
});

test('who has waited for too long is refused', async () => {
  const { node } = await full('--accept-wait', '50ms');
  await refusedHandshake(node, 'overloaded');
  assert.equal(await refusals(node, 'connections'), 1);
  await until(async () => await waiting(node) === 0, 'nobody who waits');
});

test('a drain refuses those who wait', async () => {
  const { node } = await full('--accept-wait', '1m');
  const refused = refusedHandshake(node, 'shutting_down');
  await until(async () => await waiting(node) === 1, 'a handshake that waits');
  const [, { code }] = await Promise.all([refused, node.stop()]);
  assert.equal(code, 0);
});
