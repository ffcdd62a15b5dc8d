import { Buffer } from './buffer.js';
import type { CallboardError } from './errors.js';
import { AbortedError, MalformedError } from './errors.js';
import { Emitter } from './emitter.js';
import type { Outgoing } from './frame.js';
import { FrameType, isPosition } from './frame.js';
import { limit } from './limit.js';
import type { Session } from './standing.js';
import { Standing } from './standing.js';
import { deferred } from './timing.js';
import type {
  Event, Position, PresenceStep, SubscribeOptions, Subscribed, Subscription as Face,
  SubscriptionEvents,
} from './types.js';

/** What a subscription needs of the client. */
export interface SubscriptionSession extends Session {
  /** It is no longer one of the client's. */
  forget(subscription: Subscription): void;
}

const bufferMax = 1024;
const alreadySubscribed = 401;

/** Returns the position that a payload tells, and nothing else of it. */
const positionIn = (payload: unknown): Position | null =>
  isPosition(payload) ? { epoch: payload.epoch, offset: payload.offset } : null;

/** A subscription over reconnects: docs/protocol.md, "Positions" and "Recovery". */
export class Subscription<T = unknown> extends Emitter<SubscriptionEvents<T>>
  implements Face<T> {
  readonly subject: string;
  readonly group: string | undefined;
  state: 'pending' | 'subscribed' | 'ended' = 'pending';
  position: Position | null;
  #options: SubscribeOptions;
  #session: SubscriptionSession;
  #ready = deferred<Subscribed>();
  #buffer: Buffer<Event<T>>;
  #standing: Standing;
  #from: Position | null = null; // what was asked for
  #made = false;
  #seen: Position | null = null; // before the last answer: a last value may be older
  #release: () => void;

  constructor(subject: string, options: SubscribeOptions, session: SubscriptionSession) {
    super();
    const { group, since = null, signal, buffer = bufferMax, overflow = 'fail' } = options;
    if (!(Number.isInteger(buffer) && buffer > 0)) {
      throw new RangeError('A buffer has room for 1 or more.');
    }
    this.subject = subject;
    this.group = group;
    this.position = since;
    this.#options = options;
    this.#session = session;
    this.#standing = new Standing(session, {
      frame: () => this.#frame(),
      granted: ({ payload }) => this.#begin(payload),
      refused: (error) => this.#refused(error),
    });
    this.#buffer = new Buffer(buffer, overflow);
    this.#release = limit({ signal }, () => void this.unsubscribe());
  }

  get ready() { return this.#ready.promise; }

  get #isEnded() { return this.state === 'ended'; }

  // -- made, and made again -----------------------------------------------------

  /** Subscribes on the connection that is there now. */
  make() { this.#standing.make(); }

  #frame(): Outgoing {
    const { presence, ack, since = null } = this.#options;
    const { group } = this;
    // A group keeps its own place: where it begins is said but once.
    this.#from = group === undefined ? this.position : this.#made ? null : since;
    return {
      type: FrameType.subscribe,
      subject: this.subject,
      meta: {
        since: this.#from ?? undefined, presence: presence || undefined, group,
        ack: ack || undefined,
      },
    };
  }

  /** The connection is gone. */
  lost() {
    this.#standing.lost();
    if (this.state === 'subscribed') this.state = 'pending';
  }

  #refused(error: CallboardError) {
    if (error.code !== alreadySubscribed) {
      this.end(error);
    } else if (this.state === 'subscribed') {
      this.#hold({ position: this.position, recovered: true, again: this.#made }, false);
    } else { // an answer was not heard, nor the events behind it
      void this.#leave();
      this.#standing.later();
    }
  }

  #begin(payload: unknown) {
    const from = this.#from;
    const said = (payload ?? {}) as { recovered?: unknown; retained?: unknown };
    const { retained } = said;
    const head = positionIn(payload);
    const isResumed = from !== null || this.#made;
    this.#seen = this.position;
    // Nothing was missed, either, where it stands where it stood; `==`: a bigint may be small.
    const recovered = said.recovered === true || (from !== null
      && from.epoch === head?.epoch && from.offset == head.offset);
    // Recovered: what was missed comes now, and moves the position on.
    if (!recovered || !from || this.group !== undefined) this.position = head;
    this.#hold({
      position: this.position,
      recovered,
      again: this.#made,
      ...typeof retained === 'boolean' ? { retained } : {},
    }, isResumed);
  }

  #hold(subscribed: Subscribed, isResumed: boolean) {
    this.state = 'subscribed';
    this.#made = true;
    this.#ready.resolve(subscribed);
    this.emit('subscribed', subscribed);
    if (!isResumed) return;
    this.emit('recovered', subscribed);
    if (!subscribed.recovered) {
      this.emit('gap', { reason: 'not recovered', position: subscribed.position });
    }
  }

  // -- what comes ---------------------------------------------------------------

  deliver(event: Event) {
    if (this.state !== 'subscribed') return;
    if (this.group === undefined && !this.#isNew(event)) return;
    const before = this.position;
    if (this.group === undefined && event.pattern === undefined && !event.retained) {
      this.position = { epoch: event.epoch ?? this.position?.epoch ?? '', offset: event.offset };
    }
    const typed = event as Event<T>;
    this.#flush(); // what came before, if a listener has just been added
    if (this.#isEnded) return;
    this.emit('event', typed);
    if (this.#buffer.isTaken || !this.has('event')) this.#keep(typed, before);
  }

  /** Of a pattern nothing is known; of a topic, what came before is not new. */
  #isNew({ pattern, epoch, offset, retained }: Event): boolean {
    if (pattern !== undefined) return true;
    const { position } = this;
    const seen = retained ? this.#seen : position;
    if (!seen || (epoch ?? position?.epoch) !== seen.epoch) return true;
    return offset > seen.offset;
  }

  /** `before`: the position to go on from where there is no room for it. */
  #keep(event: Event<T>, before: Position | null) {
    if (this.#isEnded) return; // by a listener
    try {
      if (this.#buffer.push(event)) {
        this.emit('gap', { reason: 'buffer full', position: this.position });
      }
    } catch (error) {
      this.position = before;
      void this.#leave();
      this.end(error as CallboardError);
    }
  }

  moved(payload: unknown) {
    if (this.state !== 'subscribed') return;
    const position = positionIn(payload);
    const { reason } = (payload ?? {}) as { reason?: unknown };
    if (!position && typeof reason !== 'string') throw new MalformedError('It is no position.');
    if (position) this.position = position; // a pattern has none
    this.emit('gap', { reason: String(reason ?? ''), position });
  }

  steps(payload: unknown) {
    if (this.state === 'subscribed' && Array.isArray(payload)) {
      this.emit('presence', payload as PresenceStep[]);
    }
  }

  // -- its end ------------------------------------------------------------------

  unsubscribe(): Promise<void> {
    if (this.state === 'ended') return Promise.resolve();
    const left = this.#leave();
    this.end();
    return left;
  }

  /** Tells the server; resolves when it has, or there is nobody to tell. */
  #leave(): Promise<void> {
    const { subject, group } = this;
    return this.#standing.leave({ type: FrameType.unsubscribe, subject, meta: { group } });
  }

  /** Ends it here. */
  end(error?: CallboardError) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.#standing.lost();
    this.#release();
    this.#session.forget(this as Subscription);
    this.#buffer.end(error);
    this.#ready.reject(error ?? new AbortedError());
    if (error) this.emit('error', error);
    this.emit('end', undefined);
  }

  // -- who takes events ---------------------------------------------------------

  override on<Name extends keyof SubscriptionEvents<T>>(name: Name,
    listener: (value: SubscriptionEvents<T>[Name]) => void) {
    const isFirst = name === 'event' && !this.has('event') && !this.#buffer.isTaken;
    const off = super.on(name, listener);
    if (isFirst) queueMicrotask(() => this.#flush());
    return off;
  }

  #flush() {
    if (this.#buffer.isTaken || !this.has('event')) return;
    const { state } = this;
    for (const event of this.#buffer.drain()) {
      if (this.state === state) this.emit('event', event); // else a listener has ended it
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Event<T>> {
    this.#buffer.isTaken = true;
    return {
      next: () => this.#buffer.take(),
      return: () => {
        void this.unsubscribe();
        this.#buffer.drain();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
