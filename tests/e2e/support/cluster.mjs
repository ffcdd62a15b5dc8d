// Nodes of one cluster on loopback, each a process of its own.

import assert from 'node:assert/strict';
import net from 'node:net';
import { afterEach } from 'node:test';
import { ask, findAdmin, ok } from './admin.mjs';
import { endAll } from './client.mjs';
import { patienceMs, slowness, startServer, until } from './server.mjs';

/// A node that says nothing for so long is down.
export const timeoutMs = 1500 * slowness;

const running = new Set();

/// Starts a node. `join` is a node or an address, or a list of them; `listen`
/// where it listens for others. Its `address` is that. `port` is the one that its
/// clients come to, at `clients`; for `via` see startServer. It takes clients when
/// this returns, unless `joining`.
export async function startNode(name, {
  join = [], listen = '127.0.0.1:0', clients = '127.0.0.1', port = 0, via = [], adminKey,
  words = [], timeout = timeoutMs, joining = false,
} = {}) {
  const seeds = [join].flat().map((one) => one.address ?? one);
  const node = await startServer(['--node-name', name, '--loops', '2', '--admin', `${clients}:0`,
    '--cluster-listen', listen, ...(seeds.length > 0 ? ['--join', seeds.join(',')] : []),
    '--cluster-heartbeat', `${250 * slowness}ms`, '--cluster-timeout', `${timeout}ms`,
    ...words], { listen: `${clients}:${port}`, via });
  running.add(node);
  Object.assign(node, { name, adminKey });
  const line = /^nodes join by (\S+)$/m;
  await until(() => line.test(node.output), 'the line with the address for nodes');
  [, node.address] = node.output.match(line);
  await findAdmin(node);
  if (!joining) await until(() => isReady(node), `clients may come to ${name}`);
  return node;
}

/// Returns whether a node takes clients.
export async function isReady(node) {
  return (await ask(node, 'GET', '/ready')).status === 200;
}

/// Ends a node as one pulls the plug.
export async function kill(node) {
  running.delete(node);
  await node.stop('SIGKILL');
}

/// Ends a node gracefully; it must say that all is well.
export async function leave(node) {
  running.delete(node);
  assert.equal((await node.stop()).code, 0, `the end of ${node.name}`);
}

/// Ends the nodes of a test with it.
export function endNodes() {
  afterEach(async () => {
    endAll();
    const nodes = [...running];
    running.clear();
    // One that was stopped hears nothing else.
    for (const node of nodes) node.child.kill('SIGCONT');
    const ends = await Promise.all(nodes.map((node) => node.stop()));
    ends.forEach(({ code }, i) => assert.equal(code, 0, `the end of ${nodes[i].name}`));
  });
}

export const cluster = (node) => ok(node, 'GET', '/api/cluster');

/// Returns the names of those that a node takes for up.
export async function upAt(node) {
  const { members } = await cluster(node);
  return members.filter(({ state }) => state === 'up').map(({ name }) => name).sort();
}

/// Waits until all of these nodes see just each other, by the same view.
export async function agree(nodes, withinMs = patienceMs) {
  const names = nodes.map(({ name }) => name).sort();
  let seen;
  try {
    await until(async () => {
      seen = await Promise.all(nodes.map(cluster));
      return seen.every((one) => one.view === seen[0].view
        && String(one.members.filter(({ state }) => state === 'up').map(({ name }) => name).sort())
          === String(names));
    }, 'one view', withinMs);
  } catch (error) {
    throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
  }
}

/// Starts nodes with these names, the later ones by the first, and waits until
/// they agree.
export async function startCluster(names, options = {}) {
  const nodes = [];
  for (const name of names) {
    nodes.push(await startNode(name, { ...options, join: nodes.slice(0, 1) }));
  }
  await agree(nodes);
  return nodes;
}

/// Returns a port that nobody uses at the moment.
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
