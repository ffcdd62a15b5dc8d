// Three nodes that keep topics on their disks, and load on these topics that
// takes down what was acknowledged.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { connect } from './client.mjs';
import { agree, startNode } from './cluster.mjs';
import { sleep, slowness, until } from './server.mjs';
import { bearer, makeKey, sign, writeJwks } from './tokens.mjs';

/// Returns what a suite needs for nodes whose topics `orders/+` go by `section`.
export async function durableCluster(section, topics) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-cluster-durable-'));
  after(() => fs.rmSync(folder, { recursive: true }));
  const config = path.join(folder, 'callboard.conf');
  fs.writeFileSync(config, `[topic orders/+]\n${section}`);
  const key = await makeKey('HS256', 'a');
  const jwks = writeJwks('durable.json', [key]);

  /// Starts a node on its store; see startNode.
  function start(name, store, options = {}) {
    return startNode(name, {
      ...options,
      words: ['--config', config, '--store-dir', path.join(folder, `${store}-${name}`),
        '--store-nodes', 'c,a,b', '--token-jwks', jwks],
    });
  }

  async function startAll(store) {
    const a = await start('a', store);
    const nodes = [a, await start('b', store, { join: a }), await start('c', store, { join: a })];
    await agree(nodes);
    return nodes;
  }

  /// Starts a node again on its store, at its old address.
  const startAgain = (node, store, join) =>
    start(node.name, store, { join, listen: node.address });

  const connectAs = async (node, user) => connect(node, bearer(await sign(key, user)));

  /// Publishes once; returns its position, or undefined if it is refused for now.
  async function publish(client, topic, payload) {
    const answer = await client.call('publish', topic, payload, { id: payload });
    if (answer.type !== 'error') return answer.payload;
    assert.ok(answer.meta.temporary, answer.subject);
    return undefined;
  }

  /// Returns all events that a topic has kept.
  async function read(client, topic) {
    const { epoch } = await client.ok('request', 'callboard.position', { topic });
    const result = [];
    for (let offset = 0, more = true; more;) {
      const page = await client.ok('request', 'callboard.history',
        { topic, limit: 1000, since: { epoch, offset } });
      result.push(...page.events);
      ({ more } = page);
      if (page.events.length > 0) ({ offset } = page.events.at(-1));
    }
    return { epoch, events: result };
  }

  /// Subscribes to all topics and takes down what comes.
  async function follow(node, ledger) {
    const client = await connectAs(node, `reader-${node.name}`);
    const reader = ledger.reader(node.name);
    const asked = new Map();
    client.watcher = ({ type, seqId, subject, payload, meta }) => {
      if (type === 'event') reader.event(subject, meta, payload);
      else if (type === 'position') reader.told(subject, payload);
      else if (type === 'response' && asked.has(seqId)) reader.begins(asked.get(seqId), payload);
      else return false;
      return true;
    };
    for (const topic of topics) asked.set(client.send('subscribe', topic), topic);
    await until(() => topics.every((topic) => reader.position(topic)), 'the subscriptions');
    return reader;
  }

  /// Publishes to all topics at a node all the time; what is refused is sent again
  /// with its id. `accepted` has what was acknowledged: topic → offset → payload.
  async function startWriter(node, ledger, accepted) {
    const client = await connectAs(node, `writer-${node.name}`);
    const refused = { count: 0 };
    let stopped = false;
    const ended = Promise.all(topics.map(async (topic) => {
      for (let n = 1; !stopped; ++n) {
        const payload = `${node.name}.${topic}.${n}`;
        const sent = ledger.sends(topic, payload);
        for (let position; !position;) {
          position = await publish(client, topic, payload);
          if (position) {
            sent.accepted(position);
            accepted.get(topic).set(position.offset, payload);
          } else {
            ++refused.count;
            await sleep(50);
          }
        }
        await sleep(20 * slowness);
      }
    }));
    ended.catch(() => {}); // told by stop()
    return { refused, stop: () => { stopped = true; return ended; } };
  }

  return {
    config, connectAs, follow, jwks, publish, read, startAgain, startAll, startWriter,
  };
}
