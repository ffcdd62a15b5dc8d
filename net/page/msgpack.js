// MessagePack for browsers and Node: every format of the specification
// (https://github.com/msgpack/msgpack/blob/master/spec.md), nothing else.
//
// What a value becomes:
//   int, uint   number where it is safe, else bigint (64 bits)
//   float       number
//   str         string; a Uint8Array where its bytes are not UTF-8
//   bin         Uint8Array (a copy)
//   ext         Ext
//   map         plain object; a Map as soon as one key is not a string
// and the other way round. `undefined` is written as nil, an integral number
// as an integer in its shortest form, every other number as float 64.

/// The deepest nesting of arrays and maps that is read or written.
export const depthMax = 64;

/// Is thrown for input that is no MessagePack, and for values that have none.
export class MsgpackError extends Error {
  constructor(message) {
    super(message);
    this.name = 'MsgpackError';
  }
}

/// An extension value: a type from -128 to 127, and its bytes.
export class Ext {
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/// Grows as it is written to, and hands out what was written.
class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  /// Returns the offset of `count` fresh bytes.
  #take(count) {
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

  u8(value) { const at = this.#take(1); this.#view.setUint8(at, value); }
  u16(value) { const at = this.#take(2); this.#view.setUint16(at, value); }
  u32(value) { const at = this.#take(4); this.#view.setUint32(at, value); }
  u64(value) { const at = this.#take(8); this.#view.setBigUint64(at, value); }
  f64(value) { const at = this.#take(8); this.#view.setFloat64(at, value); }
  raw(bytes) { const at = this.#take(bytes.length); this.#bytes.set(bytes, at); }
  result() { return this.#bytes.slice(0, this.#size); }

  /// Writes a length: `fix` (base and bound) or the first code that fits.
  /// A code of 0 says that the format has no such size.
  head(count, fix, fixMax, code8, code16, code32) {
    if (count <= fixMax) {
      this.u8(fix | count);
    } else if (code8 && count < 0x100) {
      this.u8(code8);
      this.u8(count);
    } else if (count < 0x10000) {
      this.u8(code16);
      this.u16(count);
    } else if (count < 0x100000000) {
      this.u8(code32);
      this.u32(count);
    } else {
      throw new MsgpackError('longer than MessagePack can say');
    }
  }
}

function writeInteger(out, value) {
  if (value >= 0) {
    if (value < 0x80) out.u8(value);
    else if (value < 0x100) { out.u8(0xcc); out.u8(value); }
    else if (value < 0x10000) { out.u8(0xcd); out.u16(value); }
    else if (value < 0x100000000) { out.u8(0xce); out.u32(value); }
    else { out.u8(0xcf); out.u64(BigInt(value)); }
  } else if (value >= -0x20) out.u8(value & 0xff);
  else if (value >= -0x80) { out.u8(0xd0); out.u8(value & 0xff); }
  else if (value >= -0x8000) { out.u8(0xd1); out.u16(value & 0xffff); }
  else if (value >= -0x80000000) { out.u8(0xd2); out.u32(value >>> 0); }
  else { out.u8(0xd3); out.u64(BigInt.asUintN(64, BigInt(value))); }
}

function writeBigint(out, value) {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
    writeInteger(out, Number(value));
  } else if (value >= 0n && value < 1n << 64n) {
    out.u8(0xcf);
    out.u64(value);
  } else if (value < 0n && value >= -(1n << 63n)) {
    out.u8(0xd3);
    out.u64(BigInt.asUintN(64, value));
  } else {
    throw new MsgpackError('an integer of more than 64 bits');
  }
}

function writeExt(out, { type, data }) {
  const fixed = [1, 2, 4, 8, 16].indexOf(data.length);
  if (fixed >= 0) out.u8(0xd4 + fixed);
  else out.head(data.length, 0, -1, 0xc7, 0xc8, 0xc9);
  out.u8(type & 0xff);
  out.raw(data);
}

function writeEntries(out, entries, depth) {
  out.head(entries.length, 0x80, 15, 0, 0xde, 0xdf);
  for (const [key, value] of entries) {
    write(out, key, depth);
    write(out, value, depth);
  }
}

function writeObject(out, value, depth) {
  if (value instanceof Uint8Array) {
    out.head(value.length, 0, -1, 0xc4, 0xc5, 0xc6);
    out.raw(value);
  } else if (value instanceof Ext) {
    writeExt(out, value);
  } else if (depth <= 0) {
    throw new MsgpackError('nested too deeply');
  } else if (Array.isArray(value)) {
    out.head(value.length, 0x90, 15, 0, 0xdc, 0xdd);
    for (const element of value) write(out, element, depth - 1);
  } else if (value instanceof Map) {
    writeEntries(out, [...value], depth - 1);
  } else {
    writeEntries(out, Object.entries(value), depth - 1);
  }
}

function write(out, value, depth) {
  switch (typeof value) {
    case 'undefined':
      return out.u8(0xc0);
    case 'boolean':
      return out.u8(value ? 0xc3 : 0xc2);
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        return writeInteger(out, value);
      }
      out.u8(0xcb);
      return out.f64(value);
    case 'bigint':
      return writeBigint(out, value);
    case 'string': {
      const bytes = utf8Encoder.encode(value);
      out.head(bytes.length, 0xa0, 31, 0xd9, 0xda, 0xdb);
      return out.raw(bytes);
    }
    case 'object':
      return value === null ? out.u8(0xc0) : writeObject(out, value, depth);
    default:
      throw new MsgpackError(`MessagePack has no ${typeof value}`);
  }
}

/// Returns the bytes of `value`. Throws MsgpackError for a function, a
/// symbol, an integer of more than 64 bits, and nesting over `depth`.
export function encode(value, depth = depthMax) {
  const out = new Writer();
  write(out, value, depth);
  return out.result();
}

/// Reads values one after the other.
class Reader {
  #bytes;
  #view;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get done() { return this.#at === this.#bytes.length; }

  #take(count) {
    const at = this.#at;
    if (count > this.#bytes.length - at) {
      throw new MsgpackError('ends within a value');
    }
    this.#at += count;
    return at;
  }

  #u8() { return this.#view.getUint8(this.#take(1)); }
  #u16() { return this.#view.getUint16(this.#take(2)); }
  #u32() { return this.#view.getUint32(this.#take(4)); }

  #safe(value) {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value) : value;
  }

  #bin(count) {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  #str(count) {
    const at = this.#take(count);
    const bytes = this.#bytes.subarray(at, at + count);
    try {
      return utf8Decoder.decode(bytes);
    } catch {
      return bytes.slice();
    }
  }

  #ext(count) {
    const type = this.#view.getInt8(this.#take(1));
    return new Ext(type, this.#bin(count));
  }

  /// Fails before anything is allocated for elements that cannot be there.
  #open(count, depth) {
    if (depth <= 0) throw new MsgpackError('nested too deeply');
    if (count > this.#bytes.length - this.#at) {
      throw new MsgpackError('ends within a value');
    }
  }

  #array(count, depth) {
    this.#open(count, depth);
    const result = [];
    for (let i = 0; i < count; ++i) result.push(this.read(depth - 1));
    return result;
  }

