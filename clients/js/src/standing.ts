import type { Answered } from './asks.js';
import { Backoff } from './backoff.js';
import type { CallboardError } from './errors.js';
import { errorOf } from './errors.js';
import type { Frame, Outgoing } from './frame.js';
import { FrameType } from './frame.js';
import { Alarm } from './timing.js';

/** What of a client's connection is asked. */
export interface Session {
  readonly isConnected: boolean;
  readonly random: () => number;
  ask(frame: Outgoing, answered: Answered): void;
}

export interface StandingListeners {
  /** Returns what to ask for now. */
  frame(): Outgoing;
  granted(answer: Frame): void;
  /** For good. */
  refused(error: CallboardError): void;
}

/**
 * Something that is asked for on each connection, such as a subscription, and
 * again after a while where it cannot be had yet, or no answer came.
 */
export class Standing {
  #retry = new Alarm();
  #backoff: Backoff;
  #asked = 0; // counts: an answer to an older one is void
  /** Whether the server may know of it, on this connection. */
  isKnown = false;
  #session: Session;
  #listeners: StandingListeners;

  constructor(session: Session, listeners: StandingListeners) {
    this.#session = session;
    this.#listeners = listeners;
    this.#backoff = new Backoff({}, session.random);
  }

  make() {
    this.#retry.clear();
    this.isKnown = true;
    const asked = ++this.#asked;
    this.#session.ask(this.#listeners.frame(), (answer) => {
      if (asked === this.#asked) this.#answered(answer);
    });
  }

  #answered(answer: Frame | null) {
    const error = answer?.type === FrameType.error ? errorOf(answer) : undefined;
    if (answer && !error) {
      this.#backoff.reset();
      this.#listeners.granted(answer);
    } else if (error && !error.temporary) {
      this.#listeners.refused(error);
    } else {
      this.later(error?.retryAfterMs);
    }
  }

  /** Asks again after a while, of a second at least. */
  later(retryAfterMs = 0) {
    this.#retry.set(Math.max(1000, retryAfterMs) + this.#backoff.next(), () => this.make());
  }

  /** It is not wanted any more, or the connection is gone. */
  lost() {
    ++this.#asked;
    this.isKnown = false;
    this.#retry.clear();
  }

  /** Tells the server that it is not wanted; resolves when that is known, or need not be. */
  leave(frame: Outgoing): Promise<void> {
    const { isKnown } = this;
    this.lost();
    return new Promise((resolve) => {
      if (isKnown && this.#session.isConnected) this.#session.ask(frame, () => resolve());
      else resolve();
    });
  }
}
