import type { CallboardError } from './errors.js';

/** An offset: a number up to 2^53 - 1, a bigint beyond. `<` takes both. */
export type Offset = number | bigint;

/** Where somebody stands in a topic: behind the event with this offset. */
export interface Position {
  readonly epoch: string;
  readonly offset: Offset;
}

/**
 * `disconnected`: not wanted, or not any more; `connecting`: until the
 * server's `welcome`; `connected`; `retry_pending`: waits for the next attempt.
 */
export type State = 'disconnected' | 'connecting' | 'connected' | 'retry_pending';

export interface StateChange {
  readonly state: State;
  readonly previous: State;
  /** `retry_pending`: until the next attempt. Infinity while offline. */
  readonly retryInMs?: number;
  /** Of the connection that ended; 1006 where there was no close frame. */
  readonly closeCode?: number;
  /** Why it ended, for people. */
  readonly reason?: string;
  /** `disconnected`: why the client will not come back by itself. */
  readonly error?: CallboardError;
}

/** What the server says of the connection when it begins. */
export interface Welcome {
  /** The connection's name. */
  readonly connection: string;
  readonly node: string;
  readonly incarnation: Offset;
  /** Who is logged in, if anybody is. */
  readonly user?: string;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly frameBytesMax: number;
  readonly inflightMax: number;
  /** The server's Unix time in milliseconds. */
  readonly time: number;
  /** When the log-in runs out: Unix time in milliseconds. */
  readonly expires?: number;
}

export interface Goaway {
  readonly reason: string;
  readonly reconnect: 'now' | 'backoff' | 'never';
  /** An hour at most, and so is spreadMs. */
  readonly afterMs: number;
  readonly spreadMs: number;
  /** Where to go instead, if the server says so. */
  readonly urls?: readonly string[];
}

/** What has listeners. A listener that throws is reported, and harms nobody else. */
export interface Emitter<Events> {
  /** Adds a listener; what is returned removes it. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
  /** Like `on`, for one time. */
  once<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
  off<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): void;
}

/** A publication, as a subscriber gets it. */
export interface Event<T = unknown> {
  readonly topic: string;
  readonly payload: T;
  /** When the server took it: Unix time in milliseconds. */
  readonly timestamp: number;
  readonly offset: Offset;
  /** On the first one of an epoch. */
  readonly epoch?: string;
  /** The user, or the connection's name; empty where the application published. */
  readonly sender: string;
  /** The pattern that matched. */
  readonly pattern?: string;
  readonly trace?: string;
  readonly key?: string;
  /** Whether it is the topic's last value, from before the subscription. */
  readonly retained: boolean;
  readonly group?: string;
  /** From the second delivery in a group on: which one this is. */
  readonly attempt?: number;
  /** Of a dead letter: the group that it comes from. */
  readonly origin?: string;
  /**
   * In a group that confirms (`ack`): aborted when the event is another
   * member's now, or the connection is gone. Else undefined.
   */
  readonly signal?: AbortSignal;
  /** Confirms it. Does nothing where there is nothing (more) to confirm. */
  ack(): void;
  /** Gives it to another member at once. Does nothing likewise. */
  reject(message?: string): void;
}

/** `reset`: steps may have been lost; ask again who is there. */
export type PresenceStep =
  | { readonly event: 'join' | 'leave'; readonly user?: string; readonly connection: string }
  | { readonly event: 'reset' };

/** The answer to a subscribe. */
export interface Subscribed {
  /** Where the subscription begins; null with a pattern. */
  readonly position: Position | null;
  /** Whether everything behind `since` comes. */
  readonly recovered: boolean;
  /** With a pattern: whether all last values come; undefined if there are none. */
  readonly retained?: boolean;
  /** Whether this was made anew, after a reconnect. */
  readonly again: boolean;
}

/** Events may be missing. */
export interface Gap {
  /**
   * `not recovered`, `epoch changed`, `events lost`, `events dropped`,
   * `history exceeded`, or `buffer full` (by this side's own buffer).
   */
  readonly reason: string;
  /**
   * Behind it all is there again. Null with a pattern: events of any topic that
   * matches may be missing.
   */
  readonly position: Position | null;
}

