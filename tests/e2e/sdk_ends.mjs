// The TypeScript SDK where connections end or begin: log-ins, refusals, nodes
// that go away and come back.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { connectSdk, makeSdk, next, sdk, take } from './support/sdk.mjs';
import { startServer, until, within } from './support/server.mjs';
import { freshTopic, serveAll } from './support/suite.mjs';
import { makeKey, sign, writeJwks } from './support/tokens.mjs';

const { usual } = serveAll();
const folder = mkdtempSync(join(tmpdir(), 'callboard-sdk-ends-'));
after(() => rmSync(folder, { recursive: true }));
const config = join(folder, 'callboard.conf');
writeFileSync(config, '[topic #]\nhistory-size = 1000\ndurability = disk\n\n'
  + '[topic "$user/#"]\nhistory-size = 10\n');

const key = await makeKey('HS256', 'a');
const secured = ['--token-jwks', writeJwks('sdk.json', [key]), '--token-skew', '0s'];

let stores = 0;
const freshStore = () => ['--config', config, '--store-dir', join(folder, `store-${++stores}`)];

const own = [];
afterEach(() => {
  for (const { child } of own.splice(0)) child.kill('SIGKILL');
});

/// Starts a server that ends with its test, on the port of `before` if given.
async function serve(words, before = { port: 0 }) {
  own.push(await startServer(words, { listen: `127.0.0.1:${before.port}` }));
  return own.at(-1);
}

const failure = (promise) => promise.then(() => assert.fail('no error'), (error) => error);

