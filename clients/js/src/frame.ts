import { MalformedError } from './errors.js';
import { byteLength } from './msgpack.js';
import type { Offset, Position } from './types.js';

/** Types of frames, by their numbers: docs/protocol.md, "Types". */
export const enum FrameType {
  connect = 1, welcome, request, response, error, notify, cancel, subscribe, unsubscribe,
  publish, event, ping, pong, goaway, register, unregister, presence, ack, position,
}

/** Their names, by number. */
export const typeNames = ('|connect|welcome|request|response|error|notify|cancel|subscribe|'
  + 'unsubscribe|publish|event|ping|pong|goaway|register|unregister|presence|ack|position'
).split('|');

/** The names of meta, by number. */
export const metaNames = ('|offset|epoch|since|id|noEcho|sender|timeoutMs|code|temporary|'
  + 'retryAfterMs|pattern|trace|presence|retained|group|key|ack|attempt|origin').split('|');

// What each holds, at the same place: an unsigned integer, a string, a name of
// 1 to 64 bytes, a boolean or a position.
const metaKinds = ' uspnbsuubussbbnnbus';

export interface Meta {
  offset?: Offset;
  epoch?: string;
  since?: Position;
  id?: string;
  noEcho?: boolean;
  sender?: string;
  timeoutMs?: number;
  code?: number;
  temporary?: boolean;
  retryAfterMs?: number;
  pattern?: string;
  trace?: string;
  presence?: boolean;
  retained?: boolean;
  group?: string;
  key?: string;
  ack?: boolean;
  attempt?: number;
  origin?: string;
}

/** A frame to send. `undefined` in its meta is not there. */
export interface Outgoing {
  type: FrameType;
  seqId?: number;
  subject?: string;
  payload?: unknown;
  meta?: Meta;
  /** Default: now. */
  timestamp?: number;
}

/** A frame that came. */
export interface Frame {
  /** 0 where it is of a type that this version does not know. */
  type: FrameType | 0;
  seqId: number;
  timestamp: number;
  subject: string;
  payload: unknown;
  meta: Meta;
}

/** Returns meta's fields in the order of their numbers. */
export function metaFields(meta: Meta = {}): [number, string, unknown][] {
  return Object.entries(meta)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [metaNames.indexOf(name), name, value] as [number, string, unknown])
    .sort(([a], [b]) => a - b);
}

export const isOffset = (value: unknown): value is Offset =>
  typeof value === 'bigint' ? value >= 0n : Number.isInteger(value) && value as number >= 0;

export function isPosition(value: unknown): value is Position {
  const { epoch, offset } = (value ?? {}) as Partial<Position>;
  return typeof epoch === 'string' && isOffset(offset);
}

function fits(kind: string, value: unknown): boolean {
  switch (kind) {
    case 'u': return isOffset(value);
    case 's': return typeof value === 'string';
    case 'b': return typeof value === 'boolean';
    case 'p': return isPosition(value);
    default: return typeof value === 'string' && value !== '' && byteLength(value) <= 64;
  }
}

/** Returns the meta that these numbers and values are. Throws MalformedError. */
export function metaOf(fields: Iterable<[number, unknown]>): Meta {
  const meta: Record<string, unknown> = {};
  for (const [number, value] of fields) {
    const name = metaNames[number];
    if (!name) continue;
    if (!fits(metaKinds[number] as string, value)) {
      throw new MalformedError(`Its ${name} is wrong.`);
    }
    meta[name] = value;
  }
  return meta;
}

const int64End = 1n << 63n;

/** Returns the frame of these parts. Throws MalformedError. */
export function frameOf(type: FrameType | 0, seqId: unknown, timestamp: unknown,
  subject: unknown, payload: unknown, meta: Meta): Frame {
  const seqIdFits = isOffset(seqId) && seqId <= 0xffffffff;
  const timeFits = typeof timestamp === 'bigint'
    ? timestamp < int64End && timestamp >= -int64End : Number.isInteger(timestamp);
  if (!seqIdFits || !timeFits || typeof subject !== 'string') {
    throw new MalformedError('Its head is wrong.');
  }
  return {
    type, seqId: seqId as number, timestamp: Number(timestamp), subject, payload, meta,
  };
}