export interface SubscriptionEvents<T = unknown> {
  event: Event<T>;
  /** With the option `presence`: who came and who went. */
  presence: readonly PresenceStep[];
  /** After each answer to a subscribe, the first and those after reconnects. */
  subscribed: Subscribed;
  /** After each answer to a subscribe with a position: what it came to. */
  recovered: Subscribed;
  gap: Gap;
  /** It has ended: refused, taken back, or the client closed for good. */
  error: CallboardError;
  /** It has ended, whyever. */
  end: undefined;
}

export interface SubscribeOptions {
  /** Get what was published behind this position first. */
  since?: Position;
  /** Get `presence` too. */
  presence?: boolean;
  /** Be a member of this group: each event goes to one of them. */
  group?: string;
  /** With `group`: each event has to be confirmed, by `event.ack()`. */
  ack?: boolean;
  /** Ends the subscription. */
  signal?: AbortSignal;
  /** Events that may wait for an iterator: default 1,024. */
  buffer?: number;
  /**
   * What happens beyond. `fail` (default): the iterator yields what waits and
   * then throws QueueFullError. `drop_oldest`: they are dropped. Both emit `gap`.
   */
  overflow?: 'fail' | 'drop_oldest';
}

/**
 * A subscription to a topic or a pattern, over reconnects.
 *
 * Iterating takes events from one bounded buffer, whoever iterates. They are
 * buffered from the start, until the first listener to `event` is added where
 * nobody has iterated; that listener gets what was buffered by then. Leaving a
 * `for await` loop unsubscribes.
 */
export interface Subscription<T = unknown>
  extends Emitter<SubscriptionEvents<T>>, AsyncIterable<Event<T>> {
  /** The topic or pattern. */
  readonly subject: string;
  readonly group: string | undefined;
  /** `pending`: not made yet, or not again since the last reconnect. */
  readonly state: 'pending' | 'subscribed' | 'ended';
  /** Of the last event, or where the subscription began; null with a pattern, and before. */
  readonly position: Position | null;
  /** The first answer, or why there is none. May be left alone. */
  readonly ready: Promise<Subscribed>;
  /** Ends it. Iterators yield what is buffered, then end. */
  unsubscribe(): Promise<void>;
}

export interface CallOptions {
  /** Until it fails with TimeoutError, the wait for a connection included. Default: the client's. */
  timeout?: number;
  /** Fails it with AbortedError; what was not sent yet is not sent. */
  signal?: AbortSignal;
}

export interface PublishOptions extends CallOptions {
  /** Whether to wait for the server's answer: default true. */
  ack?: boolean;
  /**
   * 1 … 64 bytes. The same id is accepted once; with one, and `ack`, it is sent
   * again after a reconnect until it is answered. `true` makes one up.
   */
  id?: string | true;
  /** Not to this connection's own subscriptions. */
  noEcho?: boolean;
  /** 1 … 64 bytes. Groups give events with the same key after each other. */
  key?: string;
  /** W3C `traceparent`. */
  trace?: string;
}

export interface RequestOptions extends CallOptions {
  /** Send it again where the connection is lost before the answer. */
  idempotent?: boolean;
  /** W3C `traceparent`. */
  trace?: string;
}

export interface NotifyOptions {
  /** How long it may wait for a connection. Default: the client's. */
  timeout?: number;
  trace?: string;
}

/** What a handler is told about a request. */
export interface RequestContext {
  readonly action: string;
  /** The user, or the connection's name; empty where the application asked. */
  readonly sender: string;
  /** How long the asker waits, in milliseconds, where the server says so. */
  readonly timeoutMs?: number;
  readonly trace?: string;
  /** Whether no answer is wanted. */
  readonly notify: boolean;
  /** Aborted when the answer is no longer wanted, or the connection is gone. */
  readonly signal: AbortSignal;
}

/**
 * Returns the answer, or a promise of it. What it throws is the answer too: a
 * ResponderError as it is; anything else as `failed` (1000), without details.
 */
