// What publishers were promised and what subscribers got, whichever nodes they
// are at: one order per topic and epoch, and no gap that nobody was told of.

import assert from 'node:assert/strict';

/// Takes down what happens, and finds what must not.
export class Ledger {
  problems = [];
  #entries = new Map(); // `topic epoch` → {payloads: offset → payload, offsets: the reverse}
  #heads = new Map(); // topic → epoch → the last offset that was acknowledged

  /// Says that a publication goes out for the first time. What it returns takes
  /// the answer, also to what was sent again with the same id, and so may have had
  /// its place for long: accepted({epoch, offset}).
  sends(topic, payload) {
    // What was acknowledged before stands before it.
    const heads = new Map(this.#headsOf(topic));
    return {
      accepted: ({ epoch, offset }) => {
        const now = this.#headsOf(topic);
        if (offset <= (heads.get(epoch) ?? 0)) {
          this.#wrong(`${topic}: ${payload} got ${offset} after ${heads.get(epoch)} was answered`);
        }
        now.set(epoch, Math.max(offset, now.get(epoch) ?? 0));
        this.enter('its publisher', topic, epoch, offset, payload);
      },
    };
  }

  /// Takes it down that a payload has this place, as somebody was told.
  enter(who, topic, epoch, offset, payload) {
    const key = `${topic} ${epoch}`;
    if (!this.#entries.has(key)) {
      this.#entries.set(key, { payloads: new Map(), offsets: new Map() });
    }
    const { payloads, offsets } = this.#entries.get(key);
    if ((payloads.get(offset) ?? payload) !== payload) {
      this.#wrong(`${key} ${offset}: ${payload} for ${who}, and ${payloads.get(offset)}`);
    }
    if ((offsets.get(payload) ?? offset) !== offset) {
      this.#wrong(`${key}: ${payload} is ${offset} for ${who}, and ${offsets.get(payload)}`);
    }
    payloads.set(offset, payload);
    offsets.set(payload, offset);
  }

  /// Returns what takes down for one subscriber.
  reader(name) { return new Reader(name, this, (text) => this.#wrong(text)); }

  /// Fails if anything was wrong.
  check() { assert.deepEqual(this.problems, []); }

  #headsOf(topic) {
    if (!this.#heads.has(topic)) this.#heads.set(topic, new Map());
    return this.#heads.get(topic);
  }

  #wrong(text) { if (this.problems.length < 20) this.problems.push(text); }
}

/// One subscriber of any number of topics.
class Reader {
  gaps = 0;
  #positions = new Map(); // topic → {epoch, offset}
  #ledger;
  #wrong;

  constructor(name, ledger, wrong) {
    this.name = name;
    this.#ledger = ledger;
    this.#wrong = (topic, text) => wrong(`${name}, ${topic}: ${text}`);
  }

  /// Its subscription begins here, or goes on from here.
  begins(topic, { epoch, offset }) { this.#positions.set(topic, { epoch, offset }); }

  /// It is told that something may be missing before this.
  told(topic, { epoch, offset }) {
    const before = this.#positions.get(topic);
    if (before?.epoch === epoch && offset < before.offset) {
      this.#wrong(topic, `goes back from ${before.offset} to ${offset} in ${epoch}`);
    }
    ++this.gaps;
    this.begins(topic, { epoch, offset });
  }

  event(topic, { epoch, offset }, payload) {
    const at = this.#positions.get(topic);
    if (!at || offset !== at.offset + 1 || (epoch ?? at.epoch) !== at.epoch) {
      this.#wrong(topic, `${payload} at ${offset} (${epoch ?? 'no epoch'}) after ${
        at?.offset} of ${at?.epoch}`);
    }
    this.begins(topic, { epoch: epoch ?? at?.epoch, offset });
    this.#ledger.enter(this.name, topic, epoch ?? at?.epoch, offset, payload);
  }

  /// Returns whether it has all until there.
  has(topic, { epoch, offset }) {
    const at = this.#positions.get(topic);
    return at?.epoch === epoch && at.offset >= offset;
  }

  position(topic) { return this.#positions.get(topic); }
}
