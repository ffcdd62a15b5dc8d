// Clients at all nodes of a cluster that publish to some topics without a pause
// and subscribe to them, and take down what they are promised and get.

import assert from 'node:assert/strict';
import { connect } from './client.mjs';
import { Ledger } from './ledger.mjs';
import { patienceMs, sleep, until } from './server.mjs';

/// One node's clients: one that subscribes, one that publishes.
class Site {
  errors = {};
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
    subscriber.watcher = ({ type, subject, payload, meta }) => {
      if (type === 'event') reader.event(subject, meta, payload);
      else if (type === 'position') reader.told(subject, payload);
      else return false;
      return true;
    };
    // The answers come before the events behind them, and are heard before.
    for (const topic of topics) reader.begins(topic, await subscriber.ok('subscribe', topic));
    this.publisher = await connect(this.node);
    this.ended = this.#publish();
    this.ended.catch(() => {});
  }

  /// Publishes once; returns its position, or undefined where it was refused for now.
  async publish(topic) {
    const payload = `${this.node.name}.${++this.#published}`;
    const sent = this.#load.ledger.sends(topic, payload);
    const answer = await this.publisher.call('publish', topic, payload);
    if (answer.type !== 'error') {
      sent.accepted(answer.payload);
      return answer.payload;
    }
    assert.ok(answer.meta.temporary, `${answer.subject}: ${answer.payload}`);
    this.errors[answer.subject] = (this.errors[answer.subject] ?? 0) + 1;
    return undefined;
  }

  async #publish() {
    const { topics, pauseMs } = this.#load;
    while (!this.#stopped) {
      await Promise.all([this.publish(topics[this.#published % topics.length]), sleep(pauseMs)]);
    }
  }

  stop() {
    this.#stopped = true;
    return this.ended;
  }
}

/// Starts that at each of these nodes.
export async function startLoad(nodes, topics, { pauseMs = 5 } = {}) {
  const load = { topics, pauseMs, ledger: new Ledger() };
  const sites = new Map(nodes.map((node) => [node.name, new Site(node, load)]));
  await Promise.all([...sites.values()].map((site) => site.start()));
  const of = (part) => part.map(({ name }) => sites.get(name));

  /// Publishes to all topics at each of these sites. Returns the positions,
  /// undefined for what was refused, by site and topic.
  const publishAll = (chosen) => Promise.all(chosen.map((site) =>
    Promise.all(topics.map((topic) => site.publish(topic)))));

  return {
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
