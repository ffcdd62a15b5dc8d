// What one address, user and client may have of a node, and what they are told
// beyond that.

import assert from 'node:assert/strict';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { expectError, frame } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { sleep, until, within } from './support/server.mjs';
import { freshTopic, serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

// Before the servers end, which would wait for them.
const sockets = new Set();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

const { connect, server } = serveAll();
const key = await makeKey('HS256', 'a');
const jwks = writeJwks('jwks.json', [key]);

// A timer may be early by a part of a millisecond.
const wait = (ms) => sleep(ms + 5);

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

/// Returns a TCP connection to the node that says nothing.
function dial(node) {
  const socket = net.connect(node.port, '127.0.0.1');
  socket.on('error', () => {}); // a close follows
  sockets.add(socket);
  return socket;
}

/// Asks for a WebSocket and returns the answer, whichever it is. One that was
/// accepted stays open until the test is over.
function handshake(node, ...headers) {
  const socket = dial(node);
  const answered = new Promise((resolve) => {
    let text = '';
    socket.on('data', (data) => {
      text += data;
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) {
        resolve(parseResponse(text));
      }
    });
    socket.on('close', () => resolve(parseResponse(text)));
  });
  socket.write(request('GET /ws', ...upgrade, ...headers));
  return within(answered, 'an answer to a handshake');
}

/// Fails unless this is a refusal with this status and name. Returns the seconds
/// after which to come again.
function expectLimit(answer, status, name) {
  assert.equal(expectRefusal(answer, status, name).error, name);
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  return Number(answer.headers['retry-after']);
}

/// Begins more handshakes at once than there may be: 2, and one a second.
/// Fails unless some are refused, as `expectLimit` has it.
async function expectBurst(node, status, name, ...headers) {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => handshake(node, ...headers)));
  const refused = answers.filter((answer) => answer.status !== 101);
  assert.ok(answers.length - refused.length >= 2, 'the burst is let in');
  assert.ok(refused.length > 0, 'the others are not');
  const waitsS = refused.map((answer) => expectLimit(answer, status, name));
  assert.deepEqual(waitsS, waitsS.map(() => 1));
  await wait(1000);
  assert.equal((await handshake(node, ...headers)).status, 101);
  return refused.length;
}

/// Returns how often a limit was met, as the node counts it.
async function refusals(node, limit) {
  const text = await (await fetch(`${node.http}/metrics`)).text();
  const lines = [...text.matchAll(/^callboard_refusals_total\{([^}]*)\} (\d+)/gm)];
  assert.ok(lines.length > 0);
  return lines.filter(([, labels]) => labels.includes(`limit="${limit}"`))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

const from = (address) => ({ headers: { 'x-forwarded-for': address } });
const forwarded = (list) => `X-Forwarded-For: ${list}`;

/// Closes a client in order, so that its place is free.
async function leave(client) {
  client.socket.close();
  await within(client.closed, 'the close');
}

// -- handshakes ---------------------------------------------------------------

test('a node takes so many handshakes a second: 503 and Retry-After', async () => {
  const node = await server(['--handshakes-rate', '1', '--handshakes-burst', '2']);
  const count = await expectBurst(node, 503, 'overloaded');
  assert.equal(await refusals(node, 'handshakes'), count);
  // Other requests are not meant.
  assert.equal((await fetch(`${node.http}/health`)).status, 200);
});

test('an address has so many handshakes a second: 429 and Retry-After', async () => {
  const node = await server(['--address-handshakes-rate', '1',
    '--address-handshakes-burst', '2', '--trusted-proxies', '127.0.0.1']);
  const count = await expectBurst(node, 429, 'rate_limited', forwarded('198.51.100.1'));
  assert.equal(await refusals(node, 'address_handshakes'), count);
  assert.equal((await handshake(node, forwarded('198.51.100.2'))).status, 101);
});

// -- addresses ----------------------------------------------------------------

test('an address has so many connections: 429', async () => {
  const node = await server(['--address-connections-max', '2']);
  const first = await connect(node);
  await connect(node);
  for (const headers of [[], [forwarded('198.51.100.1')]]) {
    expectLimit(await handshake(node, ...headers), 429, 'limit_exceeded');
  }
  assert.equal(await refusals(node, 'address_connections'), 2);
  await leave(first);
  await connect(node);
});

