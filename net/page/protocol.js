// The names and numbers of callboard's wire protocol, version 1, and the
// policy that every client follows: what to do when a connection closed.

import { depthMax, decodeAll, encode } from './msgpack.js';

export const subprotocol = 'callboard.v1.msgpack';

export const frameType = Object.freeze({
  connect: 1, welcome: 2, request: 3, response: 4, error: 5, notify: 6,
  cancel: 7, subscribe: 8, unsubscribe: 9, publish: 10, event: 11, ping: 12,
  pong: 13, goaway: 14, register: 15, unregister: 16, presence: 17, ack: 18,
  position: 19,
});

const metaNames = ['', 'offset', 'epoch', 'since', 'id', 'noEcho', 'sender',
  'timeoutMs', 'code', 'temporary', 'retryAfterMs', 'pattern', 'trace',
  'presence', 'retained', 'group', 'key', 'ack', 'attempt', 'origin'];

/// An error that the other side answered, or that this side found itself
/// (code 0: `disconnected`, `timeout`, `closed`).
export class CallboardError extends Error {
  constructor(name, message, { code = 0, temporary = false, retryAfterMs } = {}) {
    super(message);
    this.name = name;
    this.code = code;
    this.temporary = temporary;
    this.retryAfterMs = retryAfterMs;
  }
}

function encodeMeta(meta) {
  const result = new Map();
  for (const [name, value] of Object.entries(meta)) {
    if (value !== undefined) result.set(metaNames.indexOf(name), value);
  }
  return result;
}

/// Returns the bytes of one frame.
/// @param meta an object with the meta fields' names; undefined ones are left
///             out, and so is the element where nothing remains.
export function encodeFrame(type, seqId, subject, payload, meta = {}) {
  const frame = [type, seqId, Date.now(), subject, payload ?? null];
  const encoded = encodeMeta(meta);
  if (encoded.size > 0) frame.push(encoded);
  return encode(frame, depthMax + 1);
}

/// Yields the frames of one WebSocket message (a Uint8Array).
/// Throws MsgpackError or CallboardError (`malformed_frame`) at the first
/// that is none.
export function* decodeFrames(bytes) {
  for (const frame of decodeAll(bytes, depthMax + 1)) {
    if (!Array.isArray(frame) || frame.length < 5) {
      throw new CallboardError('malformed_frame', 'The server sent no frame.');
    }
    const [type, seqId, timestamp, subject, payload, raw] = frame;
    const meta = {};
    for (const [key, value] of raw instanceof Map ? raw : []) {
      if (metaNames[key]) meta[metaNames[key]] = value;
    }
    yield { type, seqId, timestamp, subject, payload, meta };
  }
}

const finalCodes = new Set([1002, 1003, 1007, 1008, 1009]);

/// Says whether a client may come back after this close code.
/// 4500 to 4999 and what says that this client speaks wrongly: never, because
/// it would do so again. Everything else, 1006 (no close at all) included: yes,
/// with backoff.
export function mayReconnect(closeCode) {
  return !finalCodes.has(closeCode)
    && (closeCode < 4500 || closeCode > 4999);
}

/// Exponential backoff with full jitter: the n-th delay in a row is anything
/// from 0 to baseMs * 2^n, and never over capMs.
export class Backoff {
  #attempt = 0;

  constructor({ baseMs = 1000, capMs = 60000, random = Math.random } = {}) {
    this.baseMs = baseMs;
    this.capMs = capMs;
    this.random = random;
  }

  /// Returns the next delay in milliseconds.
  next() {
    const bound = Math.min(this.capMs, this.baseMs * 2 ** this.#attempt);
    if (bound < this.capMs) ++this.#attempt;
    return this.random() * bound;
  }

  reset() { this.#attempt = 0; }
}

/// Returns the delay in milliseconds that a `goaway` payload asks for.
/// undefined: none was given, the backoff decides.
export function goawayDelay({ reconnect, afterMs, spreadMs } = {}, random) {
  if (reconnect === 'now') return 0;
  if (!afterMs && !spreadMs) return undefined;
  return Number(afterMs ?? 0) + random() * Number(spreadMs ?? 0);
}
