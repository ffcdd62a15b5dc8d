// Everything that the TypeScript SDK can do, against a real server, in both
// codecs. What becomes of it when connections end: sdk_ends.mjs.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connectSdk, makeSdk, next, sdk, take } from './support/sdk.mjs';
import { until, within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-sdk-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
presence-interval = 50ms
presence-linger = 0s

[topic kept/#]
history-size = 100

[topic last/#]
retain = true

[topic room/#]
presence = true
`);
after(() => rmSync(folder, { recursive: true }));

const shared = suite(['--loops', '2', '--config', config]);
const payloads = (events) => events.map(({ payload }) => payload);

for (const codec of ['msgpack', 'json']) {
  const open = (options) => connectSdk(shared.server.ws, { codec, ...options });
  const check = (name, body) => test(`${codec}: ${name}`, body);

  check('the welcome, a round trip and the states', async () => {
    const client = await open();
    assert.equal(client.state, 'connected');
    assert.ok(client.welcome.connection.length > 0);
    assert.ok(client.welcome.frameBytesMax > 0 && client.welcome.inflightMax > 0);
    assert.equal(client.welcome.user, undefined);
    assert.ok(await client.ping() >= 0);
    client.close();
    assert.deepEqual(client.states.map(({ state }) => state), ['connected', 'disconnected']);
    assert.equal(client.welcome, null);
  });

  check('a subscription is iterated, and ends with the loop', async () => {
    const [reader, writer] = [await open(), await open()];
    const topic = freshTopic();
    const subscription = reader.subscribe(topic);
    const { position, recovered, again } = await subscription.ready;
    assert.deepEqual([Number(position.offset), recovered, again], [0, false, false]);
    const answers = [];
    for (let i = 1; i <= 3; ++i) answers.push(await writer.publish(topic, { i }));
    assert.deepEqual(answers.map(({ offset }) => Number(offset)), [1, 2, 3]);
    const got = [];
    for await (const event of subscription) {
      got.push(event);
      if (got.length === 3) break;
    }
    assert.deepEqual(payloads(got), [{ i: 1 }, { i: 2 }, { i: 3 }]);
    const [first] = got;
    assert.deepEqual([first.topic, first.sender, first.epoch, Number(first.offset)],
      [topic, writer.welcome.connection, answers[0].epoch, 1]);
    assert.equal(first.retained, false);
    assert.ok(Math.abs(first.timestamp - Date.now()) < 60000);
    assert.equal(subscription.state, 'ended');
    // Nobody is subscribed any more, so the topic is the client's anew.
    await reader.subscribe(topic).ready;
  });

  check('a subscription has listeners', async () => {
    const client = await open();
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    await subscription.ready;
    const got = [];
    const off = subscription.on('event', ({ payload }) => got.push(payload));
    await client.publish(topic, 1);
    await client.publish(topic, 2);
    await until(() => got.length === 2, 'two events');
    off();
    await client.publish(topic, 3);
    await client.ping();
    assert.deepEqual(got, [1, 2]);
    await subscription.unsubscribe();
    assert.throws(() => [client.subscribe(topic), client.subscribe(topic)], sdk.CallboardError);
  });

  check('a pattern tells which topic, and has no position', async () => {
    const client = await open();
    const prefix = freshTopic();
    const subscription = client.subscribe(`${prefix}/#`);
    assert.equal((await subscription.ready).position, null);
    await client.publish(`${prefix}/a/b`, 'x');
    const [event] = await take(subscription, 1);
    assert.deepEqual([event.topic, event.pattern, event.payload],
      [`${prefix}/a/b`, `${prefix}/#`, 'x']);
  });

  check('payloads arrive as they were sent', async () => {
    const [client, other] = [await open(),
      await connectSdk(shared.server.ws, { codec: codec === 'json' ? 'msgpack' : 'json' })];
    const topic = freshTopic();
    const subscriptions = [client.subscribe(topic), other.subscribe(topic)];
    await Promise.all(subscriptions.map(({ ready }) => ready));
    const values = [null, true, 0, -1, 1.5, 'grüß 🎭', [1, [2, []]], { a: { b: null } },
      Uint8Array.of(0, 1, 255), 2 ** 53 - 1];
    for (const value of values) await client.publish(topic, value);
    for (const one of subscriptions) {
      const got = payloads(await take(one, values.length));
      assert.deepEqual(got.map((x) => (x instanceof Uint8Array ? [...x] : x)),
        values.map((x) => (x instanceof Uint8Array ? [...x] : x)));
    }
  });

  check('publishing: id, noEcho, and without an answer', async () => {
    const [client, other] = [await open(), await open()];
    const topic = freshTopic();
    const [mine, theirs] = [client.subscribe(topic), other.subscribe(topic)];
    await Promise.all([mine.ready, theirs.ready]);
    const first = await client.publish(topic, 'once', { id: 'a' });
    assert.deepEqual(await client.publish(topic, 'twice', { id: 'a' }), first);
    assert.equal(Number((await client.publish(topic, 'own id', { id: true })).offset), 2);
    await client.publish(topic, 'not to me', { noEcho: true });
    assert.equal(await client.publish(topic, 'no answer', { ack: false }), null);
    assert.deepEqual(payloads(await take(theirs, 4)),
      ['once', 'own id', 'not to me', 'no answer']);
    assert.deepEqual(payloads(await take(mine, 3)), ['once', 'own id', 'no answer']);
  });

  check('what is wrong with a publication is told', async () => {
    const client = await open();
    const bad = await client.publish('a//b', 1).then(() => null, (error) => error);
    assert.ok(bad instanceof sdk.ServerError);
    assert.deepEqual([bad.name, bad.code, bad.temporary], ['bad_subject', 103, false]);
    const large = 'x'.repeat(client.welcome.frameBytesMax);
    await assert.rejects(client.publish(freshTopic(), large), sdk.TooLargeError);
    assert.equal(client.state, 'connected');
  });

  check('a request is answered, refused, failed, or answered by nobody', async () => {
    const [asker, answerer] = [await open(), await open()];
    const action = freshTopic('act');
    const seen = [];
    const responder = answerer.respond(action, async (payload, context) => {
      seen.push(context);
      if (payload === 'refuse') {
        throw new sdk.ResponderError('sold_out', 'No more.',
          { code: 1234, temporary: true, retryAfterMs: 50 });
      }
      if (payload === 'fail') throw new Error('a secret');
      return { got: payload };
    });
    await responder.ready;
    assert.deepEqual(await asker.request(action, [1, 2], { timeout: 5000 }), { got: [1, 2] });
    assert.deepEqual([seen[0].action, seen[0].sender, seen[0].timeoutMs, seen[0].notify],
      [action, asker.welcome.connection, 5000, false]);
    const refused = await asker.request(action, 'refuse').catch((error) => error);
    assert.ok(refused instanceof sdk.ResponderError);
    assert.deepEqual([refused.name, refused.code, refused.message, refused.temporary,
      refused.retryAfterMs], ['sold_out', 1234, 'No more.', true, 50]);
    const failed = await asker.request(action, 'fail').catch((error) => error);
    assert.equal(failed.code, 1000);
    assert.doesNotMatch(`${failed.name} ${failed.message}`, /secret/);
    await responder.stop();
    const nobody = await asker.request(action, 1).catch((error) => error);
    assert.ok(nobody instanceof sdk.ServerError);
    assert.deepEqual([nobody.name, nobody.code, nobody.temporary], ['no_responder', 300, true]);
  });

  check('a request that takes too long, and one that is given up', async () => {
    const [asker, answerer] = [await open(), await open()];
    const action = freshTopic('act');
    const signals = [];
    const responder = answerer.respond(action, (payload, { signal }) => {
      signals.push(signal);
      return new Promise((resolve) => { signal.addEventListener('abort', resolve); });
    });
    await responder.ready;
    const late = await asker.request(action, 1, { timeout: 50 }).catch((error) => error);
    assert.ok(late instanceof sdk.TimeoutError);
    assert.deepEqual([late.name, late.code, late.temporary], ['timeout', 301, true]);
    await until(() => signals[0].aborted, 'the responder to hear of it');
    const controller = new AbortController();
    const given = asker.request(action, 2, { signal: controller.signal });
    await until(() => signals.length === 2, 'the request');
    controller.abort(new Error('changed my mind'));
    const up = await given.catch((error) => error);
    assert.ok(up instanceof sdk.AbortedError);
    assert.equal(up.cause.message, 'changed my mind');
    await until(() => signals[1].aborted, 'the responder to hear of it');
    await assert.rejects(asker.request(action, 3, { signal: controller.signal }),
      sdk.AbortedError);
    assert.equal(signals.length, 2);
  });

  check('a notification', async () => {
    const [asker, answerer] = [await open(), await open()];
    const action = freshTopic('act');
    let heard;
    const said = new Promise((resolve) => { heard = resolve; });
    await answerer.respond(action, (...words) => heard(words)).ready;
    await asker.notify(action, { level: 'info' });
    const [payload, { notify, sender }] = await within(said, 'the notification');
    assert.deepEqual([payload, notify, sender],
      [{ level: 'info' }, true, asker.welcome.connection]);
  });

  check('history, positions, and a subscription since one', async () => {
    const client = await open();
    const topic = freshTopic('kept');
    const positions = [];
    for (let i = 1; i <= 5; ++i) positions.push(await client.publish(topic, i));
    const page = await client.history(topic, { limit: 2 });
    assert.deepEqual([payloads(page.events), page.more], [[1, 2], true]);
    const last = await client.history(topic, { reverse: true, limit: 1 });
    assert.deepEqual(payloads(last.events), [5]);
    const middle = await client.history(topic, { since: positions[1], before: 5 });
    assert.deepEqual(payloads(middle.events), [3, 4]);
    const { epoch, offset } = await client.position(topic);
    assert.deepEqual([epoch, Number(offset)], [positions[4].epoch, 5]);
    const subscription = client.subscribe(topic, { since: positions[2] });
    assert.equal((await subscription.ready).recovered, true);
    await client.publish(topic, 6);
    assert.deepEqual(payloads(await take(subscription, 3)), [4, 5, 6]);
    assert.equal(Number(subscription.position.offset), 6);
  });

  check('the last value', async () => {
    const client = await open();
    const topic = freshTopic('last');
    await client.publish(topic, 'old');
    await client.publish(topic, 'new');
    const subscription = client.subscribe(topic);
    const [event] = await take(subscription, 1);
    assert.deepEqual([event.payload, event.retained], ['new', true]);
    const pattern = client.subscribe(`${topic.split('/')[0]}/+`);
    assert.equal((await pattern.ready).retained, true);
  });

  check('who is there', async () => {
    const [watcher, guest] = [await open(), await open()];
    const topic = freshTopic('room');
    const subscription = watcher.subscribe(topic, { presence: true });
    const steps = [];
    subscription.on('presence', (some) => steps.push(...some));
    await subscription.ready;
    await guest.subscribe(topic).ready;
    const joined = (one) => steps.some(({ event, connection }) =>
      event === 'join' && connection === one.welcome.connection);
    await until(() => joined(watcher) && joined(guest), 'both to come');
    assert.deepEqual(await watcher.presenceCount(topic), { members: 2, connections: 2 });
    const { members, next: more } = await watcher.presence(topic, { limit: 1 });
    assert.equal(members.length, 1);
    const rest = await watcher.presence(topic, { after: more });
    const left = guest.welcome.connection;
    assert.deepEqual([...members, ...rest.members].flatMap(({ connections }) => connections).sort(),
      [watcher.welcome.connection, left].sort());
    guest.close();
    await until(() => steps.some(({ event, connection }) =>
      event === 'leave' && connection === left), 'one to go');
  });

  check('a group shares events, and gives on what is not taken', async () => {
    const [one, two] = [await open(), await open()];
    const topic = freshTopic();
    const members = [one, two].map((client) => client.subscribe(topic, { group: 'g', ack: true }));
    const got = members.map(() => []);
    members.forEach((member, i) => {
      member.on('event', (event) => {
        got[i].push(event);
        if (event.payload === 'no' && event.attempt === undefined) event.reject('not me');
        else event.ack();
      });
    });
    await Promise.all(members.map(({ ready }) => ready));
    for (let i = 0; i < 10; ++i) await one.publish(topic, i);
    await until(() => got.flat().length === 10, 'ten events');
    assert.deepEqual(payloads(got.flat()).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(got.every((some) => some.length > 0));
    await one.publish(topic, 'no');
    await until(() => got.flat().length === 12, 'both tries');
    const tries = got.map((some) => some.filter(({ payload }) => payload === 'no'));
    assert.deepEqual(tries.map((some) => some.length), [1, 1]);
    assert.deepEqual(tries.flat().map(({ attempt }) => attempt ?? 1).sort(), [1, 2]);
  });

  check('what is asked for before there is a connection waits for it', async () => {
    const client = makeSdk(shared.server.ws, { codec, autoConnect: false });
    assert.equal(client.state, 'disconnected');
    const topic = freshTopic();
    const subscription = client.subscribe(topic);
    const published = client.publish(topic, 'early');
    client.connect();
    assert.equal(Number((await within(published, 'the answer')).offset), 1);
    assert.deepEqual(payloads(await take(subscription, 1)), ['early']);
  });

  check('more than may be in flight is answered all the same', async () => {
    const client = await open();
    const count = client.welcome.inflightMax + 50;
    const answers = await within(Promise.all(Array.from({ length: count }, (_, i) =>
      client.request('callboard.echo', i))), 'all answers');
    assert.deepEqual(answers, Array.from({ length: count }, (_, i) => i));
  });

  check('close() fails what is in flight, and ends subscriptions', async () => {
    const [asker, answerer] = [await open(), await open()];
    const action = freshTopic('act');
    let asked;
    const there = new Promise((resolve) => { asked = resolve; });
    await answerer.respond(action, () => {
      asked();
      return new Promise(() => {});
    }).ready;
    const subscription = asker.subscribe(freshTopic());
    await subscription.ready;
    const request = asker.request(action, 1);
    await within(there, 'the request');
    const ended = next(subscription, 'end');
    asker.close();
    await assert.rejects(request, sdk.ClosedError);
    await ended;
    assert.equal(subscription.state, 'ended');
    await assert.rejects(asker.publish('a', 1), sdk.ClosedError);
    await assert.rejects(asker.connected(), sdk.ClosedError);
  });
}
