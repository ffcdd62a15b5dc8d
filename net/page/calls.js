// Calls in flight: which reply belongs to which promise, and until when.

import { CallboardError } from './protocol.js';

const seqIdMax = 0xffffffff;

export class Calls {
  #lastSeqId = 0;
  #pending = new Map();

  get lastSeqId() { return this.#lastSeqId; }

  has(seqId) { return this.#pending.has(seqId); }

  /// Starts a call and returns the promise of its reply.
  /// @param send is given the seqId; where it throws, so does the promise.
  /// @param timeoutMs until the promise fails with `timeout`.
  /// @param accept is given the reply in the very turn it is read, before the
  ///               frames behind it; a promise's handlers run after those.
  start(send, timeoutMs, accept = () => {}) {
    return new Promise((resolve, reject) => {
      const seqId = this.#next();
      send(seqId);
      const timer = setTimeout(() => {
        this.fail(seqId, new CallboardError('timeout',
          `Nothing was answered within ${timeoutMs} ms.`, { temporary: true }));
      }, timeoutMs);
      this.#pending.set(seqId, { resolve, reject, accept, timer });
    });
  }

  /// Both return whether there was such a call.
  succeed(seqId, reply) {
    const call = this.#take(seqId);
    call?.accept(reply);
    call?.resolve(reply);
    return call !== undefined;
  }

  fail(seqId, error) {
    const call = this.#take(seqId);
    call?.reject(error);
    return call !== undefined;
  }

  failAll(error) {
    for (const seqId of [...this.#pending.keys()]) this.fail(seqId, error);
  }

  #take(seqId) {
    const call = this.#pending.get(seqId);
    clearTimeout(call?.timer);
    this.#pending.delete(seqId);
    return call;
  }

  /// 1 to 2^32 - 1, round and round, past those still in flight.
  #next() {
    do {
      this.#lastSeqId = this.#lastSeqId % seqIdMax + 1;
    } while (this.#pending.has(this.#lastSeqId));
    return this.#lastSeqId;
  }
}
