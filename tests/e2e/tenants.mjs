// Tenants that share a node with `--tenant-isolation`: nothing of one reaches
// another's clients, and no client sees a full name.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { findAdmin, ok, refused as refuses } from './support/admin.mjs';
import { expectError, json } from './support/client.mjs';
import { metric } from './support/group_load.mjs';
import { run, startServer, within } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

const { connect, server, usual } = serveAll();
const key = await makeKey('ES256', 'a');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-tenants-'));
after(() => fs.rmSync(folder, { recursive: true }));
const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, `
presence-interval = 50ms
group-attempts-max = 1
tenant-isolation = true

[topic kept/#]
durability = disk
history-size = 100

[topic last/#]
durability = disk
retain = true

[topic room/#]
presence = true

[topic small/#]
payload-bytes-max = 8B

[topic "$user/#"]
history-size = 10

[topic "$dead/#"]
durability = disk
history-size = 100
`);

const words = (store) => ['--config', config, '--loops', '2', '--store-dir',
  path.join(folder, store), '--token-jwks', writeJwks('jwks.json', [key])];
const shared = words('shared');

/// What clients were sent of full names.
const leaks = [];
afterEach(() => assert.deepEqual(leaks.splice(0), []));

/// Connects as a user of a tenant.
async function enter(node, user, tenant, { protocol, ...claims } = {}) {
  const token = await sign(key, user, { tenant, ...claims });
  const client = await connect(node, { protocol, ...bearer(token) });
  client.socket.on('message', (data) => {
    if (Buffer.from(data).includes('tenant/')) leaks.push(String(data));
  });
  assert.equal(client.welcome.payload.user, user);
  return client;
}

/// Connects the same user to two tenants, and without one.
const enterAll = (node, user, options) => Promise.all(['acme', 'other', undefined]
  .map((tenant) => enter(node, user, tenant, options)));

/// Fails unless nothing but its own frames has come to a client.
async function hasNothing(...clients) {
  for (const client of clients) {
    const frames = await client.settle();
    assert.deepEqual(frames.map(({ type, subject }) => [type, subject]), []);
  }
}

const offsets = (events) => events.map(({ meta }) => Number(meta.offset));

for (const protocol of [undefined, json]) {
  test(`topics and patterns are the tenant's (${protocol ?? 'msgpack'})`, async () => {
    const node = await usual(shared);
    const name = `news/${protocol ?? 'msgpack'}`;
    const [ann, eve, cid] = await enterAll(node, 'ann', { protocol });
    for (const client of [ann, eve, cid]) {
      for (const subject of [name, '#', 'news/+']) await client.ok('subscribe', subject);
    }
    const bob = await enter(node, 'bob', 'acme');
    assert.equal(Number((await bob.ok('publish', name, 'hi')).offset), 1);
    const events = await ann.events(3);
    assert.deepEqual(events.map(({ meta }) => meta.pattern).sort(), ['#', 'news/+', undefined]);
    for (const { subject, payload, meta } of events) {
      assert.deepEqual([subject, payload, meta.sender], [name, 'hi', 'bob']);
    }
    await hasNothing(eve, cid);
    for (const client of [eve, cid]) {
      assert.equal(Number((await client.ok('publish', name, 'ho')).offset), 1);
      assert.deepEqual(offsets(await client.events(3)), [1, 1, 1]);
    }
    await hasNothing(ann);
  });
}

test('full names are out of reach', async () => {
  const node = await usual(shared);
  for (const client of await enterAll(node, 'ann')) {
    for (const subject of ['$tenant/acme/kept/a', '$$tenant/acme/$user/ann',
      '$dead/$tenant/acme/a', '$tenant/other/kept/a']) {
      await client.fails(103, 'bad_subject', 'subscribe', subject);
      await client.fails(103, 'bad_subject', 'publish', subject);
      await client.fails(103, 'bad_subject', 'request', 'callboard.history', { topic: subject });
    }
    for (const pattern of ['$tenant/#', '$tenant/+/#', '$user/#', '$dead/$tenant/#']) {
      await client.fails(103, 'bad_subject', 'subscribe', pattern);
    }
  }
});

test('rights and rules are written once for all', async () => {
  const node = await usual(shared);
  const rights = { sub_topics: ['in/#'], pub_topics: ['small/#'], actions: [], register_actions: [] };
  for (const client of await enterAll(node, 'ann', rights)) {
    await client.ok('subscribe', 'in/+');
    await client.fails(202, 'forbidden', 'subscribe', '#');
    await client.fails(202, 'forbidden', 'publish', 'in/1', 1);
    await client.ok('publish', 'small/1', '1234567');
    await client.fails(102, 'frame_too_large', 'publish', 'small/1', '12345678');
  }
});

