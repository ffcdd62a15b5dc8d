// A node that has more to do than it can: what it refuses, and that it stops to.
// And handshakes that wait for a place on a full one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectError } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { until, within } from './support/server.mjs';
import { freshTopic, serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

const { connect, server } = serveAll();
const key = await makeKey('HS256', 'a');
const jwks = writeJwks('jwks.json', [key]);

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

/// Publishes to a reader that does not read until the node sheds requests,
/// because of the bytes that wait for it. Returns the reader, who ends that.
async function overload(node, publisher, options) {
  const topic = freshTopic('overload');
  const reader = await connect(node, options);
  await reader.ok('subscribe', topic);
  reader.socket.pause();
  const text = 'x'.repeat(60_000);
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, () => publisher.call('publish', topic, text)));
    return await stage(node) === 4;
  }, 'the last stage');
  return reader;
}

/// A node with one loop, on which 64 KiB that wait for readers are a full load.
const sensitive = (...words) => server(['--loops', '1', '--load-outbox-bytes-max', '64KiB',
  '--outbox-bytes-max', '64MiB', '--connect-timeout', '10m', ...words]);

test('a node with too much to do refuses new work by name, and takes it again', async () => {
  const node = await sensitive('--token-jwks', jwks);
  const token = bearer(await sign(key, 'ann'));
  const [one, other] = [await connect(node, token), await connect(node, token)];
  const nameless = await connect(node, { welcomed: false });
  const topic = freshTopic('shed');
  await other.ok('subscribe', topic);
  const reader = await overload(node, one, token);

  // Handshakes, and who is not logged in.
  await refusedHandshake(node, 'overloaded');
  expectError(await nameless.take('error'), 501, 'overloaded');
  assert.deepEqual(await within(nameless.closed, 'the close'),
    { code: 4003, reason: 'overloaded' });
  assert.equal(await refusals(node, 'load_connections'), 1);
  assert.equal(await refusals(node, 'load_logins'), 1);

  // Publications without an answer.
  const before = await refusals(node, 'load_publishes');
  for (let i = 0; i < 5; ++i) one.send('publish', topic, i, undefined, 0);
  assert.equal((await one.call('ping', '')).type, 'pong');
  assert.equal(await refusals(node, 'load_publishes') - before, 5);

  // Requests, and publications with one.
  const requests = await refusals(node, 'load_requests');
  for (const [name, subject] of [['request', 'callboard.echo'], ['request', 'sum'], ['publish', topic]]) {
    const { meta } = await one.fails(501, 'overloaded', name, subject, 'x');
    assert.equal(meta.temporary, true);
    assert.ok(meta.retryAfterMs > 0);
  }
  assert.equal(await refusals(node, 'load_requests') - requests, 3);

  // Everything else goes on.
  await one.ok('subscribe', freshTopic('shed'));
  assert.equal((await fetch(`${node.http}/health`)).status, 200);
  assert.equal((await fetch(`${node.http}/ready`)).status, 200);
  assert.ok(await metric(node, 'callboard_load_part', 'part="outbox"') > 0.9);
  await until(() => /load_stage loop=0 from=\w+ to=\w+ score=/.test(node.log), 'a line about it');

  reader.socket.resume();
  await until(async () => await stage(node) === 0, 'the end of it');
  assert.equal(await one.ok('request', 'callboard.echo', 'x'), 'x');
  one.send('publish', topic, 'after', undefined, 0);
  assert.equal((await other.take('event')).payload, 'after');
  await connect(node, token);
  assert.ok(await metric(node, 'callboard_load_peak') >= 0.975);
});

test('a node that sheds nothing takes all of it', async () => {
  const node = await sensitive('--load-high', '0');
  const one = await connect(node);
  const topic = freshTopic('overload');
  const reader = await connect(node);
  await reader.ok('subscribe', topic);
  reader.socket.pause();
  const text = 'x'.repeat(60_000);
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, () => one.ok('publish', topic, text)));
    return await metric(node, 'callboard_load_score') === 1;
  }, 'a full load');
  assert.equal(await stage(node), 0);
  assert.equal(await one.ok('request', 'callboard.echo', 'x'), 'x');
  await connect(node);
  reader.socket.resume();
});

// -- places -------------------------------------------------------------------

const waiting = (node) => metric(node, 'callboard_accept_queue');

/// A node with one place, which is taken by `first`.
async function full(...words) {
  const node = await server(['--max-connections', '1', ...words]);
  return { node, first: await connect(node) };
}

/// Begins a handshake and returns {client} when it waits; that is there later.
async function wait(node) {
  const count = await waiting(node);
  const client = connect(node);
  client.catch(() => {}); // until somebody looks
  await until(async () => await waiting(node) === count + 1, 'a handshake that waits');
  return { client };
}

async function leave(client) {
  client.socket.close();
  await within(client.closed, 'the close');
}

test('a handshake waits for a place, and one more than may is refused', async () => {
  const { node, first } = await full('--accept-wait', '1m', '--accept-queue-max', '1');
  const { client: second } = await wait(node);
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
    const { client } = await wait(node);
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
  assert.equal(await waiting(node), 0);
});

test('a drain refuses those who wait', async () => {
  const { node } = await full('--accept-wait', '1m');
  const refused = refusedHandshake(node, 'shutting_down');
  await until(async () => await waiting(node) === 1, 'a handshake that waits');
  const [, { code }] = await Promise.all([refused, node.stop()]);
  assert.equal(code, 0);
});