test('who comes through a trusted proxy is counted by the address that it names', async () => {
  const node = await server(['--address-connections-max', '2',
    '--trusted-proxies', '127.0.0.0/8,10.0.0.0/8']);
  const first = await connect(node, from('198.51.100.1'));
  await connect(node, from('198.51.100.1, 10.1.1.1'));
  // What stands in front of that the client wrote itself.
  for (const list of ['198.51.100.1', '203.0.113.5, 198.51.100.1', '::ffff:198.51.100.1']) {
    expectLimit(await handshake(node, forwarded(list)), 429, 'limit_exceeded');
  }
  await connect(node, from('198.51.100.2'));
  await leave(first);
  await connect(node, from('198.51.100.1'));
});

test('64 bits of v6 are one address', async () => {
  const node = await server(['--address-connections-max', '2', '--trusted-proxies', '127.0.0.1']);
  await connect(node, from('2001:db8::1'));
  await connect(node, from('2001:db8::2'));
  expectLimit(await handshake(node, forwarded('2001:db8::3')), 429, 'limit_exceeded');
  await connect(node, from('2001:db8:0:1::1'));
});

test('a list that is none counts for the proxy itself', async () => {
  const node = await server(['--address-connections-max', '1', '--trusted-proxies', '127.0.0.1']);
  await connect(node, from('unknown'));
  expectLimit(await handshake(node), 429, 'limit_exceeded');
  await connect(node, from('198.51.100.1'));
});

test('an address has so many HTTP sessions, and a proxy has any number', async () => {
  const words = ['--loops', '1', '--address-sessions-max', '2'];
  const node = await server(words);
  const idle = [dial(node), dial(node)];
  await Promise.all(idle.map((socket) => within(
    new Promise((resolve) => { socket.once('connect', resolve); }), 'a connection')));
  const third = dial(node);
  third.resume();
  await within(new Promise((resolve) => { third.once('close', resolve); }), 'the close');
  idle[0].destroy();
  const health = async () => {
    const text = await exchange(node, request('GET /health', 'Connection: close')).catch(() => '');
    return text.startsWith('HTTP/1.1 200');
  };
  await until(health, 'a session in the place of the one that went');
  const behind = await server([...words, '--trusted-proxies', '127.0.0.1']);
  for (let i = 0; i < 5; ++i) dial(behind);
  const text = await exchange(behind, request('GET /health', 'Connection: close'));
  assert.equal(parseResponse(text).status, 200);
});

// -- users and tenants --------------------------------------------------------

test('a user has so many connections: 4504', async () => {
  const node = await server(['--token-jwks', jwks, '--user-connections-max', '2']);
  const token = await sign(key, 'ann');
  const first = await connect(node, bearer(token));
  await connect(node, bearer(token));
  const byHeader = await connect(node, { ...bearer(token), welcomed: false });
  const error = await byHeader.take('error');
  expectError(error, 202, 'forbidden');
  assert.equal(error.seqId, 0);
  const byFrame = await connect(node, { welcomed: false });
  expectError(await byFrame.call('connect', '', { token }), 202, 'forbidden');
  for (const one of [byHeader, byFrame]) {
    assert.deepEqual(await within(one.closed, 'the close'),
      { code: 4504, reason: 'user_connections' });
  }
  assert.equal(await refusals(node, 'user_connections'), 2);
  await connect(node, bearer(await sign(key, 'bob')));
  await leave(first);
  await connect(node, bearer(token));
});

test('a tenant has so many connections for all its users: 4504', async () => {
  const node = await server(['--token-jwks', jwks, '--tenant-connections-max', '2']);
  const of = async (user, tenant) => bearer(await sign(key, user, { tenant }));
  await connect(node, await of('ann', 'acme'));
  await connect(node, await of('bob', 'acme'));
  const third = await connect(node, { ...await of('cid', 'acme'), welcomed: false });
  assert.deepEqual(await within(third.closed, 'the close'),
    { code: 4504, reason: 'tenant_connections' });
  await connect(node, await of('cid', 'other'));
});

// -- rates --------------------------------------------------------------------

/// Sends frames in one message, which is read in one turn, and returns their
/// replies.
function callAll(client, count, make) {
  const seqIds = Array.from({ length: count }, () => client.nextSeqId());
  client.socket.send(Buffer.concat(seqIds.map(make)));
  return Promise.all(seqIds.map((seqId) => client.reply(seqId)));
}

const ping = (seqId) => frame('ping', seqId);

