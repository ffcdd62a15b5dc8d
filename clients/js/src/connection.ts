import { Backoff, stableMs } from './backoff.js';
import type { Codec, Data } from './codec.js';
import { CallboardError, ClosedError, MalformedError, errorOf } from './errors.js';
import type { Frame } from './frame.js';
import { FrameType } from './frame.js';
import { Heartbeat } from './heartbeat.js';
import { Login } from './login.js';
import { isOffline, watchPlatform } from './platform.js';
import { Alarm, now } from './timing.js';
import { Transport } from './transport.js';
import type { Options, WebSocketClass } from './options.js';
import type { Goaway, State, StateChange, Welcome } from './types.js';
import { goawayOf, welcomeOf } from './welcome.js';

export interface ConnectionListeners {
  state(change: StateChange): void;
  /** `fresh`: of a new connection, not of a log-in that was refreshed. */
  welcome(welcome: Welcome, fresh: boolean): void;
  goaway(goaway: Goaway): void;
  /** All that the connection does not keep for itself. */
  frame(frame: Frame): void;
  /** What was connected is no more. */
  lost(): void;
  /** There will be no other by itself. */
  ended(error: ClosedError): void;
  error(error: CallboardError): void;
}

export interface ConnectionOptions extends Omit<Options, 'codec'> {
  url: string;
  codec: Codec;
  WebSocket: WebSocketClass;
  nextSeqId: () => number;
}

type End = Pick<StateChange, 'closeCode' | 'reason'>;

const connectTimeoutMs = 10000;
// Trying again as it is brings the same end.
const finalCodes = new Set([1002, 1003, 1007, 1008, 1009]);
const bufferedBytesMax = 1 << 20;
// Addresses of a goaway that are tried.
const urlsMax = 8;

/** Keeps one connection: connects, logs in, sees whether it lives, comes back. */
export class Connection {
  state: State = 'disconnected';
  welcome: Welcome | null = null;
  #options: ConnectionOptions;
  #codec: Codec;
  #listeners: ConnectionListeners;
  #backoff: Backoff;
  #random: () => number;
  #login: Login;
  #alarm = new Alarm(); // until the welcome, or the next attempt
  #transport: Transport | undefined;
  #heartbeat: Heartbeat | undefined;
  #goaway: Goaway | undefined;
  #refusal: CallboardError | undefined;
  #isOffline = false; // and waits for the network alone
  #urls: string[] = []; // to be tried before our own
  #attempt = 0; // changes with everything that makes older plans void
  #welcomedAt = 0;
  #loginSeqId = 0;
  #batch: Data[] = [];
  #batchBytes = 0;
  #unwatch = () => {};

  constructor(options: ConnectionOptions, listeners: ConnectionListeners) {
    this.#options = options;
    this.#codec = options.codec;
    this.#listeners = listeners;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(options.backoff, this.#random);
    this.#login = new Login(options);
  }

  // -- what is wanted -----------------------------------------------------------

