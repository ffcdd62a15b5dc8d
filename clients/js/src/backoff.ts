/** How long a connection has to last for the backoff to begin anew. */
export const stableMs = 10000;

/**
 * Exponential backoff with full jitter: delay n, from 0, is drawn evenly from
 * 0 … min(capMs, baseMs · 2ⁿ) milliseconds.
 */
export class Backoff {
  #attempt = 0;
  #baseMs: number;
  #capMs: number;
  #random: () => number;

  constructor({ baseMs = 1000, capMs = 60000 } = {}, random = Math.random) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  next(): number {
    const bound = Math.min(this.#capMs, this.#baseMs * 2 ** this.#attempt);
    if (bound < this.#capMs) ++this.#attempt;
    return this.#random() * bound;
  }

  reset() { this.#attempt = 0; }
}
