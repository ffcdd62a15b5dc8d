// Nodes find each other, lose each other and come back: real processes on
// loopback.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { ask } from './support/admin.mjs';
import { makeCa, makeCertificate } from './support/certificates.mjs';
import {
  agree, cluster, endNodes, freePort, isReady, kill, leave, startCluster, startNode, timeoutMs,
  upAt,
} from './support/cluster.mjs';
import { expectRefusal } from './support/raw_http.mjs';
import { run, slowness, sleep, startServer, until, within } from './support/server.mjs';

endNodes();

test('all nodes find all others by one, and tell of them', async () => {
  const nodes = await startCluster(['a', 'b', 'c']);
  const seen = await Promise.all(nodes.map(cluster));
  for (const [i, one] of seen.entries()) {
    assert.deepEqual([one.enabled, one.name, one.self], [true, 'callboard', nodes[i].name]);
    // In the order in which they joined, so the first one has the say.
    assert.equal(one.coordinator, 'a');
    assert.deepEqual(one.members.map(({ name }) => name), seen[0].members.map(({ name }) => name));
    const shares = one.members.reduce((sum, { ownerShare }) => sum + ownerShare, 0);
    assert.ok(Math.abs(shares - 1) < 0.01, `${shares}`);
    for (const member of one.members) {
      assert.equal(member.address, nodes.find(({ name }) => name === member.name).address);
      assert.equal(member.loops, 2);
    }
  }
  await until(async () => (await cluster(nodes[0])).members
    .filter(({ name }) => name !== 'a')
    .every(({ heard, linked, roundTripMs }) => heard && linked && roundTripMs >= 0), 'round trips');
  const shown = await run(['top', '--admin', nodes[1].admin.href, '--once']);
  assert.match(shown.stdout, /\ncluster callboard {2}view \d+\n/);
  assert.match(shown.stdout, /\nup .*\* b 127\.0\.0\.1:\d+\n/);
});

test('they may be started in any order', async () => {
  const [first, second] = [await freePort(), await freePort()];
  const late = { listen: `127.0.0.1:${first}` };
  // Nobody is there yet, for both of them.
  const b = await startNode('b', { join: [`127.0.0.1:${first}`], listen: `127.0.0.1:${second}` });
  const c = await startNode('c', { join: [`127.0.0.1:${first}`, `127.0.0.1:${second}`] });
  await agree([b, c]);
  // One that joins nobody is found, and one may name itself.
  const a = await startNode('a', late);
  await agree([a, b, c]);
  await kill(a);
  await agree([b, c]);
  await agree([await startNode('a', { ...late, join: [`127.0.0.1:${first}`, b] }), b, c]);
});

test('a node alone has no cluster, and one without others is one', async () => {
  const alone = await startServer(['--admin', '127.0.0.1:0']);
  try {
    const url = /admin_listening url=(http:\S+\/)/;
    await until(() => url.test(alone.log), 'the log\'s admin_listening');
    alone.admin = new URL(alone.log.match(url)[1]);
    assert.deepEqual((await ask(alone, 'GET', '/api/cluster')).body, { enabled: false, members: [] });
  } finally {
    await alone.stop();
  }
  const a = await startNode('a');
  await agree([a]);
});

test('a node that is killed is gone after the timeout, and comes back', async () => {
  const [a, b, c] = await startCluster(['a', 'b', 'c']);
  const before = (await cluster(b)).members.find(({ name }) => name === 'a').incarnation;
  // The one that has the say.
  await kill(a);
  await agree([b, c], timeoutMs + 1000 * slowness);
  const again = await startNode('a', { join: c, listen: a.address });
  await agree([again, b, c]);
  const after = (await cluster(b)).members.find(({ name }) => name === 'a').incarnation;
  assert.notEqual(after, before);
});

test('a node that ends is gone at once', async () => {
  const [a, b, c] = await startCluster(['a', 'b', 'c'], { words: ['--drain-timeout', '5s'] });
  await leave(c);
  // Not after a timeout: what it takes to ask.
  await agree([a, b], timeoutMs / 2);
  assert.match(c.log, / cluster_left/);
  await leave(a);
  await agree([b], timeoutMs / 2);
});

test('a node that was stopped for long comes back', async () => {
  const [a, b, c] = await startCluster(['a', 'b', 'c']);
  b.child.kill('SIGSTOP');
  await agree([a, c], timeoutMs + 2000 * slowness);
  b.child.kill('SIGCONT');
  await agree([a, b, c], timeoutMs + 15000 * slowness);
});

/// Asks for a WebSocket, which it ends at once. Returns {status, headers, body}.
const handshake = (node) => within(new Promise((resolve, reject) => {
  const asked = http.get(`${node.http}/ws`, { agent: false, headers: {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  } });
  asked.on('error', reject);
  asked.on('upgrade', ({ statusCode: status, headers }, socket) => {
    socket.destroy();
    resolve({ status, headers, body: '' });
  });
  asked.on('response', (answer) => {
    let body = '';
    answer.on('data', (data) => { body += data; });
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
  });
}), 'an answer to a handshake');

/// Fails unless a node says that it has yet to join its cluster.
async function expectJoining(node) {
  const { status, body } = await ask(node, 'GET', '/ready');
  assert.deepEqual([status, body.error], [503, 'joining']);
  const refused = await handshake(node);
  assert.equal(expectRefusal(refused, 503, 'a handshake').error, 'joining');
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal((await ask(node, 'GET', '/health')).status, 200);
  assert.equal((await ask(node, 'GET', '/api/node')).body.joining, true);
}

