import { MalformedError } from './errors.js';
import type { Frame, Outgoing } from './frame.js';
import { frameOf, metaFields, metaNames, metaOf, typeNames } from './frame.js';
import { parse, revive, stringify } from './json.js';
import { Reader, byteLength, depthMax, encode } from './msgpack.js';

/** One frame, or several, ready to be sent. */
export type Data = string | Uint8Array;

/** How frames are written. All of it throws MalformedError. */
export interface Codec {
  readonly subprotocol: string;
  /** Bytes between two frames of a message. */
  readonly gap: number;
  encode(frame: Outgoing): Data;
  sizeOf(data: Data): number;
  join(parts: Data[]): Data;
  /** Yields the frames of a message, up to the first that is none. */
  decode(data: unknown): Iterable<Frame>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const noFrame = () => new MalformedError('It is no frame.');

// -- MessagePack ----------------------------------------------------------------

function packedMeta(raw: unknown) {
  if (raw === null || raw === undefined) return {};
  if (!isObject(raw)) throw noFrame();
  // A map of text keys only is no Map, and holds nothing that is known.
  const entries = raw instanceof Map ? [...raw as Map<unknown, unknown>] : [];
  return metaOf(entries.map(([key, value]) => {
    if (typeof key !== 'number') return [0, value];
    if (key !== metaNames.indexOf('since')) return [key, value];
    const [epoch, offset, ...more] = Array.isArray(value) ? value : [];
    return [key, more.length > 0 ? null : { epoch, offset }];
  }));
}

export const msgpackCodec: Codec = {
  subprotocol: 'callboard.v1.msgpack',
  gap: 0,

  encode({ type, seqId = 0, subject = '', payload = null, meta, timestamp = Date.now() }) {
    const frame: unknown[] = [type, seqId, timestamp, subject, payload];
    const fields = metaFields(meta);
    if (fields.length > 0) {
      frame.push(new Map(fields.map(([number, , value]) => [number,
        isObject(value) ? [value.epoch, value.offset] : value])));
    }
    return encode(frame, depthMax + 1);
  },

  sizeOf: (data) => data.length,

  join(parts) {
    const [first] = parts;
    if (parts.length === 1 && first) return first;
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts as Uint8Array[]) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },

  *decode(data) {
    if (!(data instanceof ArrayBuffer)) throw noFrame();
    const reader = new Reader(new Uint8Array(data));
    while (!reader.done) {
      const parts = reader.read(depthMax + 1);
      if (!Array.isArray(parts) || parts.length < 5) throw noFrame();
      const [type, seqId, timestamp, subject, payload, meta] = parts;
      if (typeof type !== 'bigint' && !(Number.isInteger(type) && type >= 0)) throw noFrame();
      const known = typeNames[Number(type)] ? type : 0;
      yield frameOf(known, seqId, timestamp, subject, payload, packedMeta(meta));
    }
  },
};

// -- JSON -----------------------------------------------------------------------

function namedMeta(raw: unknown) {
  if (raw === null || raw === undefined) return {};
  if (!isObject(raw)) throw noFrame();
  return metaOf(Object.entries(raw).map(([name, value]) => [metaNames.indexOf(name), value]));
}

export const jsonCodec: Codec = {
  subprotocol: 'callboard.v1.json',
  gap: 1,

  encode({ type, seqId, subject, payload, meta, timestamp = Date.now() }) {
    const fields = [`"type":"${typeNames[type]}"`];
    if (seqId) fields.push(`"seqId":${seqId}`);
    if (timestamp) fields.push(`"timestamp":${timestamp}`);
    if (subject) fields.push(`"subject":${stringify(subject)}`);
    if (payload !== undefined && payload !== null) fields.push(`"payload":${stringify(payload)}`);
    const named = metaFields(meta).map(([, name, value]) => `"${name}":${stringify(
      isObject(value) ? { epoch: value.epoch, offset: value.offset } : value)}`);
    if (named.length > 0) fields.push(`"meta":{${named.join()}}`);
    return `{${fields.join()}}`;
  },

  sizeOf: (data) => byteLength(data as string),

  join: (parts) => parts.join('\n'),

  *decode(data) {
    if (typeof data !== 'string') throw noFrame();
    for (const line of data.split('\n')) {
      if (!line.trim()) continue;
      const frame = parse(line);
      if (!isObject(frame) || typeof frame.type !== 'string') throw noFrame();
      const type = Math.max(0, typeNames.indexOf(frame.type.toLowerCase()));
      yield frameOf(type, frame.seqId ?? 0, frame.timestamp ?? 0, frame.subject ?? '',
        revive(frame.payload ?? null), namedMeta(frame.meta));
    }
  },
};