for (const codec of ['msgpack', 'json']) {
  const check = (name, body) => test(`${codec}: ${name}`, body);
  const open = ({ ws }, options) => connectSdk(ws, { codec, ...options });

  check('a token tells who it is, and what is allowed', async () => {
    const server = await usual(secured);
    const [ann, bob] = [await open(server, { token: await sign(key, 'ann') }),
      await open(server, { token: await sign(key, 'bob', { sub_topics: ['b/#'] }) })];
    assert.deepEqual([ann.welcome.user, bob.welcome.user], ['ann', 'bob']);
    const topic = freshTopic('b');
    const subscription = bob.subscribe(topic);
    await subscription.ready;
    await ann.publish(topic, 1);
    const [{ sender }] = await take(subscription, 1);
    assert.equal(sender, 'ann');
    const refused = bob.subscribe(freshTopic('a'));
    const told = next(refused, 'error');
    const error = await failure(refused.ready);
    assert.ok(error instanceof sdk.ServerError);
    assert.deepEqual([error.name, error.code], ['forbidden', 202]);
    assert.equal((await told).name, 'forbidden');
    assert.equal(refused.state, 'ended');
    assert.equal((await failure(bob.publish(topic, 1))).name, 'forbidden');
  });

  check('what is pushed to a user', async () => {
    const server = await usual(secured);
    const [ann, bob] = [await open(server, { token: await sign(key, 'ann') }),
      await open(server, { token: await sign(key, 'bob') })];
    const pushed = next(ann, 'push');
    await bob.push('ann', { news: 1 }, { id: freshTopic() });
    const { payload, topic, sender } = await pushed;
    assert.deepEqual([payload, topic, sender], [{ news: 1 }, '$user/ann', 'bob']);
  });

  check('a token that is refused ends it, and nothing tries again', async () => {
    const server = await usual(secured);
    const client = makeSdk(server.ws, { codec, token: 'none' });
    const waiting = failure(client.publish('a', 1));
    const error = await failure(client.connected());
    assert.ok(error instanceof sdk.ClosedError);
    assert.ok(await waiting instanceof sdk.ClosedError);
    assert.equal(client.state, 'disconnected');
    const last = client.states.at(-1);
    assert.deepEqual([last.state, last.closeCode, last.error.name, last.error.temporary],
      ['disconnected', 4500, 'closed', false]);
    assert.deepEqual(client.states.map(({ state }) => state), ['disconnected']);
  });

  check('getToken is asked again, three times at most', async () => {
    const server = await usual(secured);
    const backoff = { baseMs: 10, capMs: 10 };
    const reasons = [];
    const tokens = ['none', await sign(key, 'ann', {}, -60), await sign(key, 'ann')];
    const client = await open(server, {
      backoff, getToken: ({ reason }) => { reasons.push(reason); return tokens.shift(); },
    });
    assert.equal(client.welcome.user, 'ann');
    assert.deepEqual(reasons, ['connect', 'refused', 'refused']);
    let asked = 0;
    const other = makeSdk(server.ws, {
      codec, backoff, getToken: () => { asked += 1; return 'none'; },
    });
    assert.ok(await failure(other.connected()) instanceof sdk.ClosedError);
    assert.deepEqual([asked, other.state], [3, 'disconnected']);
  });

  check('a log-in is refreshed in time, on the same connection', async () => {
    const server = await usual([...secured, '--ping-interval', '1s']);
    const reasons = [];
    const client = await open(server, {
      getToken: async ({ reason }) => {
        reasons.push(reason);
        return sign(key, 'ann', {}, 3);
      },
    });
    const { connection, expires } = client.welcome;
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    await subscription.ready;
    const fresh = [await next(client, 'welcome'), await next(client, 'welcome')];
    assert.deepEqual(fresh.map((welcome) => welcome.connection), [connection, connection]);
    assert.ok(expires < fresh[0].expires && fresh[0].expires < fresh[1].expires);
    // The first log-in is over by now, and the subscription stands.
    await until(() => Date.now() > expires, 'the end of the first token');
    await client.publish(topic, 'still here');
    assert.equal((await take(subscription, 1))[0].payload, 'still here');
    assert.deepEqual(client.states.map(({ state }) => state), ['connected']);
    assert.deepEqual(reasons.slice(0, 3), ['connect', 'refresh', 'refresh']);
  });

  check('a log-in that runs out ends it where nobody has another token', async () => {
    const server = await usual([...secured, '--ping-interval', '1s']);
    const client = await open(server, { token: await sign(key, 'ann', {}, 1.5) });
    await until(() => client.state === 'disconnected', 'the end');
    const { closeCode, reason } = client.states.at(-1);
    assert.equal(closeCode, 4500);
    assert.match(reason, /token_expired/);
  });

  check('a node that ends sends its clients away, and they come back to the next', async () => {
    const words = freshStore();
    const first = await serve(words);
    const client = await open(first, { backoff: { baseMs: 200, capMs: 400 }, random: () => 0.5 });
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    const got = [];
    subscription.on('event', ({ payload }) => got.push(payload));
    await subscription.ready;
    await client.publish(topic, 1);
    const goaway = next(client, 'goaway');
    const retry = until(() => client.state === 'retry_pending', 'the end');
    await first.stop();
    const { reconnect, afterMs, spreadMs } = await goaway;
    assert.equal(reconnect, 'backoff');
    assert.ok(spreadMs > 0);
    await retry;
    const { closeCode, retryInMs } = client.states.find(({ state }) => state === 'retry_pending');
    assert.equal(closeCode, 4004);
    assert.equal(retryInMs, afterMs + spreadMs / 2 + 100); // W3
    const waiting = client.publish(topic, 2);
    const again = next(subscription, 'subscribed');
    const second = await serve(words, first);
    assert.equal(second.port, first.port);
    await waiting;
    assert.deepEqual([(await again).again, (await again).recovered], [true, true]);
    await until(() => got.length === 2, 'both events');
    assert.deepEqual(got, [1, 2]);
  });

  check('behind a goaway nothing new is begun: it waits for the next node', async () => {
    const words = freshStore();
    const first = await serve(words);
    const backoff = { baseMs: 100, capMs: 200 };
    const [asker, answerer] = [await open(first, { backoff }), await open(first, { backoff })];
    let finish;
    await answerer.respond('slow', () => new Promise((resolve) => { finish = resolve; })).ready;
    const asked = asker.request('slow', 1);
    await until(() => finish, 'the request');
    const goaways = [asker, answerer].map((client) => next(client, 'goaway'));
    const stopped = first.stop();
    await Promise.all(goaways);
    // The node waits for the answer; what is asked for now, it would refuse.
    const published = asker.publish('a', 'new', { id: 'n' });
    const subscription = asker.subscribe('b');
    finish('done');
    assert.equal(await asked, 'done');
    await stopped;
    await serve(words, first);
    assert.equal(Number((await within(published, 'the answer')).offset), 1);
    await within(subscription.ready, 'the subscription');
    assert.deepEqual(asker.problems, []);
  });

  check('a node that is killed: what was answered is there, what was not is sent again', async () => {
    const words = [...freshStore(), ...secured];
    const first = await serve(words);
    const token = await sign(key, 'ann');
    const backoff = { baseMs: 100, capMs: 400 };
    const [client, other] = [await open(first, { token, backoff }),
      await open(first, { token: await sign(key, 'bob'), backoff })];
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    const gaps = [];
    subscription.on('gap', (gap) => gaps.push(gap));
    const got = [];
    subscription.on('event', ({ payload }) => got.push(payload));
    await subscription.ready;
    await other.respond('never', () => new Promise(() => {})).ready;
    await client.publish(topic, 'before', { id: 'b' });
    const request = failure(client.request('never', 1));
    await client.ping();
    first.child.kill('SIGKILL');
    const during = client.publish(topic, 'during', { id: 'd' });
    const lost = await request;
    assert.ok(lost instanceof sdk.ConnectionLostError);
    assert.equal(lost.temporary, true);
    await first.exited;
    await serve(words, first);
    const { offset } = await within(during, 'the answer');
    assert.equal(Number(offset), 2);
    assert.deepEqual(await client.publish(topic, 'again', { id: 'b' }).then((x) => Number(x.offset)), 1);
    await until(() => got.length === 2, 'both events');
    assert.deepEqual([got, gaps], [['before', 'during'], []]);
    assert.ok(client.states.some(({ state, closeCode }) =>
      state === 'retry_pending' && closeCode === 1006));
  });

  check('a topic that starts over tells a gap', async () => {
    const first = await serve([]);
    const client = await open(first, { backoff: { baseMs: 50, capMs: 200 } });
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    await subscription.ready;
    await client.publish(topic, 1);
    const gap = next(subscription, 'gap');
    first.child.kill('SIGKILL');
    await first.exited;
    await serve([], first);
    const { position } = await gap;
    assert.equal(Number(position.offset), 0);
    assert.deepEqual(subscription.position, position);
  });
}
