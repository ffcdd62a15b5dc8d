/** The longest time that a timer takes, in milliseconds: 24 days. */
export const timerMsMax = 2 ** 31 - 1;

/** A timer that is set again and again, and only once at a time. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `ring` in `ms` milliseconds, at most 24 days; Infinity: never. */
  set(ms: number, ring: () => void) {
    this.clear();
    if (ms === Infinity) return;
    this.#timer = setTimeout(ring, Math.min(Math.max(0, ms), timerMsMax));
  }

  clear() { clearTimeout(this.#timer); }
}

/** Milliseconds that only go forward. */
export const now = () => performance.now();

/** Marks a promise as looked after: that nobody awaits it makes no noise. */
export function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Returns a promise, guarded, and what settles it. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = guarded(new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  }));
  return { promise, resolve, reject };
}

/** Returns `ms` if it is a time that a timer takes. Throws RangeError. */
export function checkedMs(ms: number): number {
  if (!(ms > 0 && ms <= timerMsMax)) throw new RangeError('A timeout is 1 … 2147483647 ms.');
  return ms;
}
