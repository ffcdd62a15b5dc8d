import { Backoff } from './backoff.js';
import { Alarm, now, timerMsMax } from './timing.js';
import type { Options, TokenRequest } from './options.js';
import type { Welcome } from './types.js';

/** How often in a row a token may be refused until the client gives up. */
export const refusalsMax = 3;

const marginMsMax = 30000;

type LoginOptions = Pick<Options, 'token' | 'getToken' | 'random'>;

/** The tokens of a client: where they come from, and when a fresh one is due. */
export class Login {
  #options: LoginOptions;
  #refused = 0;
  #alarm = new Alarm();
  #backoff: Backoff;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#backoff = new Backoff({}, options.random);
  }

  /** Returns a token, a promise of it, or undefined where none is to be shown. */
  async token(reason: TokenRequest['reason'] = 'connect'): Promise<string | undefined> {
    const { getToken, token } = this.#options;
    if (!getToken) return token;
    // What keeps tokens may return null where it has none.
    return await getToken({ reason: this.#refused > 0 ? 'refused' : reason }) ?? undefined;
  }

  /** Whether a token can be had without waiting. */
  get isStatic() { return !this.#options.getToken; }

  accepted() { this.#refused = 0; }

  /** A token was refused, or has run out. Says whether another one is worth trying. */
  refused(): boolean {
    ++this.#refused;
    return !this.isStatic && this.#refused < refusalsMax;
  }

  /**
   * Calls `refresh` before the log-in runs out: 30 s before, or when three
   * quarters of its time are over. Nothing, where no other token can be had.
   */
  watch({ expires, time }: Welcome, refresh: () => void) {
    this.#alarm.clear();
    if (this.isStatic || expires === undefined) return;
    this.#backoff.reset();
    const leftMs = expires - time;
    this.#at(now() + leftMs - Math.min(marginMsMax, leftMs / 4), refresh);
  }

  /** Calls `refresh` again after a while. */
  again(refresh: () => void) {
    this.#alarm.set(1000 + this.#backoff.next(), refresh);
  }

  #at(due: number, refresh: () => void) {
    const leftMs = due - now();
    if (leftMs > timerMsMax) this.#alarm.set(timerMsMax, () => this.#at(due, refresh));
    else this.#alarm.set(leftMs, refresh);
  }

  stop() { this.#alarm.clear(); }
}