test('users of one name are two', async () => {
  const node = await usual(shared);
  const [one, two, three] = await enterAll(node, 'zed');
  const ann = await enter(node, 'ann', 'acme');
  const topic = '$user/zed';
  await ann.ok('request', 'callboard.push', { user: 'zed', payload: 'hi' });
  const event = await one.take('event');
  assert.deepEqual([event.subject, event.payload, event.meta.sender], [topic, 'hi', 'ann']);
  await hasNothing(two, three);
  const heads = await Promise.all([one, two, three].map((client) =>
    client.ok('request', 'callboard.position', { topic })));
  assert.deepEqual(heads.map(({ offset }) => Number(offset)), [1, 0, 0]);
  await ann.fails(103, 'bad_subject', 'subscribe', topic);
  // The absent get it later, in their own tenant.
  await ann.ok('request', 'callboard.push', { user: 'late', payload: 'wait' });
  const [late, other] = await enterAll(node, 'late');
  const read = (client) => client.ok('request', 'callboard.history', { topic: '$user/late' });
  assert.deepEqual((await read(late)).events.map(({ payload }) => payload), ['wait']);
  assert.deepEqual((await read(other)).events, []);
});

test('who is there is there for the own tenant', async () => {
  const node = await usual(shared);
  const [ann, eve] = await enterAll(node, 'ann');
  await ann.ok('subscribe', 'room/1', null, { presence: true });
  assert.deepEqual((await ann.take('presence')).payload,
    [{ event: 'join', user: 'ann', connection: ann.id }]);
  await eve.ok('subscribe', 'room/1');
  const bob = await enter(node, 'bob', 'acme');
  await bob.ok('subscribe', 'room/1');
  const { subject, payload } = await ann.take('presence');
  assert.equal(subject, 'room/1');
  assert.deepEqual(payload, [{ event: 'join', user: 'bob', connection: bob.id }]);
  assert.deepEqual(await eve.ok('request', 'callboard.presence', { topic: 'room/1' }),
    { members: [{ user: 'ann', connections: [eve.id] }] });
  const count = await bob.ok('request', 'callboard.presence_count', { topic: 'room/1' });
  assert.deepEqual([count.members, count.connections].map(Number), [2, 2]);
});

test('groups and their dead letters stay with the tenant', async () => {
  const node = await usual(shared);
  const [ann, eve, cid] = await enterAll(node, 'ann');
  const [reader, other, nobody] = await enterAll(node, 'reader', { protocol: json });
  for (const client of [ann, eve, cid]) {
    await client.ok('subscribe', 'kept/jobs', null, { group: 'g', ack: true });
  }
  for (const client of [reader, other, nobody]) await client.ok('subscribe', '$dead/#');
  await reader.ok('publish', 'kept/jobs', 'one');
  await reader.ok('publish', 'kept/jobs', 'two');
  const [first, second] = await ann.events(2);
  assert.deepEqual([first.subject, first.payload, first.meta.group], ['kept/jobs', 'one', 'g']);
  ann.send('ack', '', null, undefined, first.seqId);
  ann.send('error', 'busy', 'not now', { code: 1001 }, second.seqId);
  const dead = await reader.take('event');
  assert.deepEqual([dead.subject, dead.payload, dead.meta.origin, dead.meta.pattern],
    ['$dead/kept/jobs', 'two', 'g', '$dead/#']);
  await hasNothing(eve, cid, other, nobody);
  const kept = (client) => client.ok('request', 'callboard.history', { topic: '$dead/kept/jobs' });
  assert.deepEqual((await kept(ann)).events.map(({ payload }) => payload), ['two']);
  assert.deepEqual((await kept(eve)).events, []);
  assert.deepEqual((await kept(cid)).events, []);
});

test('clients answer their own tenant', async () => {
  const node = await usual(shared);
  const [ann, eve, cid] = await enterAll(node, 'ann');
  const bob = await enter(node, 'bob', 'acme');
  await bob.ok('register', 'sum');
  for (const client of [eve, cid]) {
    await client.fails(300, 'no_responder', 'request', 'sum', [1, 2]);
  }
  const asked = ann.ok('request', 'sum', [1, 2]);
  const request = await bob.take('request');
  assert.deepEqual([request.subject, request.payload, request.meta.sender], ['sum', [1, 2], 'ann']);
  bob.send('response', '', 3, undefined, request.seqId);
  assert.equal(await asked, 3);
});

