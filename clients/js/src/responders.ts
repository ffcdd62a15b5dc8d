import { AbortedError, CallboardError, ResponderError } from './errors.js';
import type { Frame, Outgoing } from './frame.js';
import { FrameType } from './frame.js';
import type { Session } from './standing.js';
import { Standing } from './standing.js';
import { deferred } from './timing.js';
import type { Handler, RequestContext, Responder } from './types.js';

/** What responders need of the client. */
export interface ResponderSession extends Session {
  /** Throws MalformedError or TooLargeError. */
  send(frame: Outgoing): void;
  error(error: CallboardError): void;
}

/** One action, registered on each connection. */
class Registration implements Responder {
  #ready = deferred<void>();
  #standing: Standing;
  #forget: () => void;

  constructor(readonly action: string, readonly handler: Handler,
    session: ResponderSession, forget: () => void) {
    this.#forget = forget;
    this.#standing = new Standing(session, {
      frame: () => ({ type: FrameType.register, subject: action }),
      granted: () => this.#ready.resolve(),
      refused: (error) => {
        session.error(error);
        this.end(error);
      },
    });
  }

  get ready() { return this.#ready.promise; }

  make() { this.#standing.make(); }

  lost() { this.#standing.lost(); }

  end(error: CallboardError) {
    this.lost();
    this.#forget();
    this.#ready.reject(error);
  }

  stop(): Promise<void> {
    const left = this.#standing.leave({ type: FrameType.unregister, subject: this.action });
    this.end(new AbortedError());
    return left;
  }
}

/** The actions that a client answers, and the requests that it is answering. */
export class Responders {
  #all = new Map<string, Registration>();
  #open = new Map<number, AbortController>();
  #session: ResponderSession;

  constructor(session: ResponderSession) { this.#session = session; }

  /** Throws where the action has a handler already. */
  add(action: string, handler: Handler): Registration {
    if (this.#all.has(action)) {
      throw new CallboardError('already_registered', `'${action}' has a handler.`);
    }
    const one: Registration = new Registration(action, handler, this.#session, () => {
      if (this.#all.get(action) === one) this.#all.delete(action);
    });
    this.#all.set(action, one);
    if (this.#session.isConnected) one.make();
    return one;
  }

  connected() {
    for (const one of [...this.#all.values()]) one.make();
  }

  lost() {
    for (const one of this.#all.values()) one.lost();
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const controller of open) controller.abort();
  }

  end(error: CallboardError) {
    for (const one of [...this.#all.values()]) one.end(error);
  }

  /** Registers those again that a sentence names: they may have been taken back. */
  check(sentence: string) {
    for (const one of [...this.#all.values()]) {
      if (sentence.includes(`'${one.action}'`)) one.make();
    }
  }

  /** The answer is no longer wanted; says whether the request was one of ours. */
  cancelled(seqId: number): boolean {
    const controller = this.#open.get(seqId);
    this.#open.delete(seqId);
    controller?.abort();
    return controller !== undefined;
  }

  /** Answers a `request`, or takes a `notify`. */
  async answer(frame: Frame): Promise<void> {
    const { seqId, subject } = frame;
    const wanted = frame.type === FrameType.request && seqId !== 0;
    const controller = new AbortController();
    if (wanted) this.#open.set(seqId, controller);
    const reply = (outgoing: Omit<Outgoing, 'seqId'>) => {
      // The same seqId may be another request's, of a later connection.
      if (this.#open.get(seqId) !== controller) return;
      this.#session.send({ ...outgoing, seqId });
      this.#open.delete(seqId);
    };
    try {
      const registration = this.#all.get(subject);
      if (!registration) throw ownError('responder_failed', 302, `Nobody answers '${subject}' here.`);
      if (this.#open.size > openMax) throw ownError('overloaded', 501, 'Too much is being answered.');
      const payload = await registration.handler(frame.payload, contextOf(frame, wanted, controller));
      reply({ type: FrameType.response, payload });
    } catch (error) {
      const own = error instanceof ResponderError || error instanceof Refusal;
      if (!own && !controller.signal.aborted) this.#session.error(failed(subject, error));
      try {
        reply(errorFrame(own ? error as CallboardError : hidden));
      } catch { // its sentence is too long
        reply(errorFrame(hidden));
      }
    }
  }
}

function contextOf({ subject, meta }: Frame, wanted: boolean, { signal }: AbortController) {
  const { sender = '', timeoutMs, trace } = meta;
  const context: RequestContext = {
    action: subject, sender, notify: !wanted, signal,
    ...timeoutMs === undefined ? {} : { timeoutMs },
    ...trace === undefined ? {} : { trace },
  };
  return context;
}

/** The answer where no handler is asked. */
class Refusal extends CallboardError {}

const openMax = 1024;
const hidden = new ResponderError('failed', 'The responder failed.');

const ownError = (name: string, code: number, message: string) =>
  new Refusal(name, message, { code, temporary: true });
const failed = (action: string, cause: unknown) =>
  new CallboardError('handler_failed', `The handler of '${action}' failed.`, { cause });

function errorFrame({ name, message, code, temporary, retryAfterMs }: CallboardError) {
  const meta = { code, temporary, ...retryAfterMs === undefined ? {} : { retryAfterMs } };
  return { type: FrameType.error as const, subject: name, payload: message, meta };
}