  #map(count, depth) {
    this.#open(count * 2, depth);
    const entries = [];
    let plain = true;
    for (let i = 0; i < count; ++i) {
      const key = this.read(depth - 1);
      plain &&= typeof key === 'string';
      entries.push([key, this.read(depth - 1)]);
    }
    // fromEntries defines properties, so that a key "__proto__" is but a key.
    return plain ? Object.fromEntries(entries) : new Map(entries);
  }

  /// Returns the next value. Throws MsgpackError where there is none.
  read(depth) {
    const code = this.#u8();
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code & 0x0f, depth);
    if (code < 0xa0) return this.#array(code & 0x0f, depth);
    if (code < 0xc0) return this.#str(code & 0x1f);
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.#bin(this.#u8());
      case 0xc5: return this.#bin(this.#u16());
      case 0xc6: return this.#bin(this.#u32());
      case 0xc7: return this.#ext(this.#u8());
      case 0xc8: return this.#ext(this.#u16());
      case 0xc9: return this.#ext(this.#u32());
      case 0xca: return this.#view.getFloat32(this.#take(4));
      case 0xcb: return this.#view.getFloat64(this.#take(8));
      case 0xcc: return this.#u8();
      case 0xcd: return this.#u16();
      case 0xce: return this.#u32();
      case 0xcf: return this.#safe(this.#view.getBigUint64(this.#take(8)));
      case 0xd0: return this.#view.getInt8(this.#take(1));
      case 0xd1: return this.#view.getInt16(this.#take(2));
      case 0xd2: return this.#view.getInt32(this.#take(4));
      case 0xd3: return this.#safe(this.#view.getBigInt64(this.#take(8)));
      case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
        return this.#ext(1 << (code - 0xd4));
      case 0xd9: return this.#str(this.#u8());
      case 0xda: return this.#str(this.#u16());
      case 0xdb: return this.#str(this.#u32());
      case 0xdc: return this.#array(this.#u16(), depth);
      case 0xdd: return this.#array(this.#u32(), depth);
      case 0xde: return this.#map(this.#u16(), depth);
      case 0xdf: return this.#map(this.#u32(), depth);
      default: throw new MsgpackError('0xc1 begins no value');
    }
  }
}

/// Returns the one value that `bytes` (a Uint8Array) hold.
/// Throws MsgpackError where they hold none, a part of one, or more.
export function decode(bytes, depth = depthMax) {
  const reader = new Reader(bytes);
  const value = reader.read(depth);
  if (!reader.done) throw new MsgpackError('goes on after the value');
  return value;
}

/// Yields the values that stand in `bytes` one after the other.
/// Throws MsgpackError at the first that is none; those before it are good.
export function* decodeAll(bytes, depth = depthMax) {
  const reader = new Reader(bytes);
  while (!reader.done) yield reader.read(depth);
}
