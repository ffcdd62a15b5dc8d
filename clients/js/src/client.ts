import type { CallNeeds } from './calls.js';
import { Calls } from './calls.js';
import { Asks } from './asks.js';
import type { Codec } from './codec.js';
import { jsonCodec, msgpackCodec } from './codec.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import type { CallboardError, ClosedError } from './errors.js';
import { AbortedError, errorOf, tooLarge } from './errors.js';
import { Deliveries } from './event.js';
import type { Frame, Meta, Outgoing } from './frame.js';
import { FrameType } from './frame.js';
import { limit } from './limit.js';
import { Responders } from './responders.js';
import { Subscriptions } from './subscriptions.js';
import { checkedMs, deferred, guarded, now } from './timing.js';
import type { Options, WebSocketClass } from './options.js';
import type {
  CallOptions, Client as Face, ClientEvents, Handler, History, HistoryOptions, NotifyOptions,
  Position, PresenceCount, PresenceOptions, PresencePage, PublishOptions, PushOptions,
  RequestOptions, Responder, State, SubscribeOptions, Subscription, Welcome,
} from './types.js';
import { isAddress } from './welcome.js';

const timeoutMs = 10000;
const serverTimeoutMsMax = 300000;
const seqIdMax = 2 ** 32 - 1;
const forbidden = 202;

/** Joins the parts: connection, calls, subscriptions and responders. */
class Client extends Emitter<ClientEvents> implements Face {
  #codec: Codec;
  #random: () => number;
  #timeoutMs: number;
  #lastSeqId = 0;
  #connection: Connection;
  #calls: Calls;
  #asks: Asks;
  #subscriptions: Subscriptions;
  #responders: Responders;
  #deliveries: Deliveries;
  #closed: ClosedError | undefined;
  #waiting = new Set<{ welcome(welcome: Welcome): void; ended(error: CallboardError): void }>();

