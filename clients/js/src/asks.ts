import type { Codec } from './codec.js';
import type { Link } from './calls.js';
import type { Frame, Outgoing } from './frame.js';

export type Answered = (answer: Frame | null) => void;

interface Ask {
  readonly answered: Answered;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * What the client itself asks of one connection, such as to subscribe. The
 * answer is taken in the turn in which it is read, before the frames behind it.
 */
export class Asks {
  #asks = new Map<number, Ask>();
  #codec: Codec;
  #link: Link;
  #nextSeqId: () => number;
  #timeoutMs: number;

  constructor(codec: Codec, link: Link, nextSeqId: () => number, timeoutMs: number) {
    this.#codec = codec;
    this.#link = link;
    this.#nextSeqId = nextSeqId;
    this.#timeoutMs = timeoutMs;
  }

  /** Calls `answered` once; with null where no answer came in time, or none can come. */
  ask(frame: Outgoing, answered: Answered) {
    const seqId = this.#nextSeqId();
    this.#link.send(this.#codec.encode({ ...frame, seqId }));
    const timer = setTimeout(() => {
      this.#asks.delete(seqId);
      answered(null);
    }, this.#timeoutMs);
    this.#asks.set(seqId, { answered, timer });
  }

  /** Takes an answer; says whether it belongs to an ask. */
  answer(frame: Frame): boolean {
    const ask = this.#asks.get(frame.seqId);
    if (!ask) return false;
    this.#asks.delete(frame.seqId);
    clearTimeout(ask.timer);
    ask.answered(frame);
    return true;
  }

  /** The connection is gone: there are no answers. */
  clear() {
    const all = [...this.#asks.values()];
    this.#asks.clear();
    for (const { answered, timer } of all) {
      clearTimeout(timer);
      answered(null);
    }
  }
}
