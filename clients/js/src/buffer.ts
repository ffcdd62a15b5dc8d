import { QueueFullError } from './errors.js';
import type { Deferred } from './timing.js';
import { deferred } from './timing.js';

/** What waits for iterators. All of them take from the same buffer. */
export class Buffer<T> {
  #items: T[] = [];
  #takers: Deferred<IteratorResult<T>>[] = [];
  #end: { error?: unknown } | undefined;
  #isFull = false;
  #max: number;
  #overflow: 'fail' | 'drop_oldest';
  /** Whether anybody has iterated: only then can it fail. */
  isTaken = false;

  constructor(max: number, overflow: 'fail' | 'drop_oldest') {
    this.#max = max;
    this.#overflow = overflow;
  }

  /**
   * Adds an item. Says whether one was lost for it, and none before since the
   * buffer was last empty. Throws QueueFullError where it fails.
   */
  push(item: T): boolean {
    const taker = this.#takers.shift();
    if (taker) {
      taker.resolve({ done: false, value: item });
      return false;
    }
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      return false;
    }
    if (this.isTaken && this.#overflow === 'fail') {
      throw new QueueFullError(`${this.#max} events wait to be taken, and no more may.`);
    }
    this.#items.push(item);
    this.#items.shift();
    const isFirst = !this.#isFull;
    this.#isFull = true;
    return isFirst;
  }

  /** Takes all that is there. */
  drain(): T[] {
    this.#isFull = false;
    return this.#items.splice(0);
  }

  /** What is there can still be taken; then iterators end, or throw the error, once. */
  end(error?: unknown) {
    if (this.#end) return;
    this.#end = { error };
    for (const taker of this.#takers.splice(0)) this.#finish(taker);
  }

  take(): Promise<IteratorResult<T>> {
    const taker = deferred<IteratorResult<T>>();
    const [item] = this.#items;
    if (this.#items.length > 0) {
      this.#items.shift();
      if (this.#items.length === 0) this.#isFull = false;
      taker.resolve({ done: false, value: item as T });
    } else if (this.#end) {
      this.#finish(taker);
    } else {
      this.#takers.push(taker);
    }
    return taker.promise;
  }

  #finish(taker: Deferred<IteratorResult<T>>) {
    const { error } = this.#end ?? {};
    if (this.#end) this.#end.error = undefined;
    if (error === undefined) taker.resolve({ done: true, value: undefined });
    else taker.reject(error);
  }
}
