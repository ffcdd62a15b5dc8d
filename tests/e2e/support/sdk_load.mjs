// Clients of the SDK that publish and subscribe under trouble, and write down
// what they were promised and what they got.

import assert from 'node:assert/strict';
import { makeSdk } from './sdk.mjs';
import { sleep, until } from './server.mjs';

/// A client that publishes to its topic, and subscribes to it.
class Worker {
  acknowledged = new Map(); // payload → offset
  received = []; // {offset, payload}, in order
  gaps = [];
  #published = 0;
  #stopped = false;

  constructor(name, topic, client) {
    this.name = name;
    this.topic = topic;
    this.client = client;
    this.subscription = client.subscribe(topic);
    this.subscription.on('event', ({ offset, payload }) => {
      this.received.push({ offset: Number(offset), payload });
    });
    this.subscription.on('gap', (gap) => this.gaps.push(gap));
  }

  /// Publishes with ids, `window` at a time and a pause after each answer.
  async publish(window, pauseMs) {
    const one = async () => {
      while (!this.#stopped) {
        const payload = `${this.name}.${++this.#published}`;
        const { offset } = await this.client.publish(this.topic, payload,
          { id: payload, timeout: 300000 });
        this.acknowledged.set(payload, Number(offset));
        await sleep(pauseMs);
      }
    };
    await Promise.all(Array.from({ length: window }, one));
  }

  stop() { this.#stopped = true; }
}

/// Makes `count` clients, of which four each share a topic.
/// @param options of client i, by a function.
export function startWorkers(url, count, optionsOf, { window = 2, pauseMs = 200 } = {}) {
  const workers = Array.from({ length: count }, (_, i) =>
    new Worker(`w${i}`, `t/${Math.floor(i / 4)}`, makeSdk(url, optionsOf(i))));
  const ended = Promise.all(workers.map((worker) => worker.publish(window, pauseMs)));
  ended.catch(() => {}); // told by settle()
  return {
    workers,
    /// Publishes no more, and waits until all that was sent is answered, and
    /// has reached everybody.
    async settle(patienceMs) {
      for (const worker of workers) worker.stop();
      let failed;
      let done = false;
      ended.then(() => { done = true; }, (error) => { failed = error; });
      await until(() => done || failed, 'the answers', patienceMs).catch((error) => {
        throw new Error(`${error.message}: ${describe(workers)}`);
      });
      if (failed) throw failed;
      const last = new Map();
      for (const { topic, acknowledged } of workers) {
        last.set(topic, Math.max(last.get(topic) ?? 0, ...acknowledged.values()));
      }
      await until(() => workers.every(({ topic, received }) =>
        (received.at(-1)?.offset ?? 0) >= last.get(topic)), 'the last events', patienceMs)
        .catch((error) => { throw new Error(`${error.message}: ${describe(workers)}`); });
    },
  };
}

/// Says how many clients are in which state.
function describe(workers) {
  const counts = {};
  for (const { client: { state } } of workers) counts[state] = (counts[state] ?? 0) + 1;
  return JSON.stringify(counts);
}

/// Fails unless each worker got its topic's events once, in the order of their
/// offsets, and each publisher's in the order in which it published.
export function checkOrder(workers) {
  for (const { name, received } of workers) {
    const lastOf = new Map();
    let before = 0;
    for (const { offset, payload } of received) {
      assert.ok(offset > before, `${name}: offset ${offset} after ${before}`);
      before = offset;
      const [publisher, n] = payload.split('.');
      const last = lastOf.get(publisher) ?? 0;
      assert.ok(Number(n) > last, `${name}: ${payload} after ${publisher}.${last}`);
      lastOf.set(publisher, Number(n));
    }
  }
}

/// Fails unless all that was acknowledged is in `kept`, {topic: [{offset,
/// payload}]}, at its place, and nothing is there twice.
export function checkKept(workers, kept) {
  for (const [topic, events] of kept) {
    const payloads = events.map(({ payload }) => payload);
    assert.equal(new Set(payloads).size, payloads.length, `${topic}: something is there twice`);
  }
  for (const { name, topic, acknowledged } of workers) {
    const at = new Map(kept.get(topic).map(({ offset, payload }) => [offset, payload]));
    for (const [payload, offset] of acknowledged) {
      assert.equal(at.get(offset), payload, `${name}: offset ${offset} of ${topic}`);
    }
  }
}

/// Fails unless each worker without a gap got all that is kept behind the first
/// event that it got.
export function checkComplete(workers, kept) {
  for (const { name, topic, received, gaps } of workers) {
    if (gaps.length > 0) continue;
    const wanted = kept.get(topic).filter(({ offset }) => offset >= received[0].offset);
    assert.deepEqual(received, wanted, `${name}: ${topic}`);
  }
}

/// Reads all that the topics of the workers keep.
export async function readKept(client, workers) {
  const kept = new Map();
  for (const topic of new Set(workers.map((worker) => worker.topic))) {
    const events = [];
    let since;
    for (let more = true; more;) {
      const page = await client.history(topic, { limit: 1000, since });
      for (const { offset, payload } of page.events) {
        events.push({ offset: Number(offset), payload });
      }
      ({ more } = page);
      since = { epoch: page.epoch, offset: events.at(-1)?.offset ?? 0 };
    }
    kept.set(topic, events);
  }
  return kept;
}

/// Returns the most of these times that lie within any window of `ms`.
export function mostWithin(times, ms) {
  let most = 0;
  let first = 0;
  times.forEach((time, i) => {
    while (time - times[first] >= ms) ++first;
    most = Math.max(most, i - first + 1);
  });
  return most;
}
