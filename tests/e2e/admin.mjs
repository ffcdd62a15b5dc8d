// The admin listener: what operators ask a node, and who may.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ask, findAdmin, metric, ok, pages, refused } from './support/admin.mjs';
import { exchange, parseResponse, request as text } from './support/raw_http.mjs';
import { run, start, until, within } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';

const { connect, server } = serveAll();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-admin-'));
after(() => fs.rmSync(folder, { recursive: true }));

const key = 'a-key-of-some-length';
let files = 0;

function file(content) {
  const name = path.join(folder, `${++files}`);
  fs.writeFileSync(name, content);
  return name;
}

/// Starts a server with an admin listener.
async function serve(words = [], where = '127.0.0.1:0') {
  const node = await server([...(where ? ['--admin', where] : []), ...words]);
  await findAdmin(node);
  return node;
}

// -- what a node says ---------------------------------------------------------

test('a node tells of itself', async () => {
  const node = await serve(['--loops', '2', '--node-name', 'n1']);
  const one = await connect(node);
  await one.ok('subscribe', 'a');
  await one.ok('publish', 'a', 'x');
  await one.take('event');
  await until(async () => (await ok(node, 'GET', '/api/node')).subscriptions === 1, 'the gauges');
  const facts = await ok(node, 'GET', '/api/node');
  assert.equal(facts.name, 'n1');
  assert.match(facts.version, /^\d+\.\d+\.\d+$/);
  assert.equal(facts.loops, 2);
  assert.equal(facts.connections, 1);
  assert.equal(facts.publishes, 1);
  assert.equal(facts.deliveries, 1);
  assert.equal(facts.store, 'none');
  assert.equal(facts.draining, false);
  assert.equal(facts.joining, false);
  assert.deepEqual([facts.copiedTopics, facts.copiedTopicsAlone], [0, 0]);
  for (const name of ['uptimeMs', 'residentBytes', 'framesIn', 'framesOut', 'bytesIn', 'bytesOut']) {
    assert.ok(facts[name] > 0, name);
  }
});

test('probes and metrics are there too, and nothing for clients', async () => {
  const node = await serve(['--no-metrics', '--echo', '/echo']);
  assert.deepEqual(await ok(node, 'GET', '/health'), { status: 'ok' });
  assert.deepEqual(await ok(node, 'GET', '/ready'), { status: 'ok' });
  assert.match(await ok(node, 'GET', '/metrics'), /callboard_connections/);
  assert.equal((await fetch(`${node.http}/metrics`)).status, 404);
  for (const target of ['/', '/ws', '/echo', '/api', '/api/', '/api/nothing']) {
    await refused(node, 404, 'not_found', 'GET', target);
  }
});

test('clients have no /api', async () => {
  const node = await serve();
  for (const target of ['/api', '/api/node', '/api/connections']) {
    assert.equal((await fetch(node.http + target)).status, 404);
  }
  const { status } = await fetch(`${node.http}/api/publish`, {
    method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(status, 404);
});

// -- lists --------------------------------------------------------------------

test('250 connections come by pages', async () => {
  const node = await serve(['--loops', '2']);
  const all = [];
  for (let i = 0; i < 250; ++i) all.push(await connect(node));
  const three = await pages(node, '/api/connections?', 'connections', 100);
  assert.deepEqual(three.map((page) => page.length), [100, 100, 50]);
  const ids = three.flat().map((one) => one.id);
  assert.deepEqual(ids, [...ids].sort((x, y) => x - y));
  assert.deepEqual(new Set(three.flat().map((one) => one.name)), new Set(all.map((one) => one.id)));
  assert.deepEqual(new Set(three.flat().map((one) => one.loop)), new Set([0, 1]));
  const [whole] = await pages(node, '/api/connections?', 'connections', 250);
  assert.equal(whole.length, 250);
  const one = whole[0];
  assert.equal(one.state, 'connected');
  assert.equal(one.address, '127.0.0.1');
  assert.ok(Math.abs(Date.now() - one.sinceMs) < 120000);
  assert.ok(one.idleMs >= 0);
  // Without a limit there are 100.
  assert.equal((await ok(node, 'GET', '/api/connections')).connections.length, 100);
  await ok(node, 'GET', '/api/connections?limit=1000');
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'after=x']) {
    await refused(node, 400, 'bad_payload', 'GET', `/api/connections?${query}`);
  }
});

