import { MalformedError } from './errors.js';
import type { Goaway, Welcome } from './types.js';

const hourMs = 3600000;

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Returns a number of milliseconds or bytes that can be used, or `otherwise`. */
const amount = (value: unknown, otherwise: number) =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : otherwise;

/** Returns the payload of a `welcome`. Throws MalformedError. */
export function welcomeOf(payload: unknown): Welcome {
  if (!isObject(payload) || typeof payload.connection !== 'string') {
    throw new MalformedError('It is no welcome.');
  }
  return {
    ...payload as unknown as Welcome,
    pingIntervalMs: amount(payload.pingIntervalMs, 30000) || 30000,
    pingTimeoutMs: amount(payload.pingTimeoutMs, 90000) || 90000,
    frameBytesMax: amount(payload.frameBytesMax, 65536),
    inflightMax: amount(payload.inflightMax, 256),
    time: amount(payload.time, Date.now()),
  };
}

/** Returns the payload of a `goaway`; what is wrong in it is as if it were not there. */
export function goawayOf(payload: unknown): Goaway {
  const { reason, reconnect, afterMs, spreadMs, urls } = isObject(payload) ? payload : {} as Fields;
  const known = reconnect === 'now' || reconnect === 'never';
  return {
    reason: String(reason ?? ''),
    reconnect: known ? reconnect : 'backoff',
    afterMs: Math.min(amount(afterMs, 0), hourMs),
    spreadMs: Math.min(amount(spreadMs, 0), hourMs),
    ...Array.isArray(urls) ? { urls: urls.filter(isAddress) } : {},
  };
}

/** Says whether a WebSocket can be asked for at `url`. */
export function isAddress(url: unknown): url is string {
  try {
    return /^(ws|http)s?:$/.test(new URL(url as string).protocol);
  } catch {
    return false;
  }
}
