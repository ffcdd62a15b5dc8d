import { Alarm, now } from './timing.js';

/** How long a connection that is asked at once has to show that it lives. */
export const checkMs = 5000;

export interface HeartbeatListeners {
  ping(): void;
  dead(): void;
}

/**
 * Asks for a sign of life when nothing has come for `intervalMs`, and finds
 * the connection dead when nothing has come by `timeoutMs`. A question is
 * always given time: after the machine slept, nothing counts as silence.
 */
export class Heartbeat {
  #alarm = new Alarm();
  #heardAt = now();
  #deadAt = 0;
  #asked = false;
  #answerMs: number;
  #intervalMs: number;
  #listeners: HeartbeatListeners;

  constructor(intervalMs: number, timeoutMs: number, listeners: HeartbeatListeners) {
    this.#intervalMs = intervalMs;
    this.#listeners = listeners;
    // Of two that do not fit each other only the first counts.
    this.#answerMs = timeoutMs > intervalMs ? timeoutMs - intervalMs : checkMs;
    this.#wait(intervalMs);
  }

  /** Something came. */
  heard() {
    this.#heardAt = now();
    if (!this.#asked) return;
    this.#asked = false;
    this.#wait(this.#intervalMs);
  }

  /** Asks at once, unless that is under way with less time left. */
  check() {
    const bound = Math.min(checkMs, this.#answerMs);
    if (!this.#asked || this.#deadAt - now() > bound) this.#ask(bound);
  }

  stop() { this.#alarm.clear(); }

  #wait(ms: number) {
    this.#alarm.set(ms, () => {
      const leftMs = this.#heardAt + this.#intervalMs - now();
      if (leftMs > 0) this.#wait(leftMs);
      else this.#ask(this.#answerMs);
    });
  }

  #ask(answerMs: number) {
    this.#asked = true;
    this.#deadAt = now() + answerMs;
    this.#alarm.set(answerMs, () => this.#listeners.dead());
    this.#listeners.ping();
  }
}
