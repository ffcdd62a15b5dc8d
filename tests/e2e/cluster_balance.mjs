// Nodes that do not take a client name others that do: in a refusal, and as
// they end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from './support/admin.mjs';
import { connect } from './support/client.mjs';
import { agree, cluster, endNodes, freePort, leave, startNode } from './support/cluster.mjs';
import { metrics } from './support/metrics.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { connectSdk, countingWebSocket, next } from './support/sdk.mjs';
import { run, until } from './support/server.mjs';

endNodes();

/// Starts nodes that tell each other where clients reach them, and waits until
/// each has heard how much the others have to do.
async function startBalanced(names, words) {
  const nodes = [];
  for (const name of names) {
    const port = await freePort();
    nodes.push(await startNode(name, { join: nodes.slice(0, 1), port,
      words: [...words, '--advertise-url', `ws://127.0.0.1:${port}/ws`] }));
  }
  await agree(nodes);
  await until(async () => (await Promise.all(nodes.map(cluster))).every(({ members }) =>
    members.every(({ connectionsMax, intake }) => connectionsMax > 0 && intake === 'open')),
  'everybody\'s load');
  return nodes;
}

const urlsOf = (...nodes) => nodes.map(({ ws }) => ws).sort();
const sorted = (urls = []) => [...urls].sort();

/// Asks for a WebSocket that is refused, and returns where else to go.
async function refusedFor(node) {
  const answer = parseResponse(await exchange(node, request('GET /ws', 'Connection: Upgrade',
    'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')));
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  return expectRefusal(answer, 503, `a WebSocket at ${node.name}`).urls;
}

/// Waits until a full node refuses with the addresses of just these.
async function names(node, others) {
  let urls;
  await until(async () => {
    urls = await refusedFor(node);
    return String(sorted(urls)) === String(urlsOf(...others));
  }, `${node.name} names ${others.map(({ name }) => name)}`);
}

/// Returns how many clients a node has told of others, as they were refused or
/// by a goaway.
async function redirects(node, by) {
  return (await metrics(node)).callboard_redirects_total
    .filter(({ labels }) => labels.by === by).reduce((sum, { value }) => sum + value, 0);
}

const fill = (node, n) => Promise.all(Array.from({ length: n }, () => connect(node)));

test('a full node names those that are not, by turns', async () => {
  const [a, b, c] = await startBalanced(['a', 'b', 'c'], ['--max-connections', '3']);
  await fill(a, 3);
  await names(a, [b, c]);
  const firsts = new Set();
  // Each of its two loops begins with one and goes on with the other, unless one
  // has more to do just then.
  await until(async () => firsts.add((await refusedFor(a))[0]).size === 2, 'both to be the first');
  assert.deepEqual(sorted(firsts), urlsOf(b, c));
  assert.ok(await redirects(a, 'refusal') >= 3);
  // One that is named takes clients.
  await connect({ ws: (await refusedFor(a))[0] });
  await fill(b, 3 - (await ok(b, 'GET', '/api/node')).connections);
  await names(a, [c]);
  await names(b, [c]);
  const { members } = await cluster(c);
  const seen = (node) => members.find(({ name }) => name === node.name);
  assert.deepEqual([seen(a).intake, seen(a).connections, seen(a).connectionsMax], ['full', 3, 3]);
  assert.deepEqual([seen(c).intake, seen(c).urls], ['open', [c.ws]]);
  const shown = await run(['top', '--admin', c.admin.href, '--once']);
  assert.match(shown.stdout, /\nfull .* a 127\.0\.0\.1:\d+\n/);
  assert.match(shown.stdout, /\nup .*\* c 127\.0\.0\.1:\d+\n/);
  // Where all are full there is nobody to be named.
  await fill(c, 3 - (await ok(c, 'GET', '/api/node')).connections);
  await until(async () => await refusedFor(a) === undefined, 'a refusal that names nobody');
});

test('clients of a node that ends are at the others at once', async () => {
  const [a, b, c] = await startBalanced(['a', 'b', 'c'],
    ['--max-connections', '12', '--drain-timeout', '10s']);
  const { WebSocket, tries } = countingWebSocket();
  const clients = await Promise.all(Array.from({ length: 12 }, () =>
    connectSdk(a.ws, { WebSocket })));
  // Now its loops know.
  await names(a, [b, c]);
  const goaways = Promise.all(clients.map((client) => next(client, 'goaway')));
  const left = leave(a);
  for (const { reason, reconnect, urls } of await goaways) {
    assert.deepEqual([reason, reconnect], ['draining', 'now']);
    assert.deepEqual(sorted(urls), urlsOf(b, c));
  }
  await until(() => clients.every(({ state, welcome }) =>
    state === 'connected' && welcome.node !== 'a'), 'all clients elsewhere');
  await left;
  // Within the spread, and with one try each: nobody has asked the old node.
  for (const { states } of clients) {
    const { retryInMs } = states.find(({ state }) => state === 'retry_pending');
    assert.ok(retryInMs <= 1000, `${retryInMs} ms`);
  }
  assert.equal(tries.length, 24);
  // Equal nodes take turns; on a busy machine one of the two may be the lighter.
  for (const { welcome } of clients) assert.ok(['b', 'c'].includes(welcome.node), welcome.node);
});

test('nodes without an address for clients are not named', async () => {
  const a = await startNode('a', { words: ['--max-connections', '1'] });
  const b = await startNode('b', { join: a });
  await agree([a, b]);
  await fill(a, 1);
  assert.equal(await refusedFor(a), undefined);
  assert.deepEqual((await cluster(a)).members.map(({ urls }) => urls), [[], []]);
});

test('an address that cannot be is told in a sentence', async () => {
  for (const [url, pattern, ...words] of [
    ['http://a/ws', /like ws:/, '--cluster-listen', '127.0.0.1:0'],
    ['ws://0.0.0.0:8080/ws', /like ws:/, '--cluster-listen', '127.0.0.1:0'],
    ['ws://a,ws://b,ws://c,ws://d,ws://e', /4 at most/, '--cluster-listen', '127.0.0.1:0'],
    ['ws://a/ws', /advertise-url means nothing without cluster-listen/],
  ]) {
    const { code, stderr } = await run(['serve', '--listen', '127.0.0.1:0', '--admin', 'none',
      '--advertise-url', url, ...words]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, pattern);
  }
});