test('topics come by pages, with their subscribers', async () => {
  const node = await serve(['--loops', '2']);
  const one = await connect(node);
  const two = await connect(node);
  for (let i = 10; i < 35; ++i) await one.ok('publish', `room/${i}`, i);
  for (const client of [one, two]) await client.ok('subscribe', 'room/12');
  await one.ok('publish', 'other', 1);
  const three = await pages(node, '/api/topics?', 'topics', 10);
  assert.deepEqual(three.map((page) => page.length), [10, 10, 6]);
  const names = three.flat().map((topic) => topic.topic);
  assert.deepEqual(names, ['other', ...Array.from({ length: 25 }, (_, i) => `room/${i + 10}`)]);
  const found = three.flat().find((topic) => topic.topic === 'room/12');
  assert.deepEqual([found.subscribers, found.offset], [2, 1]);
  const chosen = await ok(node, 'GET', `/api/topics?pattern=${encodeURIComponent('room/+')}&limit=1000`);
  assert.equal(chosen.topics.length, 25);
  assert.equal(chosen.next, undefined);
  await refused(node, 400, 'bad_payload', 'GET', '/api/topics?pattern=a%2B');
});

// -- publications -------------------------------------------------------------

test('what is published reaches subscribers', async () => {
  const node = await serve();
  const one = await connect(node);
  await one.ok('subscribe', 'news');
  const body = { topic: 'news', payload: { text: 'hi', list: [1, 2.5, null] } };
  const first = await ok(node, 'POST', '/api/publish', { body });
  assert.equal(first.offset, 1);
  const event = await one.take('event');
  assert.deepEqual(event.payload, body.payload);
  assert.equal(event.meta.epoch, first.epoch);
  // An id is accepted once.
  for (let i = 0; i < 2; ++i) {
    assert.deepEqual(await ok(node, 'POST', '/api/publish', { body: { ...body, id: '7' } }),
      { epoch: first.epoch, offset: 2 });
  }
  await one.take('event');
  assert.deepEqual(await one.settle(), []);
});

test('what cannot be published is refused by name', async () => {
  const node = await serve(['--frame-bytes-max', '1KiB']);
  const post = (status, error, body, headers) =>
    refused(node, status, error, 'POST', '/api/publish', { body, headers });
  await post(400, 'bad_subject', { topic: 'a/+', payload: 1 });
  await post(400, 'bad_subject', { topic: '$user/ann', payload: 1 });
  await post(400, 'bad_payload', { topic: 'a' });
  await post(400, 'bad_payload', '{');
  await post(400, 'bad_payload', { topic: 'a', payload: 1, id: 'x'.repeat(65) });
  await post(415, 'unsupported_media_type', '{}', { 'Content-Type': 'text/plain' });
  await refused(node, 411, 'length_required', 'POST', '/api/publish');
  // The payload has as many bytes as a frame may, three of them for its length.
  await ok(node, 'POST', '/api/publish', { body: { topic: 'a', payload: 'x'.repeat(1024 - 3) } });
  await post(413, 'frame_too_large', { topic: 'a', payload: 'x'.repeat(1024 - 2) });
  const most = 1024 + 4096;
  const padded = (size) => `${'{"topic": "a", "payload": 1'.padEnd(size - 1, ' ')}}`;
  await ok(node, 'POST', '/api/publish', { body: padded(most) });
  await post(413, 'body_too_large', padded(most + 1));
  const chunked = await exchange({ port: node.admin.port }, text('POST /api/publish',
    'Connection: close', 'Content-Type: application/json', 'Transfer-Encoding: chunked'));
  assert.equal(parseResponse(chunked).status, 411);
});

test('what is pushed reaches all connections of a user', async () => {
  const secret = file('s'.repeat(32));
  const token = (user) => run(['token', '--key', secret, '--user', user])
    .then(({ stdout }) => stdout.trim());
  const node = await serve(['--token-key', secret]);
  const ann = await connect(node, { query: `?token=${await token('ann')}` });
  const bob = await connect(node, { query: `?token=${await token('bob')}` });
  const again = await connect(node, { query: `?token=${await token('ann')}` });
  assert.equal((await ok(node, 'POST', '/api/push', { body: { user: 'ann', payload: 'hi' } })).offset, 1);
  for (const one of [ann, again]) assert.equal((await one.take('event')).payload, 'hi');
  assert.deepEqual(await bob.settle(), []);
  await refused(node, 400, 'bad_payload', 'POST', '/api/push', { body: { user: '', payload: 1 } });
  // Without --tenant-isolation nobody is told apart by a tenant.
  const body = { user: 'ann', tenant: 'acme', payload: 1 };
  await refused(node, 400, 'bad_payload', 'POST', '/api/push', { body });
  await refused(node, 400, 'bad_payload', 'POST', '/api/users/ann/close?tenant=acme');
  await refused(node, 400, 'bad_payload', 'GET', '/api/connections?user=ann&tenant=acme');
  const list = await ok(node, 'GET', '/api/connections?user=ann');
  assert.deepEqual(list.connections.map((one) => one.name), [ann.id, again.id]);
  // And all of them are closed together.
  assert.deepEqual(await ok(node, 'POST', '/api/users/ann/close'), { closed: 2 });
  for (const one of [ann, again]) {
    assert.equal((await one.take('goaway')).payload.reconnect, 'never');
    assert.deepEqual(await within(one.closed, 'the close'), { code: 4503, reason: 'kicked' });
  }
  assert.deepEqual(await bob.settle(), []);
  await until(async () => (await ok(node, 'POST', '/api/users/ann/close')).closed === 0, 'nobody');
  assert.deepEqual(await ok(node, 'POST', '/api/users/nobody/close'), { closed: 0 });
});

