// Who is in topics, across nodes: clients of different ones see the same.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from './support/client.mjs';
import {
  agree, endNodes, kill, leave, startCluster, startNode, timeoutMs,
} from './support/cluster.mjs';
import { slowness, until } from './support/server.mjs';
import { freshTopic } from './support/suite.mjs';

const folder = mkdtempSync(join(tmpdir(), 'callboard-cluster-presence-'));
const config = join(folder, 'callboard.conf');
writeFileSync(config, `
presence-interval = 100ms

[topic #]
presence = true
`);
after(() => rmSync(folder, { recursive: true }));
const options = { words: ['--config', config] };

endNodes();

// So many that each of three nodes owns some, whatever their names hash to.
const many = 40;

function freshTopics() {
  const base = freshTopic('room');
  return [...Array(many).keys()].map((i) => `${base}/${i}`);
}

const subscribeAll = (client, topics, meta) =>
  Promise.all(topics.map((topic) => client.ok('subscribe', topic, null, meta)));

/// Keeps who is in a topic, as a client is told: it lists and follows.
class Room {
  constructor(client, topic) {
    this.client = client;
    this.topic = topic;
    this.known = new Set();
    this.resets = 0;
  }

  /// Reads all pages; returns when they have been read, though there were
  /// resets and owners that went away meanwhile.
  async list() {
    this.known.clear();
    let next;
    do {
      const answer = await this.client.call('request', 'callboard.presence',
        { topic: this.topic, limit: 7, after: next });
      if (answer.type === 'error') {
        assert.ok(answer.meta.temporary, answer.subject);
        next = undefined;
        this.known.clear();
        continue;
      }
      for (const { connections } of answer.payload.members) this.known.add(connections[0]);
      next = answer.payload.next;
    } while (next);
  }

  /// Takes what it has been told until now.
  async follow() {
    const mine = ({ type, subject }) => type === 'presence' && subject === this.topic;
    while (this.client.frames.some(mine)) {
      for (const { event, connection } of (await this.client.take(mine)).payload) {
        if (event === 'join') this.known.add(connection);
        if (event === 'leave') this.known.delete(connection);
        if (event === 'reset') {
          ++this.resets;
          await this.list();
        }
      }
    }
  }

  /// Waits until just these clients are there.
  async sees(clients, withinMs) {
    const expected = String(clients.map(({ id }) => id).sort());
    await until(async () => {
      await this.follow();
      return String([...this.known].sort()) === expected;
    }, `${expected} in ${this.topic}`, withinMs);
  }
}

/// Subscribes to topics and follows who is there.
async function enter(client, topics) {
  await subscribeAll(client, topics, { presence: true });
  const rooms = topics.map((topic) => new Room(client, topic));
  await Promise.all(rooms.map((room) => room.list()));
  return rooms;
}

const allSee = (rooms, clients, withinMs) =>
  Promise.all(rooms.map((room) => room.sees(clients, withinMs)));

/// Waits until the count of each topic is this, wherever one asks.
async function allCount(clients, topics, n) {
  for (const client of clients) {
    await until(async () => {
      const answers = await Promise.all(topics.map((topic) =>
        client.call('request', 'callboard.presence_count', { topic })));
      return answers.every(({ type, payload }) => type === 'response'
        && payload.members === n && payload.connections === n);
    }, `${n} in each topic`);
  }
}

test('who comes to one node is seen at all, by a name of its own', async () => {
  const nodes = await startCluster(['a', 'b', 'c'], options);
  const topics = freshTopics();
  const clients = await Promise.all(nodes.map((node) => connect(node)));
  assert.equal(new Set(clients.map(({ id }) => id)).size, 3);
  const [one, two, three] = clients;
  const seenByOne = await enter(one, topics);
  const seenByTwo = await enter(two, topics);
  await subscribeAll(three, topics);
  await allSee(seenByOne, clients);
  await allSee(seenByTwo, clients);
  await allCount(clients, topics, 3);
  three.socket.terminate();
  await allSee(seenByOne, [one, two]);
  await allSee(seenByTwo, [one, two]);
  await allCount([one, two], topics, 2);
  // Nothing was lost on the way.
  for (const room of [...seenByOne, ...seenByTwo]) assert.equal(room.resets, 0);
});

test('a crowd at one node comes to another in batches', async () => {
  const [a, b] = await startCluster(['a', 'b'], options);
  const topics = freshTopics().slice(0, 4);
  const watcher = await connect(a);
  const rooms = await enter(watcher, topics);
  const crowd = await Promise.all(Array.from({ length: 100 }, () => connect(b)));
  await Promise.all(crowd.map((one) => subscribeAll(one, topics)));
  await allSee(rooms, [watcher, ...crowd]);
  await allCount([watcher, crowd[0]], topics, 101);
});

test('after an owner\'s death everybody is seen who is still there', async () => {
  const nodes = await startCluster(['a', 'b', 'c'], options);
  const topics = freshTopics();
  const [one, two, three] = await Promise.all(nodes.map((node) => connect(node)));
  const rooms = await enter(one, topics);
  await subscribeAll(two, topics);
  await subscribeAll(three, topics);
  await allSee(rooms, [one, two, three]);
  await kill(nodes[2]);
  await agree(nodes.slice(0, 2), timeoutMs + 1000 * slowness);
  await allSee(rooms, [one, two], timeoutMs + 5000 * slowness);
  await allCount([one, two], topics, 2);
  // Those of the others were told of the one who is gone.
  const resets = rooms.filter((room) => room.resets > 0).length;
  assert.ok(resets > 0 && resets < many, `${resets} began anew`);
  const late = await connect(nodes[1]);
  await subscribeAll(late, topics);
  await allSee(rooms, [one, two, late]);
});

test('a node that comes and goes takes nobody with it', async () => {
  const [a, b] = await startCluster(['a', 'b'], options);
  const topics = freshTopics();
  const [one, two] = [await connect(a), await connect(b)];
  const rooms = await enter(one, topics);
  await subscribeAll(two, topics);
  await allSee(rooms, [one, two]);
  const c = await startNode('c', { ...options, join: b });
  await agree([a, b, c]);
  await allSee(rooms, [one, two]);
  const three = await connect(c);
  await subscribeAll(three, topics);
  await allSee(rooms, [one, two, three]);
  await allCount([one, two, three], topics, 3);
  await leave(c);
  await agree([a, b]);
  await allSee(rooms, [one, two]);
  await allCount([one, two], topics, 2);
  // Topics went to it and came back with all who were there.
  for (const room of rooms) assert.equal(room.resets, 0);
});
