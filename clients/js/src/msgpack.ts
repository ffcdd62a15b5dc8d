// MessagePack: every format of its specification, and nothing else.
//
//   int, uint   number where that is safe, else bigint
//   float       number
//   str         string; a Uint8Array where its bytes are not UTF-8
//   bin         Uint8Array
//   ext         Ext
//   map         plain object; a Map as soon as one key is not a string
//
// and the other way round. `undefined` is written as nil, an integral number
// that is safe as an integer in its shortest form, others as float 64.

import { MalformedError } from './errors.js';

/** The deepest nesting of arrays and maps in a payload. */
export const depthMax = 64;

/** A MessagePack extension: `type` is −128 … 127. */
export class Ext {
  constructor(readonly type: number, readonly data: Uint8Array) {}
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const int64End = 1n << 63n;

/** Returns how many bytes `text` has in UTF-8. */
export const byteLength = (text: string) => utf8Encoder.encode(text).length;

const isSafe = (value: bigint) =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;

/** Returns a number where that says the same. */
export const narrow = (value: bigint): number | bigint => isSafe(value) ? Number(value) : value;

/** Says whether it fits a signed or an unsigned integer of 64 bits. */
export const is64Bits = (value: bigint) => value >= -int64End && value < int64End * 2n;

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  #take(count: number): number {
    const at = this.#size;
    this.#size += count;
    if (this.#size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#size, at * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  /** Writes an integer of 1, 2 or 4 bytes: 0, 1 or 2; of a negative one, its complement. */
  #int(exponent: number, value: number) {
    const at = this.#take(1 << exponent);
    if (exponent === 0) this.#view.setUint8(at, value);
    else if (exponent === 1) this.#view.setUint16(at, value);
    else this.#view.setUint32(at, value);
  }

  u8(value: number) { this.#int(0, value); }
  u64(value: bigint) { this.#view.setBigUint64(this.#take(8), value); }
  f64(value: number) { this.#view.setFloat64(this.#take(8), value); }
  raw(bytes: Uint8Array) { const at = this.#take(bytes.length); this.#bytes.set(bytes, at); }
  result(): Uint8Array { return this.#bytes.slice(0, this.#size); }

  /** Writes the code for an integer, the first of a row by size, and the integer. */
  #sized(code: number, value: number, least = 0) {
    const size = value < 0 ? ~value * 2 : value; // -128 needs what 254 does
    const exponent = Math.max(least, size < 0x100 ? 0 : size < 0x10000 ? 1 : 2);
    this.u8(code + exponent);
    this.#int(exponent, value);
  }

  /** Writes a length: `fix` up to `fixMax`, or behind the first code that fits. */
  head(count: number, fix: number, fixMax: number, code: number, least = 0) {
    if (count <= fixMax) this.u8(fix | count);
    else this.#sized(code, count, least);
  }

  integer(value: number) {
    if (value >= -0x20 && value < 0x80) this.u8(value);
    else if (value >= 2 ** 32 || value < -(2 ** 31)) this.long(BigInt(value));
    else this.#sized(value < 0 ? 0xd0 : 0xcc, value);
  }

  long(value: bigint) {
    this.u8(value < 0n ? 0xd3 : 0xcf);
    this.u64(BigInt.asUintN(64, value));
  }

  bigint(value: bigint) {
    if (isSafe(value)) this.integer(Number(value));
    else if (is64Bits(value)) this.long(value);
    else throw tooLong();
  }

  string(value: string) {
    const bytes = utf8Encoder.encode(value);
    this.head(bytes.length, 0xa0, 31, 0xd9);
    this.raw(bytes);
  }

  ext({ type, data }: Ext) {
    const fixed = [1, 2, 4, 8, 16].indexOf(data.length);
    if (fixed >= 0) this.u8(0xd4 + fixed);
    else this.#sized(0xc7, data.length);
    this.u8(type);
    this.raw(data);
  }

  entries(entries: [unknown, unknown][], depth: number) {
    this.head(entries.length, 0x80, 15, 0xdd, 1);
    for (const [key, value] of entries) {
      this.value(key, depth);
      this.value(value, depth);
    }
  }

  object(value: object, depth: number) {
    const bytes = bytesOf(value);
    if (bytes) {
      this.#sized(0xc4, bytes.length);
      this.raw(bytes);
    } else if (value instanceof Ext) {
      this.ext(value);
    } else if (depth <= 0) {
      throw tooDeep();
    } else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 15, 0xdb, 1);
      for (const element of value) this.value(element, depth - 1);
    } else {
      this.entries(value instanceof Map ? [...value] : entriesOf(value), depth - 1);
    }
  }

  value(value: unknown, depth: number) {
    switch (typeof value) {
      case 'undefined': return this.u8(0xc0);
      case 'boolean': return this.u8(value ? 0xc3 : 0xc2);
      case 'bigint': return this.bigint(value);
      case 'string': return this.string(value);
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) return this.integer(value);
        this.u8(0xcb);
        return this.f64(value);
      case 'object': return value === null ? this.u8(0xc0) : this.object(value, depth);
      default: throw noPlace(value);
    }
  }
}

/** Returns the bytes of an ArrayBuffer or of a view, or undefined. */
export function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

/** Returns what a plain object holds: a field that is undefined is not there. */
export function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Date) throw noPlace(value);
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

