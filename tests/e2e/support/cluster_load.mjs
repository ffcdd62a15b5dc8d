// Clients at nodes of a cluster that publish to some topics all the time and
// subscribe to them, and take down what they are promised and get.

import assert from 'node:assert/strict';
import { connect } from './client.mjs';
import { Ledger } from './ledger.mjs';
import { patienceMs, sleep, until } from './server.mjs';

/// One node's clients: one that subscribes, one that publishes.
class Site {
  errors = {}; // what was refused for a while: name → how often
  accepted = 0;
  epochs = new Map(); // topic → {epoch, sinceMs}: of the last answer
  #load;
  #published = 0;
  #stopped = false;

  constructor(node, load) {
    this.node = node;
    this.#load = load;
    this.reader = load.ledger.reader(node.name);
  }

  async start() {
    const { topics } = this.#load;
    const subscriber = await connect(this.node);
    const { reader } = this;
    const asked = new Map();
    subscriber.watcher = ({ type, seqId, subject, payload, meta }) => {
      if (type === 'event') reader.event(subject, meta, payload);
      else if (type === 'position') reader.told(subject, payload);
      else if (type === 'response' && asked.has(seqId)) reader.begins(asked.get(seqId), payload);
      else return false;
      return true;
    };
    for (const topic of topics) asked.set(subscriber.send('subscribe', topic), topic);
    await until(() => topics.every((topic) => reader.position(topic)), 'the subscriptions');
    this.publisher = await connect(this.node);
    this.ended = Promise.all(topics.map((topic) => this.#repeat(topic)));
    this.ended.catch(() => {}); // told by stop()
  }

  /// Publishes once; returns its position, or undefined where it was refused for now.
  async publish(topic, { payload, sent } = this.#next(topic)) {
    const { type, subject, payload: answer, meta } =
      await this.publisher.call('publish', topic, payload, { id: payload });
    if (type === 'error') {
      assert.ok(meta.temporary, `${subject}: ${answer}`);
      this.errors[subject] = (this.errors[subject] ?? 0) + 1;
      return undefined;
    }
    sent.accepted(answer);
    ++this.accepted;
    if (this.epochs.get(topic)?.epoch !== answer.epoch) {
      this.epochs.set(topic, { epoch: answer.epoch, sinceMs: performance.now() });
    }
    return answer;
  }

  #next(topic) {
    const payload = `${this.node.name}.${++this.#published}`;
    return { payload, sent: this.#load.ledger.sends(topic, payload) };
  }

  /// Publishes to a topic one after the other; what is refused is sent again.
  async #repeat(topic) {
    const pauseMs = 1000 * this.#load.topics.length / this.#load.perSecond;
    let dueMs = performance.now() + pauseMs * Math.random();
    while (!this.#stopped) {
      await sleep(Math.max(1, dueMs - performance.now()));
      dueMs = Math.max(dueMs + pauseMs, performance.now()); // what was missed is not made good
      const one = this.#next(topic);
      while (!await this.publish(topic, one) && !this.#stopped) await sleep(50);
    }
  }

  stop() {
    this.#stopped = true;
    return this.ended;
  }
}

/// Starts that at each of these nodes, so many publications a second at each.
export async function startLoad(nodes, topics, perSecond = 200) {
  const load = { topics, perSecond, ledger: new Ledger() };
  const sites = new Map(nodes.map((node) => [node.name, new Site(node, load)]));
  await Promise.all([...sites.values()].map((site) => site.start()));
  const of = (part) => part.map(({ name }) => sites.get(name));

  /// Publishes to all topics at each of these sites. Returns the positions,
  /// undefined for what was refused, by site and topic.
  const publishAll = (chosen) => Promise.all(chosen.map((site) =>
    Promise.all(topics.map((topic) => site.publish(topic)))));

  return {
    at: (node) => sites.get(node.name),

    /// Waits until a part of the cluster is one: each topic has one epoch, at all
    /// of its nodes, and their subscribers know it. From then on nothing is
    /// refused and nobody misses anything.
    async isOne(part, withinMs = patienceMs) {
      const chosen = of(part);
      let seen;
      await until(async () => {
        seen = await publishAll(chosen);
        return seen.flat().every(Boolean) && topics.every((_, i) =>
          seen.every((positions) => positions[i].epoch === seen[0][i].epoch));
      }, 'one epoch of each topic', withinMs);
      const reached = (positions) => until(() => chosen.every(({ reader }) =>
        topics.every((topic, i) => positions.every((all) => reader.has(topic, all[i])))),
      'what was accepted at its subscribers', withinMs).catch((error) => {
        const missing = chosen.flatMap(({ reader }) => topics.flatMap((topic, i) =>
          positions.filter((all) => !reader.has(topic, all[i])).map((all) =>
            `${reader.name} ${topic}: ${JSON.stringify([reader.position(topic), all[i]])}`)));
        throw new Error(`${error.message}; ${missing.length} as ${missing.slice(0, 3)}`);
      });
      await reached(seen);
      const gaps = chosen.map(({ reader }) => reader.gaps);
      for (let round = 0; round < 3; ++round) {
        const positions = await publishAll(chosen);
        assert.ok(positions.flat().every(Boolean), 'nothing is refused any more');
        await reached(positions);
      }
      assert.deepEqual(chosen.map(({ reader }) => reader.gaps), gaps, 'nobody misses anything');
    },

    /// Ends it and fails unless all was right. Returns what was refused for a
    /// while, by site and error.
    async stop() {
      await Promise.all([...sites.values()].map((site) => site.stop()));
      load.ledger.check();
      return Object.fromEntries([...sites].map(([name, { errors }]) => [name, errors]));
    },
  };
}
