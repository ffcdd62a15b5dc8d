// The page's client class, on npm's WebSocket, against the server.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import WebSocket from 'ws';
import { callboard } from './support/page_modules.mjs';
import { startServer, until, within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const { Client, CallboardError } = callboard;
const shared = suite();
const clients = [];
afterEach(() => clients.splice(0).forEach((client) => client.close()));

/// Returns the detail of the next event of a type.
const next = (client, type, what = type) => within(new Promise((resolve) => {
  client.addEventListener(type, ({ detail }) => resolve(detail), { once: true });
}), what);

/// Returns a client that is connected.
async function connect(options = {}, url = shared.server.ws) {
  const client = new Client(url, { WebSocket, baseMs: 50, ...options });
  clients.push(client);
  const welcome = next(client, 'welcome');
  client.connect();
  await welcome;
  return client;
}

test('it says who it is, and its states', async () => {
  const states = [];
  const client = new Client(shared.server.ws, { WebSocket });
  client.addEventListener('state', ({ detail }) => states.push(detail.state));
  const welcome = next(client, 'welcome');
  client.connect();
  assert.equal((await welcome).connection, client.connection);
  client.close();
  assert.deepEqual(states, ['connecting', 'connected', 'disconnected']);
  assert.equal(client.connection, null);
});

test('it subscribes, publishes and unsubscribes', async () => {
  const [one, two] = [await connect(), await connect()];
  const topic = freshTopic();
  const events = [];
  await one.subscribe(topic, (event) => events.push(event));
  await one.subscribe(`${topic.split('/')[0]}/#`, ({ pattern }) => events.push(pattern));
  assert.equal((await two.publish(topic, { text: 'hi' })).offset, 1);
  await until(() => events.length === 2, 'both events');
  const event = events.find((each) => typeof each === 'object');
  assert.deepEqual([event.topic, event.payload, event.sender, event.offset],
    [topic, { text: 'hi' }, two.connection, 1]);
  await one.unsubscribe(topic);
  await assert.rejects(one.unsubscribe(topic), { name: 'not_subscribed' });
});

test('it asks and answers', async () => {
  const [asker, worker] = [await connect(), await connect()];
  await worker.register('page.add', async ({ a, b }, { sender }) => ({ sum: a + b, sender }));
  assert.deepEqual(await asker.request('page.add', { a: 1, b: 2 }),
    { sum: 3, sender: asker.connection });
  await worker.register('page.fail', () => {
    throw new CallboardError('no_luck', 'Not today.', { code: 1007 });
  });
  await assert.rejects(asker.request('page.fail'),
    { name: 'no_luck', message: 'Not today.', code: 1007 });
  await worker.unregister('page.add');
  await assert.rejects(asker.request('page.add'), { name: 'no_responder', code: 300, temporary: true });
});

test('it times out and cancels', async () => {
  const [asker, worker] = [await connect(), await connect()];
  await worker.register('page.never', () => new Promise(() => {}));
  await assert.rejects(asker.request('page.never', null, { timeoutMs: 50 }), { name: 'timeout' });
  const abort = new AbortController();
  const answer = asker.request('page.never', null, { signal: abort.signal });
  abort.abort();
  await assert.rejects(answer, { name: 'cancelled', code: 303 });
});

test('many at once keep their answers apart', async () => {
  const client = await connect();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    client.request('callboard.echo', i)));
  assert.deepEqual(answers, answers.map((_, i) => i));
});

test('without a connection calls fail at once, with it gone too', async () => {
  const client = new Client('ws://127.0.0.1:9/ws', { WebSocket });
  await assert.rejects(client.request('callboard.echo', 1), { name: 'disconnected' });
  const other = await connect();
  await other.register('page.stuck', () => new Promise(() => {}));
  const stuck = (await connect()).request('page.stuck');
  clients.at(-1).close();
  await assert.rejects(stuck, { name: 'closed' });
});

test('it comes back after a restart, and takes its subscriptions along', async () => {
  const first = await startServer();
  const client = await connect({}, first.ws);
  const events = [];
  await client.subscribe('comes/back', ({ payload }) => events.push(payload));
  await client.publish('comes/back', 'before');
  await until(() => events.length === 1, 'the first event');
  const goaway = next(client, 'goaway');
  await first.stop();
  assert.equal(typeof (await goaway).reason, 'string');
  const back = next(client, 'welcome');
  const gap = next(client, 'gap', 'news of the gap');
  const second = await startServer([], { listen: `127.0.0.1:${first.port}` });
  await back;
  assert.equal((await gap).subject, 'comes/back');
  await client.publish('comes/back', 'after');
  await until(() => events.length === 2, 'the second event');
  assert.deepEqual(events, ['before', 'after']);
  client.close();
  await second.stop();
});

test('it stays away after a close of 4500 and above', async () => {
  const client = await connect();
  const over = next(client, 'state');
  const garbage = Uint8Array.of(0xc1);
  client.addEventListener('problem', () => {}); // the errors for the garbage
  const sockets = [];
  class Spy extends WebSocket {
    constructor(...words) { super(...words); sockets.push(this); }
  }
  const spied = await connect({ WebSocket: Spy });
  const ended = next(spied, 'state');
  for (let i = 0; i < 17; ++i) sockets[0].send(garbage);
  assert.deepEqual(await ended.then(({ state, closeCode }) => [state, closeCode]),
    ['disconnected', 4502]);
  client.close();
  assert.equal((await over).state, 'disconnected');
});