test('operators say whose user and topic they mean', async () => {
  const node = await server([...words('operators'), '--admin', '127.0.0.1:0']);
  await findAdmin(node);
  const [ann, eve, cid] = await enterAll(node, 'ann');
  const push = (tenant, payload) =>
    ok(node, 'POST', '/api/push', { body: { user: 'ann', tenant, payload } });
  await push('acme', 'one');
  assert.equal((await ann.take('event')).payload, 'one');
  await hasNothing(eve, cid);
  await push(undefined, 'two');
  assert.equal((await cid.take('event')).payload, 'two');
  await hasNothing(ann, eve);

  for (const client of [ann, eve, cid]) await client.ok('subscribe', 'news');
  const body = { topic: 'news', tenant: 'other', payload: 'three' };
  await ok(node, 'POST', '/api/publish', { body });
  assert.equal((await eve.take('event')).payload, 'three');
  await hasNothing(ann, cid);
  const { topics } = await ok(node, 'GET', '/api/topics?tenant=other');
  assert.deepEqual(topics.map(({ topic }) => topic), ['$tenant/other/news']);

  const list = async (query) => (await ok(node, 'GET', `/api/connections?user=ann${query}`))
    .connections.map(({ name, tenant }) => [name, tenant]);
  assert.deepEqual(await list('&tenant=acme'), [[ann.id, 'acme']]);
  assert.deepEqual(await list(''), [[cid.id, '']]);
  assert.deepEqual(await ok(node, 'POST', '/api/users/ann/close?tenant=acme'), { closed: 1 });
  assert.equal((await within(ann.closed, 'the close')).code, 4503);
  await hasNothing(eve, cid);
  for (const tenant of ['a/b', '$x']) {
    await refuses(node, 400, 'bad_payload', 'POST', '/api/push',
      { body: { user: 'ann', tenant, payload: 1 } });
  }
});

test('names that do not fit are refused at the log-in', async () => {
  const node = await usual(shared);
  const before = await refused(node);
  const logIns = [['ann', 'a/b'], ['ann', '+'], ['ann', '$x'], ['$tenant/acme/ann', undefined]];
  for (const [user, tenant] of logIns) {
    const token = await sign(key, user, { tenant });
    const client = await connect(node, { ...bearer(token), welcomed: false });
    expectError(await client.take('error'), 202, 'forbidden');
    assert.deepEqual(await client.closed, { code: 4501, reason: 'tenant_name' });
  }
  await enter(node, 'ann', 't'.repeat(255));
  assert.equal(await refused(node) - before, logIns.length);
});

/// Returns how many log-ins were refused for their names.
async function refused(node) {
  const text = await (await fetch(`${node.http}/metrics`)).text();
  const lines = text.split('\n').filter((line) =>
    line.startsWith('callboard_refusals_total{') && line.includes('limit="tenant_name"'));
  assert.equal(lines.length, 2, 'one a loop');
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

test('what is on the disk is the tenant\'s after a restart', async () => {
  const args = words('restarted');
  const first = await startServer(args);
  const all = await enterAll(first, 'ann');
  const heads = [];
  for (const [i, client] of all.entries()) {
    for (let n = 0; n < 3 - i; ++n) heads[i] = await client.ok('publish', 'kept/a', `${i} ${n}`);
    await client.ok('publish', 'last/a', `last ${i}`);
  }
  const [one] = all;
  const place = await one.ok('subscribe', 'kept/jobs', null, { group: 'g', ack: true });
  await one.ok('publish', 'kept/jobs', 'work');
  assert.equal((await one.take('event')).payload, 'work');
  assert.equal((await first.stop('SIGKILL')).signal, 'SIGKILL');

  const second = await startServer(args);
  const again = await enterAll(second, 'ann');
  for (const [i, client] of again.entries()) {
    const { epoch, offset } = heads[i];
    assert.equal(Number(offset), 3 - i);
    const meta = { since: [epoch, 0] };
    const { recovered } = await client.ok('subscribe', 'kept/a', null, meta);
    assert.equal(recovered, true);
    assert.deepEqual((await client.events(3 - i)).map(({ payload }) => payload),
      Array.from({ length: 3 - i }, (_, n) => `${i} ${n}`));
    await client.ok('subscribe', 'last/a');
    assert.equal((await client.take('event')).payload, `last ${i}`);
    await hasNothing(client);
  }
  // The epochs are each topic's own.
  assert.equal(new Set(heads.map(({ epoch }) => epoch)).size, 3);
  const { epoch } = await again[0].ok('subscribe', 'kept/jobs', null, { group: 'g', ack: true });
  assert.equal(epoch, place.epoch);
  assert.equal((await again[0].take('event')).payload, 'work');
  assert.equal(await metric(second, 'callboard_group_members'), 1);
  assert.equal((await second.stop()).code, 0);

  const exported = async (pattern) => {
    const { code, stdout } = await run(['store', 'export', '--topic', pattern,
      '--store-dir', path.join(folder, 'restarted')]);
    assert.equal(code, 0);
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).topic);
  };
  assert.deepEqual(await exported('$tenant/acme/kept/a'), Array(3).fill('$tenant/acme/kept/a'));
  assert.deepEqual(await exported('kept/a'), ['kept/a']);
  assert.deepEqual(await exported('$tenant/other/kept/#'), Array(2).fill('$tenant/other/kept/a'));
  // Full names are longer than visible ones may be.
  assert.deepEqual(await exported(`$tenant/${'t'.repeat(255)}/kept/#`), []);
});

test('without the option tenants share their topics', async () => {
  const node = await usual(['--token-jwks', writeJwks('jwks.json', [key])]);
  const [ann, eve] = await enterAll(node, 'ann');
  await ann.ok('subscribe', 'news');
  await eve.ok('publish', 'news', 'hi');
  assert.equal((await ann.take('event')).payload, 'hi');
});
