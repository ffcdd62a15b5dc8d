// A callboard client for browsers, in one class.
//
//   const board = new Client('wss://example.org/ws');
//   board.connect();
//   await board.subscribe('chat/lobby', ({ sender, payload }) => ...);
//   await board.publish('chat/lobby', { text: 'hello' });
//   const answer = await board.request('callboard.echo', 42);
//
// States: disconnected -> connecting -> connected -> retry_pending. A client
// that has lost its connection comes back by itself as the close code allows,
// and subscribes and registers again. It needs `WebSocket` and nothing else.

import { Calls } from './calls.js';
import {
  Backoff, CallboardError, decodeFrames, encodeFrame, frameType, goawayDelay,
  mayReconnect, subprotocol,
} from './protocol.js';

export { CallboardError } from './protocol.js';

const replyTypes = new Set([frameType.response, frameType.error, frameType.pong]);
const graceMs = 2000;
const stableMs = 5000;

/// Events (what they carry is in `detail`):
///   state     {state, retryInMs?, closeCode?, reason?}
///   welcome   the server's first payload, after every connect
///   goaway    the server's payload
///   gap       {subject}: events may have been missed while away
///   problem   CallboardError: nobody's promise could be given this error
export class Client extends EventTarget {
  #url;
  #options;
  #backoff;
  #socket = null;
  #state = 'disconnected';
  #wanted = false;
  #welcome = null;
  #goaway = null;
  #connectedAt = 0;
  #calls = new Calls();
  #subscriptions = new Map();
  #responders = new Map();
  #retryTimer = 0;
  #watchTimer = 0;