export type Handler<In = unknown, Out = unknown> =
  (payload: In, context: RequestContext) => Out | Promise<Out>;

/** A registered action, over reconnects. */
export interface Responder {
  readonly action: string;
  /** The first answer to the registration, or why it was refused. May be left alone. */
  readonly ready: Promise<void>;
  /** Takes no more requests; those that are being answered go on. */
  stop(): Promise<void>;
}

export interface HistoryOptions extends CallOptions {
  since?: Position;
  /** Only what is before this offset. */
  before?: Offset;
  /** 1 … 1000; default 100. */
  limit?: number;
  /** The last of them, newest first. */
  reverse?: boolean;
}

export interface HistoryEvent<T = unknown> {
  readonly offset: Offset;
  readonly timestamp: number;
  readonly sender: string;
  readonly payload: T;
  readonly trace?: string;
  readonly key?: string;
  readonly origin?: string;
  readonly attempt?: number;
}

export interface History<T = unknown> extends Position {
  /** Whether there are further ones on that side. */
  readonly more: boolean;
  readonly events: readonly HistoryEvent<T>[];
}

export interface PresenceOptions extends CallOptions {
  /** Members of a page, 1 … 1000; default 100. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string;
}

export interface Member {
  readonly user?: string;
  readonly connections: readonly string[];
}

export interface PresencePage {
  readonly members: readonly Member[];
  readonly next?: string;
}

export interface PresenceCount {
  readonly members: number;
  readonly connections: number;
}

export interface ClientEvents {
  state: StateChange;
  /** After each connect, and after each refresh of the log-in. */
  welcome: Welcome;
  goaway: Goaway;
  /** What was pushed to this connection's user, without a subscription. */
  push: Event;
  /** What no promise could be given: nothing has to be done about it. */
  error: CallboardError;
}

/** A client. It connects, and keeps connected, until `close()`. */
export interface Client extends Emitter<ClientEvents> {
  readonly state: State;
  /** Of the connection that lives; null without one. */
  readonly welcome: Welcome | null;
  /** Connects, or tries again at once where it waits to. */
  connect(): void;
  /** Resolves once connected; fails with ClosedError where that will not be. */
  connected(options?: CallOptions): Promise<Welcome>;
  /** Ends it: what is in flight or waits fails with ClosedError, subscriptions end with it. */
  close(): void;
  /** Makes a subscription; a second one to the same subject and group throws. */
  subscribe<T = unknown>(subject: string, options?: SubscribeOptions): Subscription<T>;
  /** Publishes. Resolves with the position, or without `ack` with null once it is sent. */
  publish(topic: string, payload: unknown, options: PublishOptions & { ack: false }): Promise<null>;
  publish(topic: string, payload: unknown, options?: PublishOptions): Promise<Position>;
  /** Asks for an action, and resolves with the answer. */
  request<Out = unknown>(action: string, payload?: unknown, options?: RequestOptions): Promise<Out>;
  /** Sends an action off; resolves once it is sent. */
  notify(action: string, payload?: unknown, options?: NotifyOptions): Promise<void>;
  /** Answers an action from now on; a second handler for it throws. */
  respond<In = unknown, Out = unknown>(action: string, handler: Handler<In, Out>): Responder;
  /** Publishes to a user's own topic. */
  push(user: string, payload: unknown, options?: PushOptions): Promise<Position>;
  /** Reads what a topic keeps. */
  history<T = unknown>(topic: string, options?: HistoryOptions): Promise<History<T>>;
  position(topic: string, options?: CallOptions): Promise<Position>;
  /** A page of who is there. */
  presence(topic: string, options?: PresenceOptions): Promise<PresencePage>;
  presenceCount(topic: string, options?: CallOptions): Promise<PresenceCount>;
  /** Measures a round trip, in milliseconds. */
  ping(options?: CallOptions): Promise<number>;
}

export interface PushOptions extends CallOptions {
  /** As with `publish`. */
  id?: string | true;
  trace?: string;
}