  constructor(url: string, Class: WebSocketClass, options: Options) {
    super();
    const nextSeqId = () => this.#nextSeqId();
    this.#codec = options.codec === 'json' ? jsonCodec : msgpackCodec;
    this.#random = options.random ?? Math.random;
    this.#timeoutMs = checkedMs(options.timeout ?? timeoutMs);
    this.#connection = new Connection({
      ...options, url, WebSocket: Class, codec: this.#codec, nextSeqId,
    }, {
      state: (change) => this.emit('state', change),
      goaway: (goaway) => this.emit('goaway', goaway),
      error: (error) => this.emit('error', error),
      welcome: (welcome, fresh) => this.#welcomed(welcome, fresh),
      frame: (frame) => this.#take(frame),
      lost: () => this.#lost(),
      ended: (error) => this.#ended(error),
    });
    const link = this.#connection;
    this.#calls = new Calls(this.#codec, link, nextSeqId, options.queue);
    // What comes too late for a call is soon enough here.
    this.#asks = new Asks(this.#codec, link, nextSeqId, Math.max(this.#timeoutMs, timeoutMs));
    this.#deliveries = new Deliveries((frame) => this.#send(frame));
    const session = {
      get isConnected() { return link.welcome !== null && !link.isLeaving; },
      random: this.#random,
      ask: this.#asks.ask.bind(this.#asks),
      send: (frame: Outgoing) => this.#send(frame),
      error: (error: CallboardError) => this.emit('error', error),
    };
    this.#subscriptions = new Subscriptions(session);
    this.#responders = new Responders(session);
  }

  // -- the connection -----------------------------------------------------------

  get state(): State { return this.#connection.state; }

  get welcome(): Welcome | null { return this.#connection.welcome; }

  connect() {
    this.#closed = undefined;
    this.#calls.begin();
    this.#connection.connect();
  }

  close() { this.#connection.close(); }

  connected({ timeout, signal }: CallOptions = {}): Promise<Welcome> {
    const { promise, resolve, reject } = deferred<Welcome>();
    if (this.welcome) resolve(this.welcome);
    else if (this.#closed) reject(this.#closed);
    else if (signal?.aborted) reject(new AbortedError(signal.reason));
    else {
      const release = limit({ timeout, signal }, reject);
      const entry = { welcome: resolve, ended: reject };
      this.#waiting.add(entry);
      const settled = () => {
        release();
        this.#waiting.delete(entry);
      };
      promise.then(settled, settled);
    }
    return promise;
  }

  #welcomed(welcome: Welcome, fresh: boolean) {
    if (fresh) {
      this.#subscriptions.connected();
      this.#responders.connected();
      this.#calls.pump();
      for (const entry of [...this.#waiting]) entry.welcome(welcome);
    }
    this.emit('welcome', welcome);
  }

  #lost() {
    this.#subscriptions.lost();
    this.#calls.lost();
    this.#responders.lost();
    this.#asks.clear(); // when nobody who would ask again waits
    this.#deliveries.lost();
  }

  #ended(error: ClosedError) {
    this.#closed = error;
    this.#calls.end(error);
    this.#responders.end(error);
    this.#subscriptions.end(error);
    for (const entry of [...this.#waiting]) entry.ended(error);
  }

  // -- frames -------------------------------------------------------------------

  /** 1 to 2^32 - 1, round and round. */
  #nextSeqId(): number {
    this.#lastSeqId = this.#lastSeqId % seqIdMax + 1;
    return this.#lastSeqId;
  }

  #send(frame: Outgoing) {
    const data = this.#codec.encode(frame);
    const bytes = this.#codec.sizeOf(data);
    const { frameBytesMax = Infinity } = this.welcome ?? {};
    if (bytes > frameBytesMax) throw tooLarge(bytes, frameBytesMax);
    this.#connection.send(data, bytes);
  }

  #take(frame: Frame) {
    switch (frame.type) {
      case FrameType.response:
      case FrameType.pong:
        return this.#answered(frame);
      case FrameType.error:
        return frame.seqId === 0 ? this.#complaint(frame) : this.#answered(frame);
      case FrameType.event: {
        const event = this.#deliveries.of(frame);
        const isTaken = this.#subscriptions.deliver(event);
        if (!isTaken && event.topic.startsWith('$user/')) this.emit('push', event);
        return undefined;
      }
      case FrameType.presence:
      case FrameType.position:
        return this.#subscriptions.tell(frame);
      case FrameType.request:
      case FrameType.notify:
        return void guarded(this.#responders.answer(frame));
      case FrameType.cancel:
        return void (this.#deliveries.cancelled(frame.seqId)
          || this.#responders.cancelled(frame.seqId));
      default: // of a later version
        return undefined;
    }
  }

  #answered(frame: Frame) {
    if (!this.#calls.answer(frame)) this.#asks.answer(frame);
  }

  /** An error that belongs to no request. */
  #complaint(frame: Frame) {
    const error = errorOf(frame);
    if (error.code === forbidden && this.welcome) {
      this.#subscriptions.check(error.message);
      this.#responders.check(error.message);
    }
    this.emit('error', error);
  }

  // -- calls --------------------------------------------------------------------

  #call<Out>(frame: Outgoing, { timeout, signal }: CallOptions,
    more: Pick<CallNeeds, 'keep' | 'noAnswer'> = {}): Promise<Out> {
    const needs = { timeout: timeout ?? this.#timeoutMs, signal, ...more };
    return this.#calls.start(frame, needs) as Promise<Out>;
  }

  publish(topic: string, payload: unknown, options: PublishOptions & { ack: false }): Promise<null>;
  publish(topic: string, payload: unknown, options?: PublishOptions): Promise<Position>;
  publish(topic: string, payload: unknown,
    { ack = true, id, noEcho, key, trace, ...options }: PublishOptions = {}): Promise<never> {
    const meta: Meta = { ...this.#idOf(id), noEcho: noEcho || undefined, key, trace };
    return this.#call({ type: FrameType.publish, subject: topic, payload, meta },
      options, { keep: ack && id !== undefined, noAnswer: !ack });
  }

  #idOf(id: string | true | undefined): Meta {
    if (id !== true) return { id };
    const part = () => Math.floor(this.#random() * 2 ** 32).toString(16).padStart(8, '0');
    return { id: part() + part() + part() + part() };
  }

  request<Out>(action: string, payload?: unknown,
    { idempotent, trace, ...options }: RequestOptions = {}): Promise<Out> {
    return this.#ask<Out>(action, payload, options, { trace }, idempotent === true);
  }

  #ask<Out>(action: string, payload: unknown, options: CallOptions, meta: Meta = {},
    keep = true): Promise<Out> {
    const wait = Math.min(Math.ceil(options.timeout ?? this.#timeoutMs), serverTimeoutMsMax);
    return this.#call<Out>({
      type: FrameType.request, subject: action, payload, meta: { ...meta, timeoutMs: wait },
    }, options, { keep });
  }

  notify(action: string, payload?: unknown, { trace, ...options }: NotifyOptions = {}) {
    return guarded(this.#call<null>({
      type: FrameType.notify, subject: action, payload, meta: { trace },
    }, options, { noAnswer: true }).then(() => {}));
  }

  ping(options: CallOptions = {}): Promise<number> {
    const start = now();
    return guarded(this.#call({ type: FrameType.ping }, options).then(() => now() - start));
  }

  push(user: string, payload: unknown, { id, trace, ...options }: PushOptions = {}) {
    return this.#ask<Position>('callboard.push', { user, payload }, options,
      { ...this.#idOf(id), trace }, id !== undefined);
  }

  history<T>(topic: string,
    { since, before, limit, reverse, ...options }: HistoryOptions = {}) {
    const from = since && { epoch: since.epoch, offset: since.offset };
    return this.#ask<History<T>>('callboard.history',
      { topic, since: from, before, limit, reverse }, options);
  }

  position(topic: string, options: CallOptions = {}) {
    return this.#ask<Position>('callboard.position', { topic }, options);
  }

  presence(topic: string, { limit, after, ...options }: PresenceOptions = {}) {
    return this.#ask<PresencePage>('callboard.presence', { topic, limit, after }, options);
  }

  presenceCount(topic: string, options: CallOptions = {}) {
    return this.#ask<PresenceCount>('callboard.presence_count', { topic }, options);
  }

  // -- subscriptions and responders ---------------------------------------------

  subscribe<T>(subject: string, options: SubscribeOptions = {}): Subscription<T> {
    const subscription = this.#subscriptions.add<T>(subject, options);
    if (this.#closed) subscription.end(this.#closed);
    return subscription;
  }

  respond<In, Out>(action: string, handler: Handler<In, Out>): Responder {
    const responder = this.#responders.add(action, handler as Handler);
    if (this.#closed) responder.end(this.#closed);
    return responder;
  }
}

/**
 * Makes a client of the server at `url` (`ws://` or `wss://`), and connects it.
 * Throws TypeError where `url` is no such address, and where there is no
 * WebSocket class: Node before 22 has none of its own.
 */
export function connect(url: string, options: Options = {}): Face {
  const Class = options.WebSocket
    ?? (globalThis as unknown as { WebSocket?: WebSocketClass }).WebSocket;
  if (!Class) {
    throw new TypeError('There is no WebSocket here: give the option `WebSocket` one, '
      + 'such as the class of the package ws.');
  }
  if (!isAddress(url)) throw new TypeError(`'${url}' is no address of a WebSocket.`);
  const client = new Client(url, Class, options);
  if (options.autoConnect !== false) client.connect();
  return client;
}