  /// @param url ws:// or wss://, the server's WebSocket path.
  /// @param options baseMs, capMs, random: the backoff (1 s, 60 s);
  ///   timeoutMs: of a call, 10,000; connectTimeoutMs: until the welcome,
  ///   10,000; token: sent as `connect`; WebSocket: another implementation.
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = {
      timeoutMs: 10000,
      connectTimeoutMs: 10000,
      WebSocket: globalThis.WebSocket,
      random: Math.random,
      ...options,
    };
    this.#backoff = new Backoff(this.#options);
  }

  get state() { return this.#state; }

  /// The server's id for this connection; null while there is none.
  get connection() { return this.#welcome?.connection ?? null; }

  // -- connection -----------------------------------------------------------

  /// Connects, and from then on keeps connected, until close().
  /// Does nothing but hurry where that is under way already.
  connect() {
    this.#wanted = true;
    if (this.#state === 'disconnected' || this.#state === 'retry_pending') {
      this.#open();
    }
  }

  /// Closes for good. Calls in flight fail with `closed`.
  close() {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    this.#lost(1000, 'closed by this client', 'closed');
    socket?.close(1000);
  }

  #open() {
    clearTimeout(this.#retryTimer);
    this.#goaway = null;
    this.#change('connecting');
    const socket = new this.#options.WebSocket(this.#url, subprotocol);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const current = (handler) => (event) => {
      if (socket === this.#socket) handler(event);
    };
    socket.addEventListener('open', current(() => this.#opened()));
    socket.addEventListener('message', current(({ data }) => this.#read(data)));
    socket.addEventListener('close', current((event) => {
      this.#lost(event.code, event.reason, 'disconnected');
    }));
    socket.addEventListener('error', () => {}); // a close follows
    this.#watchTimer = setTimeout(() => this.#giveUp('no welcome in time'),
      this.#options.connectTimeoutMs);
  }

  #opened() {
    const { token } = this.#options;
    if (token) this.#call(frameType.connect, '', { token }).catch((e) => this.#report(e));
  }

  /// Leaves a connection that is of no use, without waiting for its close.
  #giveUp(reason) {
    const socket = this.#socket;
    this.#lost(1006, reason, 'disconnected');
    socket?.close();
  }

  #lost(closeCode, reason, errorName) {
    if (!this.#socket && this.#state === 'disconnected') return;
    this.#socket = null;
    clearTimeout(this.#watchTimer);
    if (this.#welcome && Date.now() - this.#connectedAt >= stableMs) {
      this.#backoff.reset();
    }
    this.#welcome = null;
    const error = new CallboardError(errorName,
      `The connection is closed (${closeCode} ${reason || 'no reason given'}).`,
      { temporary: errorName === 'disconnected' });
    this.#calls.failAll(error);
    const never = this.#goaway?.reconnect === 'never' || !mayReconnect(closeCode);
    if (!this.#wanted || never) {
      this.#wanted = false;
      this.#change('disconnected', { closeCode, reason });
      return;
    }
    const retryInMs = goawayDelay(this.#goaway ?? {}, this.#options.random)
      ?? this.#backoff.next();
    this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
    this.#change('retry_pending', { closeCode, reason, retryInMs });
  }

  #change(state, more = {}) {
    this.#state = state;
    this.#emit('state', { state, ...more });
  }

  #emit(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }

  #report(error) {
    this.#emit('problem', error);
  }

  // -- what comes in --------------------------------------------------------

  #read(data) {
    const socket = this.#socket;
    this.#watch();
    try {
      for (const frame of decodeFrames(new Uint8Array(data))) {
        if (socket !== this.#socket) return;
        this.#handle(frame);
      }
    } catch (error) {
      this.#report(error);
    }
  }

  #handle(frame) {
    const { type, seqId, payload } = frame;
    if (replyTypes.has(type)) return this.#reply(frame);
    switch (type) {
      case frameType.welcome:
        return this.#welcomed(payload, seqId);
      case frameType.event:
        return this.#deliver(frame);
      case frameType.position:
        return this.#moved(frame);
      case frameType.request:
      case frameType.notify:
        return this.#respond(frame);
      case frameType.ping:
        return this.#send(frameType.pong, seqId, '', payload);
      case frameType.goaway:
        this.#goaway = payload;
        return this.#emit('goaway', payload);
      default: // of a later version
        return undefined;
    }
  }

  #welcomed(payload, seqId) {
    this.#welcome = payload;
    this.#calls.succeed(seqId, payload); // of a `connect`
    this.#connectedAt = Date.now();
    this.#watch();
    this.#change('connected');
    this.#emit('welcome', payload);
    for (const subject of this.#subscriptions.keys()) {
      this.#resubscribe(subject).catch((error) => this.#report(error));
    }
    for (const action of this.#responders.keys()) {
      this.#call(frameType.register, action).catch((error) => this.#report(error));
    }
  }

  /// Asks for a sign of life when nothing has come for a while: a browser
  /// does not show us the server's pings.
  #watch() {
    clearTimeout(this.#watchTimer);
    if (!this.#welcome) return;
    const { pingIntervalMs = 30000, pingTimeoutMs = 90000 } = this.#welcome;
    this.#watchTimer = setTimeout(() => {
      const timeoutMs = Math.max(1000, pingTimeoutMs - pingIntervalMs);
      this.#call(frameType.ping, '', null, { timeoutMs })
        .catch((error) => {
          if (error.name === 'timeout') this.#giveUp('the server is silent');
        });
    }, Number(pingIntervalMs));
  }

  #reply({ type, seqId, subject, payload, meta }) {
    if (type !== frameType.error) {
      this.#calls.succeed(seqId, payload);
      return;
    }
    const error = new CallboardError(subject, String(payload ?? subject), meta);
    if (!this.#calls.fail(seqId, error)) this.#report(error);
  }

  #deliver({ subject, payload, timestamp, meta }) {
    const subscription = this.#subscriptions.get(meta.pattern ?? subject);
    if (!subscription) return;
    if (meta.pattern === undefined) {
      subscription.position.offset = meta.offset;
      if (meta.epoch !== undefined) subscription.position.epoch = meta.epoch;
    }
    subscription.handler({ topic: subject, payload, timestamp, ...meta });
  }

  #moved({ subject, payload }) {
    const subscription = this.#subscriptions.get(subject);
    if (subscription) {
      subscription.position = { epoch: payload.epoch, offset: payload.offset };
    }
    this.#emit('gap', { subject });
  }

  async #respond({ type, seqId, subject, payload, meta }) {
    const socket = this.#socket;
    const answer = (...reply) => {
      const there = type === frameType.request && socket === this.#socket;
      if (there) this.#send(...reply);
    };
    try {
      const handler = this.#responders.get(subject);
      if (!handler) {
        throw new CallboardError('no_handler', 'Nobody here answers that.', { code: 1001 });
      }
      answer(frameType.response, seqId, '', await handler(payload, meta));
    } catch (error) {
      const { name, message, code, temporary } = error;
      const known = code >= 1000;
      answer(frameType.error, seqId, known ? name : 'failed', message,
        { code: known ? code : 1000, temporary: temporary === true });
    }
  }

  // -- what goes out --------------------------------------------------------

  #send(type, seqId, subject, payload, meta) {
    if (!this.#welcome && type !== frameType.connect) {
      throw new CallboardError('disconnected', 'There is no connection now.',
        { temporary: true });
    }
    this.#socket.send(encodeFrame(type, seqId, subject, payload, meta));
  }

  /// Sends a frame, and returns the promise of its reply.
  #call(type, subject, payload, { meta, timeoutMs, accept } = {}) {
    return this.#calls.start(
      (seqId) => this.#send(type, seqId, subject, payload, meta),
      timeoutMs ?? this.#options.timeoutMs,
      accept);
  }

  /// Subscribes to a topic or a pattern, now and after every reconnect.
  /// @param handler is given {topic, payload, timestamp, offset, sender,
  ///                pattern?} of each event.
  /// @returns {epoch, offset, recovered}; without a connection null at once:
  ///          the subscription is then made with the next one.
  async subscribe(subject, handler) {
    if (this.#subscriptions.has(subject)) {
      throw new CallboardError('already_subscribed', `There is one to ${subject}.`);
    }
    const subscription = { handler, position: {}, fresh: true };
    this.#subscriptions.set(subject, subscription);
    if (!this.#welcome) return null;
    try {
      return await this.#resubscribe(subject);
    } catch (error) {
      if (error.name !== 'disconnected') this.#subscriptions.delete(subject);
      throw error;
    }
  }

  #resubscribe(subject) {
    const { epoch, offset } = this.#subscriptions.get(subject).position;
    const since = epoch === undefined ? undefined : [epoch, offset];
    const accept = (reply) => this.#subscribed(subject, reply);
    return this.#call(frameType.subscribe, subject, null, { meta: { since }, accept });
  }

  #subscribed(subject, { epoch, offset, recovered } = {}) {
    const subscription = this.#subscriptions.get(subject);
    if (!subscription) return;
    const { fresh, position } = subscription;
    const same = epoch !== undefined && position.epoch === epoch
      && position.offset === offset;
    if (!fresh && !same && recovered !== true) this.#emit('gap', { subject });
    subscription.fresh = false;
    if (recovered !== true) subscription.position = { epoch, offset };
  }

  /// Ends a subscription.
  async unsubscribe(subject) {
    if (!this.#subscriptions.delete(subject)) {
      throw new CallboardError('not_subscribed', `There is none to ${subject}.`);
    }
    if (this.#welcome) await this.#call(frameType.unsubscribe, subject);
  }

  /// Publishes, and returns {epoch, offset} once the server has accepted it.
  /// @param options id: the same one is accepted once; noEcho: not to us;
  ///                acknowledge: false sends it off without any answer.
  async publish(topic, payload, { id, noEcho, acknowledge = true } = {}) {
    const meta = { id, noEcho };
    if (acknowledge) return this.#call(frameType.publish, topic, payload, { meta });
    return this.#send(frameType.publish, 0, topic, payload, meta);
  }

  /// Asks for `action` and returns the answer's payload.
  /// Throws CallboardError: the server's, the responder's, or `timeout`.
  /// @param options timeoutMs: 1 to 300,000; signal: an AbortSignal.
  async request(action, payload, { timeoutMs, signal } = {}) {
    signal?.throwIfAborted();
    const answer = this.#call(frameType.request, action, payload, {
      meta: { timeoutMs },
      timeoutMs: (timeoutMs ?? this.#options.timeoutMs) + graceMs,
    });
    const seqId = this.#calls.lastSeqId;
    const cancel = () => {
      if (this.#calls.has(seqId)) this.#send(frameType.cancel, seqId, '', null);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    return answer.finally(() => signal?.removeEventListener('abort', cancel));
  }

  /// Sends `action` without wanting an answer.
  async notify(action, payload) {
    this.#send(frameType.notify, 0, action, payload);
  }

  /// Answers requests for `action`, now and after every reconnect.
  /// @param handler (payload, {sender, trace?}) to the answer, or a promise of
  ///   it. A CallboardError with a code of 1000 and up reaches the asker.
  async register(action, handler) {
    this.#responders.set(action, handler);
    if (this.#welcome) await this.#call(frameType.register, action);
  }

  /// Answers `action` no more.
  async unregister(action) {
    this.#responders.delete(action);
    if (this.#welcome) await this.#call(frameType.unregister, action);
  }
}