export const tooDeep = () =>
  new MalformedError(`A payload has at most ${depthMax} levels.`);
export const tooLong = () =>
  new MalformedError('An integer has at most 64 bits.');
export const noPlace = (value: unknown) =>
  new MalformedError(`A ${value instanceof Date ? 'Date' : typeof value} has no place in a frame.`);

/** Returns the bytes of `value`. Throws MalformedError where there are none. */
export function encode(value: unknown, depth = depthMax): Uint8Array {
  const out = new Writer();
  out.value(value, depth);
  return out.result();
}

/** Reads values one after the other. Throws MalformedError. */
export class Reader {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get done() { return this.#at === this.#bytes.length; }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw endsEarly();
    this.#at += count;
    return at;
  }

  /** Reads an unsigned integer of 1, 2 or 4 bytes: 0, 1 or 2. */
  #uint(exponent: number): number {
    const at = this.#take(1 << exponent);
    if (exponent === 0) return this.#view.getUint8(at);
    return exponent === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #bin(count: number) {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  #str(count: number) {
    const bytes = this.#bin(count);
    try {
      return utf8Decoder.decode(bytes);
    } catch {
      return bytes;
    }
  }

  #ext(count: number) {
    return new Ext(this.#view.getInt8(this.#take(1)), this.#bin(count));
  }

  /** Fails before anything is made for elements that cannot be there. */
  #open(count: number, depth: number) {
    if (depth <= 0) throw tooDeep();
    if (count > this.#bytes.length - this.#at) throw endsEarly();
  }

  #array(count: number, depth: number) {
    this.#open(count, depth);
    return Array.from({ length: count }, () => this.read(depth - 1));
  }

  #map(count: number, depth: number) {
    this.#open(count * 2, depth);
    return mapOf(Array.from({ length: count },
      () => [this.read(depth - 1), this.read(depth - 1)] as [unknown, unknown]));
  }

  /** Returns the next value, of at most `depth` levels. */
  read(depth: number): unknown {
    const code = this.#uint(0);
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code & 0x0f, depth);
    if (code < 0xa0) return this.#array(code & 0x0f, depth);
    if (code < 0xc0) return this.#str(code & 0x1f);
    if (code >= 0xe0) return code - 0x100;
    if (code < 0xc4) {
      if (code === 0xc1) throw new MalformedError('0xc1 begins no value.');
      return code === 0xc0 ? null : code === 0xc3;
    }
    // Formats of one kind stand in a row, by the size of what they begin with.
    if (code < 0xc7) return this.#bin(this.#uint(code - 0xc4));
    if (code < 0xca) return this.#ext(this.#uint(code - 0xc7));
    if (code > 0xdd) return this.#map(this.#uint(code - 0xdd), depth);
    if (code > 0xdb) return this.#array(this.#uint(code - 0xdb), depth);
    if (code > 0xd8) return this.#str(this.#uint(code - 0xd9));
    if (code > 0xd3) return this.#ext(1 << (code - 0xd4));
    if (code > 0xcb && code < 0xcf) return this.#uint(code - 0xcc);
    switch (code) {
      case 0xca: return this.#view.getFloat32(this.#take(4));
      case 0xcb: return this.#view.getFloat64(this.#take(8));
      case 0xcf: return narrow(this.#view.getBigUint64(this.#take(8)));
      case 0xd0: return this.#view.getInt8(this.#take(1));
      case 0xd1: return this.#view.getInt16(this.#take(2));
      case 0xd2: return this.#view.getInt32(this.#take(4));
      default: return narrow(this.#view.getBigInt64(this.#take(8)));
    }
  }
}

const endsEarly = () => new MalformedError('It ends within a value.');

/** Returns an object, or a Map as soon as one key is not a string. */
export function mapOf(entries: [unknown, unknown][]): object {
  // fromEntries defines properties: a key "__proto__" is but a key.
  return entries.every(([key]) => typeof key === 'string')
    ? Object.fromEntries(entries) : new Map(entries);
}

/** Returns the one value that `bytes` hold. */
export function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(depthMax);
  if (!reader.done) throw new MalformedError('It goes on behind the value.');
  return value;
}
