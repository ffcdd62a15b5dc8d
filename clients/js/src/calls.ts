import type { Codec, Data } from './codec.js';
import type { CallboardError } from './errors.js';
import {
  AbortedError, ConnectionLostError, QueueFullError, errorOf, tooLarge,
} from './errors.js';
import type { Frame, Outgoing } from './frame.js';
import { FrameType } from './frame.js';
import { limit } from './limit.js';
import { Alarm, deferred, guarded } from './timing.js';
import type { QueueOptions } from './options.js';
import type { Welcome } from './types.js';

/** What calls need of a connection. */
export interface Link {
  readonly welcome: Welcome | null;
  readonly isFull: boolean;
  /** Whether nothing new is to be begun on it. */
  readonly isLeaving: boolean;
  send(data: Data, bytes?: number): void;
}

export interface CallNeeds {
  /** Milliseconds until it fails. */
  timeout: number;
  signal?: AbortSignal | undefined;
  /** Whether it is sent again on the next connection, until it is answered. */
  keep?: boolean | undefined;
  /** Whether there is no answer: then it is done when it is sent. */
  noAnswer?: boolean | undefined;
}

interface Call {
  /** Which of all calls it is. */
  readonly order: number;
  readonly seqId: number;
  readonly type: FrameType;
  readonly data: Data;
  readonly bytes: number;
  readonly keep: boolean;
  readonly noAnswer: boolean;
  /** Has been in flight: waiting again, it counts towards no bound. */
  returned: boolean;
  /** Settled; in flight it still counts, until the server answers. */
  done: boolean;
  succeed(payload: unknown): void;
  fail(error: CallboardError): void;
}

const queueCount = 1000;
const queueBytes = 1 << 20;
const fullPollMs = 50;
const shuttingDown = 502;

/**
 * What the application asks of the server: each call waits, first in, first
 * out, for a connection and a place among those in flight, and is then in
 * flight until its answer. It fails at its deadline, wherever it is.
 */
export class Calls {
  #codec: Codec;
  #link: Link;
  #nextSeqId: () => number;
  #policy: Required<QueueOptions>;
  #waiting: Call[] = [];
  #waitingCount = 0; // and bytes: of those that have not been in flight
  #waitingBytes = 0;
  #begun = 0;
  #inFlight = new Map<number, Call>();
  #ended: CallboardError | undefined;
  #poll = new Alarm();

  constructor(codec: Codec, link: Link, nextSeqId: () => number, queue: QueueOptions = {}) {
    this.#codec = codec;
    this.#link = link;
    this.#nextSeqId = nextSeqId;
    this.#policy = { count: queueCount, bytes: queueBytes, policy: 'reject', ...queue };
  }

  /** Returns the promise, guarded, of the answer's payload. Never throws. */
  start(frame: Outgoing, needs: CallNeeds): Promise<unknown> {
    try {
      if (needs.signal?.aborted) throw new AbortedError(needs.signal.reason);
      if (this.#ended) throw this.#ended;
      return this.#begin(frame, needs);
    } catch (error) {
      return guarded(Promise.reject(error));
    }
  }

  #begin(frame: Outgoing, { timeout, signal, keep = false, noAnswer = false }: CallNeeds) {
    const { promise, resolve, reject } = deferred<unknown>();
    const seqId = this.#nextSeqId();
    const data = this.#codec.encode({ ...frame, seqId: noAnswer ? 0 : seqId });
    const release = limit({ timeout, signal }, (error) => this.#giveUp(call, error));
    const settle = () => {
      call.done = true;
      release();
    };
    const call: Call = {
      order: ++this.#begun, seqId, type: frame.type,
      data, bytes: this.#codec.sizeOf(data), keep, noAnswer, returned: false, done: false,
      succeed: (payload) => { settle(); resolve(payload); },
      fail: (error) => { settle(); reject(error); },
    };
    this.#enqueue(call);
    return promise;
  }

  /** Takes the answer to a call; says whether there was one. */
  answer(frame: Frame): boolean {
    const call = this.#inFlight.get(frame.seqId);
    if (!call) return false;
    this.#inFlight.delete(frame.seqId);
    if (!call.done) {
      const error = frame.type === FrameType.error ? errorOf(frame) : undefined;
      if (!error) call.succeed(frame.payload);
      else if (error.code === shuttingDown && call.keep && this.#link.isLeaving) this.#return([call]);
      else call.fail(error);
    }
    this.pump();
    return true;
  }

  /** The connection is gone: what is kept goes back, in order, to the front. */
  lost() {
    const inFlight = [...this.#inFlight.values()].filter(({ done }) => !done);
    this.#inFlight.clear();
    this.#poll.clear();
    this.#return(inFlight.filter(({ keep }) => keep));
    for (const call of inFlight) {
      if (!call.keep) call.fail(new ConnectionLostError());
    }
  }

  /** Puts calls back to where they stood. */
  #return(calls: Call[]) {
    this.#waiting = [...calls, ...this.#waiting].sort((a, b) => a.order - b.order);
    for (const call of calls) call.returned = true;
  }

  /** Fails everything, and what comes, until `begin`. */
  end(error: CallboardError) {
    this.#ended = error;
    this.#poll.clear();
    const all = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting = [];
    this.#waitingCount = this.#waitingBytes = 0;
    for (const call of all) {
      if (!call.done) call.fail(error);
    }
  }

  begin() { this.#ended = undefined; }

  #enqueue(call: Call) {
    this.#waiting.push(call);
    ++this.#waitingCount;
    this.#waitingBytes += call.bytes;
    this.pump();
    const { count, bytes, policy } = this.#policy;
    const isOver = () => this.#waitingCount > count || this.#waitingBytes > bytes;
    if (!this.#waiting.includes(call) || !isOver()) return;
    if (policy === 'reject' || call.bytes > bytes) return this.#refuse(call);
    while (isOver()) this.#refuse(this.#waiting.find(({ returned }) => !returned) as Call);
    return undefined;
  }

  #refuse(call: Call) {
    this.#withdraw(call);
    call.fail(new QueueFullError('Too much waits to be sent.'));
  }

  #withdraw(call: Call): boolean {
    const at = this.#waiting.indexOf(call);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    if (call.returned) return true;
    --this.#waitingCount;
    this.#waitingBytes -= call.bytes;
    return true;
  }

  /** Sends what may be sent now. */
  pump() {
    for (let call = this.#waiting[0]; call; call = this.#waiting[0]) {
      const { welcome, isLeaving } = this.#link;
      if (!welcome || isLeaving) return;
      if (call.bytes > welcome.frameBytesMax) {
        this.#withdraw(call);
        call.fail(tooLarge(call.bytes, welcome.frameBytesMax));
      } else if (!call.noAnswer && this.#inFlight.size >= welcome.inflightMax) {
        return;
      } else if (this.#link.isFull) {
        return this.#poll.set(fullPollMs, () => this.pump());
      } else {
        this.#withdraw(call);
        this.#transmit(call);
      }
    }
  }

  #transmit(call: Call) {
    this.#link.send(call.data, call.bytes);
    if (call.noAnswer) call.succeed(null);
    else this.#inFlight.set(call.seqId, call);
  }

  #giveUp(call: Call, error: CallboardError) {
    const waited = this.#withdraw(call);
    call.fail(error);
    if (!waited && call.type === FrameType.request) {
      this.#link.send(this.#codec.encode({ type: FrameType.cancel, seqId: call.seqId }));
    }
    // What stood behind it may be of a kind that may be sent.
    if (waited) this.pump();
  }
}