test('a connection is closed', async () => {
  const node = await serve();
  const one = await connect(node);
  const two = await connect(node);
  const [{ id }] = (await ok(node, 'GET', '/api/connections?limit=1')).connections;
  await refused(node, 405, 'method_not_allowed', 'GET', `/api/connections/${id}/close`);
  assert.deepEqual(await ok(node, 'POST', `/api/connections/${id}/close`), { closed: 1 });
  assert.equal((await within(one.closed, 'the close')).code, 4503);
  assert.deepEqual(await two.settle(), []);
  await until(async () => (await ask(node, 'POST', `/api/connections/${id}/close`)).status === 404, 'its end');
  await refused(node, 404, 'not_found', 'POST', '/api/connections/999999/close');
  await node.logged(/admin_request method=POST path=\S+ status=200/);
});

// -- who may ------------------------------------------------------------------

test('pages may not ask', async () => {
  const node = await serve();
  const before = await metric(node, 'forbidden');
  for (const target of ['/api/node', '/metrics', '/health']) {
    await refused(node, 403, 'forbidden_origin', 'GET', target,
      { headers: { Origin: 'https://example.com' } });
    await refused(node, 403, 'forbidden_host', 'GET', target, { headers: { Host: 'example.com' } });
  }
  await refused(node, 403, 'forbidden_origin', 'POST', '/api/publish',
    { headers: { Origin: 'null' }, body: { topic: 'a', payload: 1 } });
  await ok(node, 'GET', '/api/node', { headers: { Host: `localhost:${node.admin.port}` } });
  assert.equal(await metric(node, 'forbidden'), before + 7);
  assert.deepEqual((await ok(node, 'GET', '/api/topics')).topics, []);
});

test('with a key, who has it may ask', async () => {
  const name = file(`${key}\n`);
  const node = await serve(['--admin-key-file', name], '0.0.0.0:0');
  for (const shown of [undefined, 'wrong', `${key}x`, key.slice(1)]) {
    const { headers } = await refused(node, 401, 'unauthenticated', 'GET', '/api/node', { shown });
    assert.match(headers['www-authenticate'], /^Bearer/);
  }
  await refused(node, 401, 'unauthenticated', 'POST', '/api/publish', { body: { topic: 'a', payload: 1 } });
  await refused(node, 401, 'unauthenticated', 'GET', '/api/nothing');
  await ok(node, 'GET', '/api/node', { shown: key });
  await ok(node, 'GET', '/api/node', { shown: key, headers: { Host: 'example.com' } });
  await refused(node, 401, 'unauthenticated', 'GET', '/metrics');
  // What is no secret is none.
  for (const target of ['/health', '/ready']) await ok(node, 'GET', target);
  assert.equal(await metric(node, 'unauthenticated', { shown: key }), 7);
  // SIGHUP reads it again; what is none changes nothing.
  fs.writeFileSync(name, 'short');
  node.child.kill('SIGHUP');
  await node.logged(/reload_refused.*admin key file/);
  await ok(node, 'GET', '/api/node', { shown: key });
  fs.writeFileSync(name, `another-${key}`);
  node.child.kill('SIGHUP');
  await until(async () => (await ask(node, 'GET', '/api/node', { shown: key })).status === 401, 'the new key');
  await ok(node, 'GET', '/api/node', { shown: `another-${key}` });
  assert.ok(!node.log.includes(key), 'the key is nowhere in the log');
});

test('on loopback pages get nothing without the key', async () => {
  const node = await serve(['--admin-key-file', file(key)]);
  const headers = { Origin: 'https://example.com' };
  await refused(node, 403, 'forbidden_origin', 'GET', '/health', { headers });
  await refused(node, 403, 'forbidden_host', 'GET', '/ready', { headers: { Host: 'example.com' } });
  await ok(node, 'GET', '/health', { headers, shown: key });
  await ok(node, 'GET', '/health');
});