  /** Connects, or hurries where it waits to. */
  connect() {
    if (this.state === 'disconnected') {
      this.#unwatch = watchPlatform({
        online: () => this.#hurry(),
        offline: () => this.#wentOffline(),
        visible: () => this.#hurry(),
      });
      this.#open();
    } else if (this.state === 'retry_pending') {
      this.#open();
    }
  }

  close() {
    this.#flush();
    this.#transport?.leave(1000, '');
    const wasConnected = this.#drop();
    this.#backoff.reset();
    this.#end(new ClosedError('The client was closed.'), { closeCode: 1000 }, wasConnected);
  }

  /** What the server has told is waited for. */
  #hurry() {
    if (this.state === 'retry_pending' && (!this.#goaway || this.#isOffline)) this.#open();
    this.#heartbeat?.check();
  }

  #wentOffline() {
    if (this.state === 'retry_pending') this.#retryIn(Infinity, { reason: 'offline' });
    this.#heartbeat?.check();
  }

  // -- an attempt ---------------------------------------------------------------

  #open() {
    if (isOffline()) return this.#retryIn(Infinity, { reason: 'offline' });
    const attempt = ++this.#attempt;
    this.#goaway = undefined;
    this.#refusal = undefined;
    this.#alarm.set(this.#options.connectTimeout ?? connectTimeoutMs,
      () => this.#giveUp('no welcome in time'));
    this.#change('connecting');
    if (attempt !== this.#attempt) return undefined; // a listener has closed it
    if (this.#login.isStatic) return this.#dial(this.#options.token);
    this.#login.token().then(
      (fresh) => { if (attempt === this.#attempt) this.#dial(fresh); },
      (error: unknown) => {
        if (attempt !== this.#attempt) return;
        this.#listeners.error(noToken(error));
        this.#lost(1006, 'no token');
      });
    return undefined;
  }

  #dial(token: string | undefined) {
    const url = new URL(this.#urls.shift() ?? this.#options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const inUrl = this.#options.tokenIn === 'url';
    if (inUrl && token !== undefined) url.searchParams.set('token', token);
    try {
      this.#transport = new Transport(this.#options.WebSocket, url.href, this.#codec.subprotocol, {
        opened: () => { if (!inUrl && token !== undefined) this.#logIn(token); },
        message: (data) => this.#read(data),
        closed: (code, reason) => this.#lost(code, reason),
      });
    } catch (error) {
      // Its sentence may have the address in it, and so the token.
      this.#lost(1006, inUrl ? 'no WebSocket' : String(error));
    }
  }

  #logIn(token: string) {
    this.#loginSeqId = this.#options.nextSeqId();
    const { client } = this.#options;
    this.#transport?.send(this.#codec.encode({
      type: FrameType.connect, seqId: this.#loginSeqId, payload: { token, client },
    }));
  }

  // -- its end ------------------------------------------------------------------

  /** Leaves a connection that is of no use, without waiting for its close. */
  #giveUp(reason: string) {
    this.#transport?.leave(4000, reason);
    this.#lost(1006, reason);
  }

  /** Forgets the connection, if any; says whether it was a good one. */
  #drop(): boolean {
    const wasConnected = this.welcome !== null;
    ++this.#attempt;
    this.#alarm.clear();
    this.#login.stop();
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.#transport = undefined;
    this.welcome = null;
    this.#batch = [];
    this.#batchBytes = 0;
    return wasConnected;
  }

  #lost(closeCode: number, reason: string) {
    const wasConnected = this.#drop();
    const attempt = this.#attempt;
    if (wasConnected && now() - this.#welcomedAt >= stableMs) this.#backoff.reset();
    if (!this.#mayReturn(closeCode, wasConnected)) {
      const why = `The server wants this client no more (${closeCode} ${reason}).`;
      const error = new ClosedError(why, closeCode, this.#refusal);
      return this.#end(error, { closeCode, reason }, wasConnected);
    }
    if (wasConnected) this.#listeners.lost();
    // A listener may have closed it.
    if (attempt === this.#attempt) this.#retryIn(this.#delayMs(), { closeCode, reason });
    return undefined;
  }

  #mayReturn(closeCode: number, wasConnected: boolean): boolean {
    const never = this.#goaway?.reconnect === 'never';
    if (closeCode === 4500 && (this.#refusal || !never)) {
      return wasConnected ? !this.#login.isStatic : this.#login.refused();
    }
    return !never && !finalCodes.has(closeCode) && !(closeCode >= 4500 && closeCode <= 4999);
  }

  #delayMs(): number {
    const { reconnect, afterMs = 0, spreadMs = 0 } = this.#goaway ?? {};
    const toldMs = afterMs + this.#random() * spreadMs;
    return reconnect === 'now' ? toldMs : toldMs + this.#backoff.next();
  }

  #retryIn(delayMs: number, end: End) {
    this.#isOffline = isOffline();
    const retryInMs = this.#isOffline ? Infinity : delayMs;
    this.#alarm.set(retryInMs, () => this.#open());
    this.#change('retry_pending', { ...end, retryInMs });
  }

  #end(error: ClosedError, end: End, wasConnected: boolean) {
    this.#unwatch();
    this.#unwatch = () => {};
    this.#alarm.clear();
    this.#urls = [];
    const wasDown = this.state === 'disconnected';
    const previous = this.state;
    this.state = 'disconnected';
    this.#listeners.ended(error);
    if (wasConnected) this.#listeners.lost();
    if (!wasDown) this.#listeners.state({ state: 'disconnected', previous, ...end, error });
  }

  #change(state: State, more: Partial<StateChange> = {}) {
    const previous = this.state;
    this.state = state;
    this.#listeners.state({ ...more, state, previous });
  }

  // -- what comes in ------------------------------------------------------------

  #read(data: unknown) {
    this.#heartbeat?.heard();
    const attempt = this.#attempt;
    try {
      for (const frame of this.#codec.decode(data)) {
        this.#handle(frame);
        if (attempt !== this.#attempt) return;
      }
    } catch (error) {
      this.#listeners.error(error instanceof CallboardError
        ? error : new MalformedError(String(error)));
    }
  }

  #handle(frame: Frame) {
    switch (frame.type) {
      case FrameType.welcome: return this.#welcomed(welcomeOf(frame.payload));
      case FrameType.goaway:
        this.#goaway = goawayOf(frame.payload);
        this.#urls = this.#goaway.urls?.filter((url) => isAsSafe(url, this.#options.url))
          .slice(0, urlsMax) ?? [];
        return this.#listeners.goaway(this.#goaway);
      case FrameType.error:
        if (frame.seqId === 0 || frame.seqId === this.#loginSeqId) return this.#refused(frame);
    }
    return this.#listeners.frame(frame);
  }

  #welcomed(welcome: Welcome) {
    const fresh = this.welcome === null;
    this.welcome = welcome;
    this.#login.accepted();
    this.#login.watch(welcome, () => this.#refresh('refresh'));
    if (!fresh) return this.#listeners.welcome(welcome, false);
    this.#alarm.clear();
    this.#urls = [];
    this.#welcomedAt = now();
    const { intervalMs = welcome.pingIntervalMs, timeoutMs = welcome.pingTimeoutMs } =
      this.#options.heartbeat ?? {};
    this.#heartbeat = new Heartbeat(intervalMs, timeoutMs, {
      ping: () => this.#ping(),
      dead: () => this.#giveUp('nothing heard in time'),
    });
    const previous = this.state;
    this.state = 'connected';
    const attempt = this.#attempt;
    this.#listeners.welcome(welcome, true);
    if (attempt === this.#attempt) this.#listeners.state({ state: 'connected', previous });
    return undefined;
  }

  #ping() {
    this.#transport?.send(this.#codec.encode({
      type: FrameType.ping, seqId: this.#options.nextSeqId(),
    }));
  }

  // -- log-in -------------------------------------------------------------------

  /** An error without a request, or about the log-in. */
  #refused(frame: Frame) {
    const error = errorOf(frame);
    const aboutToken = error.code === 200 || error.code === 201;
    if (aboutToken || !this.welcome) this.#refusal = error;
    if (frame.seqId === 0) return this.#listeners.frame(frame);
    this.#loginSeqId = 0;
    // Without a welcome, a close follows. 106: this server wants no token.
    if (!this.welcome || error.code === 106) return undefined;
    if (error.temporary) this.#login.again(() => this.#refresh('refresh'));
    else if (aboutToken && this.#login.refused()) this.#refresh('refused');
    return this.#listeners.error(error);
  }

  #refresh(reason: 'refresh' | 'refused') {
    const attempt = this.#attempt;
    this.#login.token(reason).then((token) => {
      if (attempt === this.#attempt && token !== undefined) this.#logIn(token);
    }, (error: unknown) => {
      if (attempt !== this.#attempt) return;
      this.#login.again(() => this.#refresh(reason));
      this.#listeners.error(noToken(error));
    });
  }

  // -- what goes out ------------------------------------------------------------

  /** Whether the server has sent this client away: nothing new is begun here. */
  get isLeaving(): boolean { return this.#goaway !== undefined; }

  /** Whether more should not be sent now, since what was sent has not left yet. */
  get isFull(): boolean {
    return (this.#transport?.bufferedBytes ?? 0) + this.#batchBytes > bufferedBytesMax;
  }

  /** Sends it with the others of this turn. Without a connection it is dropped. */
  send(data: Data, bytes = this.#codec.sizeOf(data)) {
    if (!this.welcome) return;
    const { gap } = this.#codec;
    if (this.#batchBytes + gap + bytes > this.welcome.frameBytesMax) this.#flush();
    if (this.#batch.push(data) === 1) {
      this.#batchBytes = bytes;
      queueMicrotask(() => this.#flush());
    } else {
      this.#batchBytes += gap + bytes;
    }
  }

  #flush() {
    if (this.#batch.length > 0) this.#transport?.send(this.#codec.join(this.#batch));
    this.#batch = [];
    this.#batchBytes = 0;
  }
}

/** Says whether `url` is encrypted if `own` is: tokens go there. */
const isAsSafe = (url: string, own: string) =>
  /^(wss|https):/i.test(url) || !/^(wss|https):/i.test(own);

const noToken = (cause: unknown) =>
  new CallboardError('no_token', 'There is no token to log in with.', { temporary: true, cause });
