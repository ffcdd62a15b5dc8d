import { CallboardError } from './errors.js';
import type { Frame } from './frame.js';
import { FrameType } from './frame.js';
import type { Session } from './standing.js';
import type { SubscriptionSession } from './subscription.js';
import { Subscription } from './subscription.js';
import type { Event, SubscribeOptions } from './types.js';

/** A client's subscriptions, one for each subject and group. */
export class Subscriptions {
  #all = new Map<string, Subscription>();
  #session: SubscriptionSession;

  constructor(session: Session) {
    this.#session = Object.assign(Object.create(session) as Session, {
      forget: (one: Subscription) => {
        const key = keyOf(one.subject, one.group);
        if (this.#all.get(key) === one) this.#all.delete(key);
      },
    });
  }

  /** Throws where there is one already. */
  add<T>(subject: string, options: SubscribeOptions): Subscription<T> {
    const key = keyOf(subject, options.group);
    if (this.#all.has(key)) {
      throw new CallboardError('already_subscribed', `There is a subscription to '${subject}'.`,
        { code: 401 });
    }
    const one = new Subscription<T>(subject, options, this.#session);
    this.#all.set(key, one as unknown as Subscription);
    if (options.signal?.aborted) void one.unsubscribe();
    else if (this.#session.isConnected) one.make();
    return one;
  }

  /** There is a new connection. */
  connected() {
    for (const one of [...this.#all.values()]) one.make();
  }

  lost() {
    for (const one of [...this.#all.values()]) one.lost();
  }

  end(error: CallboardError) {
    for (const one of [...this.#all.values()]) one.end(error);
  }

  /** Asks again for those that a sentence names: they may have been taken back. */
  check(sentence: string) {
    for (const one of [...this.#all.values()]) {
      if (sentence.includes(`'${one.subject}'`)) one.make();
    }
  }

  /** Hands an event over; says whether it was somebody's. */
  deliver(event: Event): boolean {
    const { topic, pattern, group } = event;
    const one = this.#all.get(keyOf(pattern ?? topic, group));
    one?.deliver(event);
    return one !== undefined;
  }

  /** Takes a frame `position` or `presence`. */
  tell({ type, subject, payload, meta }: Frame) {
    const one = this.#all.get(keyOf(subject, meta.group));
    if (type === FrameType.position) one?.moved(payload);
    else one?.steps(payload);
  }
}

// No subject contains a line's end.
const keyOf = (subject: string, group: string | undefined) =>
  group === undefined ? subject : `${subject}\n${group}`;
