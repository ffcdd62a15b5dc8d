// Clients of the SDK that are at any node of a cluster, publish, subscribe, ask
// and answer all the time, and take down what they were promised and got.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { Ledger } from './ledger.mjs';
import { makeSdk } from './sdk.mjs';
import { sleep, until } from './server.mjs';

const callTimeoutMs = 30000;
const clientsPerTopic = 4;
const clientsPerResponder = 10;

/// Returns a WebSocket class that goes to the next of these each time, the n-th
/// one first, as a balancer has it.
function balanced(urls, n) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(urls[n++ % urls.length], protocols, { perMessageDeflate: false });
    }
  };
}

class Worker {
  published = 0;
  answered = 0;
  refused = {}; // for a while: name → how often
  #stopped = false;
  #ledger;

  constructor(name, topic, client, ledger) {
    this.topic = topic;
    this.client = client;
    this.#ledger = ledger;
    this.name = name;
    this.reader = ledger.reader(name);
    const subscription = client.subscribe(topic);
    const as = ({ epoch, offset }) => ({ epoch, offset: Number(offset) });
    subscription.on('subscribed', ({ again, position }) => {
      if (!again) this.reader.begins(topic, as(position));
    });
    subscription.on('gap', ({ position }) => this.reader.told(topic, as(position)));
    subscription.on('event', (event) => this.reader.event(topic, as(event), event.payload));
    subscription.on('error', (error) => {
      ledger.problems.push(`${name} is subscribed no more: ${error}`);
    });
  }

  /// Publishes one after the other, each until it is answered with its position.
  async publish(pauseMs) {
    while (!this.#stopped) {
      const payload = `${this.name}.${++this.published}`;
      const sent = this.#ledger.sends(this.topic, payload);
      for (let position; !position;) {
        position = await this.#try('publish', this.client.publish(this.topic, payload,
          { id: payload, timeout: callTimeoutMs }));
        if (position) {
          this.last = { epoch: position.epoch, offset: Number(position.offset) };
          sent.accepted(this.last);
        }
      }
      await sleep(pauseMs);
    }
  }

  /// Asks one after the other; each is answered or told why not.
  async ask(pauseMs) {
    for (let n = 1; !this.#stopped; ++n) {
      const answer = await this.#try('request',
        this.client.request('double', n, { timeout: callTimeoutMs }));
      if (answer !== undefined) {
        assert.equal(answer, 2 * n);
        ++this.answered;
      }
      await sleep(pauseMs);
    }
  }

  /// Returns what a call comes to, or after a while undefined if it is refused
  /// for that. Nothing may wait until it is given up.
  async #try(what, call) {
    try {
      return await call;
    } catch (error) {
      const key = `${what} ${error.name}`;
      assert.ok(error.temporary && error.name !== 'timeout', `${this.name}: ${key}`);
      this.refused[key] = (this.refused[key] ?? 0) + 1;
      await sleep(error.retryAfterMs ?? 100);
      return undefined;
    }
  }

  stop() { this.#stopped = true; }
}

/// Makes clients of nodes at these URLs, `optionsOf(i)` the options of the i-th.
export function startWorkers(urls, count, optionsOf, pauseMs) {
  const ledger = new Ledger();
  const workers = Array.from({ length: count }, (_, i) => {
    const client = makeSdk(urls[0], { WebSocket: balanced(urls, i), ...optionsOf(i) });
    if (i % clientsPerResponder === 0) client.respond('double', (n) => 2 * n);
    return new Worker(`w${i}`, `t/${Math.floor(i / clientsPerTopic)}`, client, ledger);
  });
  const ended = Promise.all(workers.flatMap((worker) =>
    [worker.publish(pauseMs), worker.ask(pauseMs)]));
  ended.catch(() => {}); // told by settle()
  return {
    workers,
    connected: () => workers.filter(({ client }) => client.state === 'connected').length,
    /// Publishes no more. Waits until all is answered and has reached everybody,
    /// fails if something was wrong, and returns the sums of what happened.
    async settle(patienceMs) {
      for (const worker of workers) worker.stop();
      await ended;
      const lacks = () => workers.flatMap(({ name, topic, reader }) => workers
        .filter((other) => other.topic === topic && !reader.has(topic, other.last))
        .map((other) => `${name}: ${JSON.stringify([topic, reader.position(topic), other.last])}`));
      // An epoch that is over is reached by nobody any more.
      for (const worker of workers) {
        const { epoch, offset } = await worker.client.publish(worker.topic, `${worker.name}.end`);
        worker.last = { epoch, offset: Number(offset) };
      }
      await until(() => lacks().length === 0, 'the last events', patienceMs)
        .catch((error) => { throw new Error(`${error.message}: ${lacks().slice(0, 5)}`); });
      ledger.check();
      const total = { published: 0, answered: 0, gaps: 0, refused: {} };
      for (const { published, answered, reader, refused } of workers) {
        total.published += published;
        total.answered += answered;
        total.gaps += reader.gaps;
        for (const [key, n] of Object.entries(refused)) {
          total.refused[key] = (total.refused[key] ?? 0) + n;
        }
      }
      return total;
    },
  };
}