test('beyond loopback it takes a key', async () => {
  const serveBadly = (...words) => run(['serve', '--listen', '127.0.0.1:0', ...words]);
  const open = await serveBadly('--admin', '0.0.0.0:0');
  assert.equal(open.code, 2);
  assert.match(open.stderr, /0\.0\.0\.0:0.*admin-key-file/);
  const short = await serveBadly('--admin', '127.0.0.1:0', '--admin-key-file', file('short'));
  assert.equal(short.code, 1);
  assert.match(short.stderr, /16 to 4096/);
});

// -- the log ------------------------------------------------------------------

test('the log\'s level changes until it is set anew', async () => {
  const node = await serve();
  const level = async () => (await ok(node, 'GET', '/api/log-level')).level;
  assert.equal(await level(), 'info');
  await connect(node);
  assert.deepEqual(await ok(node, 'PUT', '/api/log-level', { body: { level: 'debug' } }), { level: 'debug' });
  await connect(node);
  await node.logged(/connection_state/);
  await refused(node, 400, 'bad_payload', 'PUT', '/api/log-level', { body: { level: 'loud' } });
  assert.equal(await level(), 'debug');
  // Who wants to hear less is the last that is heard.
  await ok(node, 'PUT', '/api/log-level', { body: { level: 'off' } });
  await node.logged(/log_level_set from=debug to=off/);
  node.child.kill('SIGHUP');
  await until(async () => await level() === 'info', 'the level of the options');
});

// -- its port -----------------------------------------------------------------

test('a port in use is an error where it was chosen', async () => {
  const node = await serve();
  const { code, stderr } = await run(['serve', '--listen', '127.0.0.1:0', '--admin',
    `127.0.0.1:${node.admin.port}`]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${node.admin.port}: another program uses this port`));
});

test('a port in use is a warning where it was not', async () => {
  // If somebody else has the standard port, that is as good.
  const holder = net.createServer();
  await new Promise((resolve) => {
    holder.on('error', resolve);
    holder.listen(8081, '127.0.0.1', resolve);
  });
  const one = start(['serve', '--listen', '127.0.0.1:0'], { env: { CALLBOARD_ADMIN: '' } });
  try {
    await until(() => /admin_off/.test(one.stderr), 'the warning');
    await until(() => /listening on/.test(one.stdout), 'the port for clients');
    assert.match(one.stderr, /admin_off reason="[^"]*8081: another program uses this port"/);
  } finally {
    one.child.kill('SIGTERM');
    holder.close();
  }
  assert.equal((await within(one.exited, 'its end')).code, 0);
});

test('a client that goes away while it waits does no harm', async () => {
  const node = await serve();
  for (let i = 0; i < 20; ++i) {
    const asked = http.request({ host: '127.0.0.1', port: node.admin.port, path: '/api/topics', agent: false });
    asked.on('error', () => {});
    asked.end();
    await new Promise((resolve) => { asked.on('finish', resolve); });
    asked.destroy();
  }
  await ok(node, 'GET', '/api/node');
});

test('sessions are bounded, and silent ones keep nobody out', async () => {
  const node = await serve();
  let closed = 0;
  const sockets = Array.from({ length: 70 }, () => {
    const socket = net.connect(node.admin.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => { ++closed; });
    return socket;
  });
  await until(() => closed === 6, 'the end of those that are too many');
  assert.equal((await fetch(`${node.http}/health`)).status, 200);
  assert.equal(closed, 6);
  // The oldest have gone, and one more goes for each that asks.
  assert.deepEqual(sockets.map((socket) => socket.destroyed),
    sockets.map((_, i) => i < 6));
  await ok(node, 'GET', '/api/node');
  await until(() => closed === 7, 'the end of one more');
  for (const socket of sockets) socket.destroy();
  assert.ok(await metric(node, 'sessions') >= 7);
});

test('a node that drains says so', async () => {
  const node = await serve(['--drain-timeout', '60s']);
  const one = await connect(node);
  await one.ok('register', 'slow');
  const two = await connect(node);
  two.send('request', 'slow');
  await one.take('request');
  node.child.kill('SIGTERM');
  await until(async () => (await ok(node, 'GET', '/api/node')).draining, 'the drain');
  await refused(node, 503, 'shutting_down', 'GET', '/ready');
  one.end();
  two.end();
  assert.equal((await within(node.exited, 'the end')).code, 0);
});