test('a node that finds nobody takes clients at once', async () => {
  const a = await startNode('a', { join: `127.0.0.1:${await freePort()}`, joining: true });
  await until(() => isReady(a), 'clients may come', 1000 * slowness);
  assert.equal((await handshake(a)).status, 101);
  await a.logged(/ cluster_ready view=1 members="a"/);
  assert.equal((await ask(a, 'GET', '/api/node')).body.joining, false);
});

test('a node takes clients when it is one with the others, and not before', async () => {
  // Whoever is stopped takes connections and says nothing.
  const options = { timeout: 20000 * slowness };
  const a = await startNode('a', options);
  const before = await startNode('b', { ...options, join: a });
  await agree([a, before]);
  await leave(before);
  a.child.kill('SIGSTOP');
  const b = await startNode('b',
    { ...options, join: a, listen: before.address, port: before.port, joining: true });
  await expectJoining(b);
  a.child.kill('SIGCONT');
  await until(async () => (await handshake(b)).status === 101, 'a client is let in');
  assert.deepEqual(await upAt(b), ['a', 'b']);
  await b.logged(/ cluster_ready view=\d+ members="a,b"/);
  // That is for good.
  await leave(a);
  await agree([b]);
  assert.equal((await handshake(b)).status, 101);
  assert.ok(await isReady(b));
});

test('a node whose cluster says nothing takes clients after the timeout', async () => {
  const sockets = new Set();
  const silent = net.createServer((socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  await new Promise((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
  try {
    const begin = performance.now();
    const a = await startNode('a',
      { join: `127.0.0.1:${silent.address().port}`, timeout: 3000 * slowness, joining: true });
    await expectJoining(a);
    await until(() => isReady(a), 'clients may come');
    assert.ok(performance.now() - begin >= 3000 * slowness);
    assert.equal((await handshake(a)).status, 101);
    await a.logged(/ cluster_join_late view=1 members="a"/);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test('nodes of different clusters and of the same name refuse each other', async () => {
  const a = await startNode('a');
  const stranger = await startNode('x', { join: a, words: ['--cluster-name', 'other'] });
  const refusal = (node) => node.log.split('\n').find((line) => line.includes(' cluster_refused '));
  await until(() => refusal(stranger) || refusal(a), 'the log\'s cluster_refused');
  assert.match(refusal(stranger) ?? refusal(a), /reason=".{10,}"/);
  const double = await startNode('a', { join: a });
  await until(() => refusal(double) || refusal(a), 'the refusal of another a');
  await sleep(timeoutMs);
  for (const node of [a, stranger, double]) assert.deepEqual(await upAt(node), [node.name]);
});

test('with certificates nodes talk TLS, and to nobody without a good one', async () => {
  const [ours, theirs] = [makeCa('cluster'), makeCa('others')];
  const files = (ca, name, trusted = ca) => {
    const made = makeCertificate(ca, name);
    return { words: ['--cluster-cert', made.cert, '--cluster-key', made.key, '--cluster-ca',
      trusted.cert] };
  };
  const a = await startNode('a', files(ours, 'node-a'));
  const b = await startNode('b', { join: a, ...files(ours, 'node-b') });
  await agree([a, b]);
  const wrong = await startNode('c', { join: a, ...files(theirs, 'node-c', ours) });
  const plain = await startNode('d', { join: a });
  await sleep(2 * timeoutMs);
  await agree([a, b]);
  for (const node of [wrong, plain]) assert.deepEqual(await upAt(node), [node.name]);
  await wrong.logged(/ cluster_no_link address=.* certificate /);
});

test('files that do not go together for a moment end no node', async () => {
  const ca = makeCa('renewed');
  const files = (name) => {
    const { cert, key } = makeCertificate(ca, name);
    return { key, words: ['--cluster-cert', cert, '--cluster-key', key, '--cluster-ca', ca.cert] };
  };
  const [ofA, ofB] = [files('renewed-a'), files('renewed-b')];
  const a = await startNode('a', { words: ofA.words });
  const b = await startNode('b', { join: a, words: ofB.words });
  await agree([a, b]);
  const key = readFileSync(ofA.key);
  writeFileSync(ofA.key, readFileSync(ofB.key));
  // Somebody connects.
  const [host, port] = a.address.split(':');
  await once(net.connect(port, host).on('error', () => {}), 'close');
  // Both dial each other.
  await kill(b);
  const again = await startNode('b', { join: a, listen: b.address, words: ofB.words });
  await agree([a]);
  assert.deepEqual(await upAt(again), ['b']);
  writeFileSync(ofA.key, key);
  // An attempt may have to time out.
  await agree([a, again], 20_000 * slowness);
});

test('what cannot be is told in a sentence', async () => {
  const serve = (...words) => run(['serve', '--listen', '127.0.0.1:0', '--admin', 'none', ...words]);
  const refused = async (pattern, ...words) => {
    const { code, stderr } = await serve(...words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, pattern);
  };
  await refused(/not on loopback: that takes certificates/, '--cluster-listen', '192.0.2.1:8180');
  await refused(/not on loopback/, '--cluster-listen', '127.0.0.1:0', '--join', '192.0.2.1:8180');
  await refused(/join means nothing without cluster-listen/, '--join', '127.0.0.1:1');
  await refused(/need each other/, '--cluster-listen', '127.0.0.1:0', '--cluster-cert', 'x');
  await refused(/shorter than 3 times/, '--cluster-listen', '127.0.0.1:0', '--cluster-timeout', '2s');
  const a = await startNode('a');
  const used = await serve('--cluster-listen', a.address);
  assert.equal(used.code, 1);
  assert.match(used.stderr, /cannot listen on 127\.0\.0\.1 port \d+: another program uses this port/);
  const missing = await serve('--cluster-listen', '127.0.0.1:0', '--cluster-cert', '/nowhere',
    '--cluster-key', '/nowhere', '--cluster-ca', '/nowhere');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /cannot use .*\/nowhere/);
});