/// Fails unless the first `good` replies are of type `name` and all others tell
/// to wait. Returns how long.
function expectRate(replies, good, name) {
  assert.deepEqual(replies.slice(0, good).map(({ type }) => type), Array(good).fill(name));
  for (const reply of replies.slice(good)) {
    expectError(reply, 500, 'rate_limited');
    assert.equal(reply.meta.temporary, true);
    assert.ok(reply.meta.retryAfterMs > 0 && reply.meta.retryAfterMs <= 1000);
  }
  return Number(replies.at(-1).meta.retryAfterMs);
}

test('a client has so many frames a second, and waiting helps', async () => {
  const node = await server(['--frames-rate', '1', '--frames-burst', '5']);
  const one = await connect(node);
  const waitMs = expectRate(await callAll(one, 8, ping), 5, 'pong');
  assert.equal(waitMs, 1000);
  await wait(waitMs);
  assert.equal((await one.call('ping', '')).type, 'pong');
  assert.equal(await refusals(node, 'frames'), 3);
  // Everybody has a rate of their own.
  assert.equal((await (await connect(node)).call('ping', '')).type, 'pong');
});

test('a client that goes on far beyond the rate is closed with 1008', async () => {
  const node = await server(['--frames-rate', '10', '--frames-burst', '5']);
  const one = await connect(node);
  one.socket.send(Buffer.concat(Array.from({ length: 20 }, (_, i) => ping(i + 1))));
  assert.deepEqual(await within(one.closed, 'the close'), { code: 1008, reason: 'rate_limited' });
  assert.equal(one.frames.length, 11);
  assert.equal(await refusals(node, 'flood'), 1);
});

test('answers that are waited for do not count', async () => {
  const node = await server(['--frames-rate', '1', '--frames-burst', '5']);
  const worker = await connect(node);
  await worker.ok('register', 'work');
  const askers = await Promise.all(Array.from({ length: 12 }, () => connect(node)));
  const answers = askers.map((asker) => asker.ok('request', 'work'));
  for (let i = 0; i < askers.length; ++i) {
    const { seqId } = await worker.take('request');
    worker.send('response', '', 'done', undefined, seqId);
  }
  assert.deepEqual(await Promise.all(answers), askers.map(() => 'done'));
});

test('a client has so many bytes a second, and waiting helps', async () => {
  const node = await server(['--bytes-rate', '64KiB']);
  const one = await connect(node);
  const large = 'x'.repeat(60_000);
  const echo = () => one.send('request', 'callboard.echo', large);
  const replies = await Promise.all([echo(), echo()].map((seqId) => one.reply(seqId)));
  await wait(expectRate(replies, 1, 'response'));
  assert.equal(await one.ok('request', 'callboard.echo', large), large);
  assert.equal(await refusals(node, 'bytes'), 1);
});

test('a client has so many publications a second, and waiting helps', async () => {
  const node = await server(['--publishes-rate', '10', '--publishes-burst', '3']);
  const topic = freshTopic('limits');
  const [one, reader] = [await connect(node), await connect(node)];
  await reader.ok('subscribe', topic);
  const publish = (seqId) => frame('publish', seqId, topic, seqId);
  const replies = await callAll(one, 5, publish);
  await wait(expectRate(replies, 3, 'response'));
  await one.ok('publish', topic, 'later');
  assert.deepEqual((await reader.events(4)).map(({ payload }) => payload), [1, 2, 3, 'later']);
  assert.deepEqual(await reader.settle(), []);
  assert.equal(await refusals(node, 'publishes'), 2);
});

test('the connections of a user share their publications', async () => {
  const node = await server(['--loops', '2', '--token-jwks', jwks,
    '--publishes-rate', '1', '--publishes-burst', '3']);
  const topic = freshTopic('limits');
  const token = bearer(await sign(key, 'ann'));
  const [one, two] = [await connect(node, token), await connect(node, token)];
  const bob = await connect(node, bearer(await sign(key, 'bob')));
  const burst = (client) => callAll(client, 3, (seqId) => frame('publish', seqId, topic));
  const isRefused = ({ type }) => type === 'error';
  assert.ok(!(await burst(one)).some(isRefused));
  // One or two may have come back meanwhile, a burst has not.
  assert.ok((await burst(two)).some(isRefused));
  // To come again brings none either.
  await Promise.all([leave(one), leave(two)]);
  const again = await connect(node, token);
  const last = (await burst(again)).at(-1);
  expectError(last, 500, 'rate_limited');
  assert.ok(!(await burst(bob)).some(isRefused));
  await wait(Number(last.meta.retryAfterMs));
  await again.ok('publish', topic);
});
