import type { Frame, Outgoing } from './frame.js';
import { FrameType } from './frame.js';
import type { Event } from './types.js';

/**
 * The events of groups that wait to be confirmed on one connection, and the
 * making of events out of frames.
 */
export class Deliveries {
  #open = new Map<number, AbortController>();
  #send: (frame: Outgoing) => void;

  constructor(send: (frame: Outgoing) => void) { this.#send = send; }

  /** Returns the event that a frame carries. */
  of({ seqId, subject, payload, timestamp, meta }: Frame): Event {
    const { offset = 0, sender = '', retained = false, ...more } = meta;
    const signal = seqId === 0 ? undefined : this.#begin(seqId);
    return {
      topic: subject, payload, timestamp, offset, sender, retained,
      ...more,
      ...signal ? { signal } : {},
      ack: () => this.#finish(seqId, signal, { type: FrameType.ack, seqId }),
      reject: (message = 'It was given back.') => {
        this.#finish(seqId, signal, {
          type: FrameType.error, seqId, subject: 'rejected', payload: message,
          meta: { code: 1000, temporary: true },
        });
      },
    };
  }

  /** It is another member's now; says whether it was one of ours. */
  cancelled(seqId: number): boolean {
    const open = this.#open.get(seqId);
    this.#open.delete(seqId);
    open?.abort();
    return open !== undefined;
  }

  /** The connection is gone. */
  lost() {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const one of open) one.abort();
  }

  #begin(seqId: number): AbortSignal {
    const controller = new AbortController();
    this.#open.set(seqId, controller);
    return controller.signal;
  }

  #finish(seqId: number, signal: AbortSignal | undefined, frame: Outgoing) {
    // The same seqId may be another event's, of a later connection.
    if (!signal || this.#open.get(seqId)?.signal !== signal) return;
    this.#open.delete(seqId);
    this.#send(frame);
  }
}
