import type { Frame } from './frame.js';

/** What every error of a client has besides its message. */
export interface ErrorDetails {
  /** The protocol's number, or 0 for what only this side knows. */
  code?: number;
  /** Whether trying again can help. */
  temporary?: boolean;
  /** After how many milliseconds trying again can help, where that is known. */
  retryAfterMs?: number | undefined;
  /** What led to it. */
  cause?: unknown;
}

/**
 * The base of everything that a client throws or rejects with, but for wrong
 * arguments, which are a `TypeError` or `RangeError` at once.
 */
export class CallboardError extends Error {
  /** Name in the protocol's style, such as `no_responder`. */
  override readonly name: string;
  /** The protocol's number, or 0 for what only this side knows. */
  readonly code: number;
  /** Whether trying again can help. */
  readonly temporary: boolean;
  /** After how many milliseconds trying again can help, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(name: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = name;
    this.code = details.code ?? 0;
    this.temporary = details.temporary ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The server refused: `name` and `code` are those of docs/protocol.md, "Errors". */
export class ServerError extends CallboardError {}

/**
 * A responder's own error: codes 1000 … 65535. A handler of `respond` throws
 * one to answer with it, and who asked gets one with the same values.
 */
export class ResponderError extends CallboardError {
  constructor(name: string, message: string, details: ErrorDetails = {}) {
    const code = details.code ?? 1000;
    if (!Number.isInteger(code) || code < 1000 || code > 65535) {
      throw new RangeError("A responder's code is 1000 … 65535.");
    }
    super(name, message, { ...details, code });
  }
}

/**
 * The connection ended with this in flight, or before the log-in was done:
 * nobody knows whether it was carried out. `connection_lost`, temporary.
 */
export class ConnectionLostError extends CallboardError {
  constructor(message = 'The connection was lost before the answer came.') {
    super('connection_lost', message, { temporary: true });
  }
}

/**
 * The client will not connect again by itself: it was closed, or the server
 * wants it no more. `closed`, not temporary.
 */
export class ClosedError extends CallboardError {
  /** The WebSocket's close code; 1000 after `close()`. */
  readonly closeCode: number;

  constructor(message: string, closeCode = 1000, cause?: unknown) {
    super('closed', message, { cause });
    this.closeCode = closeCode;
  }
}

/**
 * No answer in time, by the server's clock or this side's; or it waited too
 * long for a connection. `timeout` (301), temporary.
 */
export class TimeoutError extends CallboardError {
  constructor(message: string) {
    super('timeout', message, { code: 301, temporary: true });
  }
}

/** Its signal was aborted: `cause` is the signal's reason. `cancelled` (303). */
export class AbortedError extends CallboardError {
  constructor(cause?: unknown) {
    super('cancelled', 'It is no longer wanted.', { code: 303, cause });
  }
}

/**
 * A bound of this side was reached: of what waits for a connection, or of what
 * an iterator has not taken yet. `queue_full`, temporary.
 */
export class QueueFullError extends CallboardError {
  constructor(message: string) {
    super('queue_full', message, { temporary: true });
  }
}

/**
 * Larger than `frameBytesMax`, and not sent; or larger than the topic takes.
 * `frame_too_large` (102).
 */
export class TooLargeError extends CallboardError {
  constructor(message: string) {
    super('frame_too_large', message, { code: 102 });
  }
}

/**
 * What the server sent is no frame, or what was to be sent cannot be one.
 * `malformed_frame` (100).
 */
export class MalformedError extends CallboardError {
  constructor(message: string) {
    super('malformed_frame', message, { code: 100 });
  }
}

/** Returns the error of a frame that this side refuses to send. */
export const tooLarge = (bytes: number, max: number) =>
  new TooLargeError(`A frame of ${bytes} bytes is over the ${max} of the server.`);

/** Returns the error that an `error` frame says. */
export function errorOf({ subject, payload, meta }: Frame): CallboardError {
  const message = typeof payload === 'string' ? payload : subject;
  const code = meta.code ?? 0;
  switch (code) {
    case 102: return new TooLargeError(message);
    case 301: return new TimeoutError(message);
    case 303: return new AbortedError();
    default: {
      const Class = code >= 1000 && code <= 65535 ? ResponderError : ServerError;
      return new Class(subject, message, meta);
    }
  }
}
