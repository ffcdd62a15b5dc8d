import type { CallboardError } from './errors.js';
import { AbortedError, TimeoutError } from './errors.js';
import { Alarm, checkedMs } from './timing.js';
import type { CallOptions } from './types.js';

/**
 * Calls `failed` when the time is over or the signal is aborted from now on,
 * until what is returned is called. Throws RangeError.
 */
export function limit({ timeout, signal }: CallOptions,
  failed: (error: CallboardError) => void): () => void {
  const alarm = new Alarm();
  const aborted = () => failed(new AbortedError(signal?.reason));
  if (timeout !== undefined) {
    alarm.set(checkedMs(timeout), () => failed(new TimeoutError(`Not done within ${timeout} ms.`)));
  }
  signal?.addEventListener('abort', aborted);
  return () => {
    alarm.clear();
    signal?.removeEventListener('abort', aborted);
  };
}
