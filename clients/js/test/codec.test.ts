import * as reference from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { jsonCodec, msgpackCodec } from '../src/codec.js';
import { Ext, MalformedError } from '../src/index.js';
import { parse, revive, stringify } from '../src/json.js';
import { decode, encode } from '../src/msgpack.js';

const bytes = (size: number) => Uint8Array.from({ length: size }, (_, at) => at);
const nest = (levels: number) =>
  Array.from({ length: levels - 1 }).reduce<unknown[]>((inner) => [inner], []);
const throughJson = (value: unknown) => revive(parse(stringify(value)));

const numbers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53,
  -1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53) + 1, 0.5, -0.1,
  1e22, 1e300, 5e-324];
const others = [null, true, false, '', 'é🎭', 'x'.repeat(32), 'x'.repeat(256), 'x'.repeat(65536), [],
  [1, [2]], bytes(0), bytes(255), bytes(256), {}, { a: { b: [] } }, Array.from({ length: 65536 }, () => 1),
  Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`k${at}`, at]))];

describe('MessagePack', () => {
  test('it writes what the reference reads, and reads what the reference writes', () => {
    for (const value of [...numbers, ...others]) {
      expect(reference.decode(encode(value))).toEqual(value);
      expect(decode(reference.encode(value))).toEqual(value);
    }
  });

  test('64 bits are kept whole, more are refused', () => {
    for (const value of [2n ** 64n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n)]) {
      expect(decode(encode(value))).toBe(value);
    }
    expect(decode(encode(2n ** 53n - 1n))).toBe(2 ** 53 - 1);
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => encode(value)).toThrow(MalformedError);
      expect(() => stringify(value)).toThrow(MalformedError);
    }
  });

  test('every truncation is an error', () => {
    const whole = encode([1, -70000, 2 ** 40, 1.5, 'text', bytes(300), { a: [null, new Ext(1, bytes(3))] }]);
    for (let size = 0; size < whole.length; ++size) {
      expect(() => decode(whole.subarray(0, size))).toThrow(MalformedError);
    }
    expect(() => decode(Uint8Array.of(...whole, 0))).toThrow(MalformedError);
  });

  test('buffers and views are binary', () => {
    expect(decode(encode(Uint8Array.of(1, 2).buffer))).toEqual(Uint8Array.of(1, 2));
    expect(decode(encode(new DataView(Uint8Array.of(1, 2, 3).buffer, 1)))).toEqual(Uint8Array.of(2, 3));
  });

  test('what is read shares no memory with the message', () => {
    const message = encode(bytes(3));
    const value = decode(message) as Uint8Array;
    message.fill(9);
    expect(value).toEqual(bytes(3));
  });
});

test('both: values come back as they were', () => {
  const values = [...numbers, ...others, 2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n, -0,
    new Ext(-128, bytes(1)), new Ext(127, bytes(17)), new Map<unknown, unknown>([[1, 'a'], ['b', [2]]]),
    { $bin: 'AQID' }, { $ext: [5, ''] }, { $map: [] }, { $map: [[1, 2]] }, { $bin: 'x' }, { $bin: '', x: 1 },
    { $map: [[1]] }, { $bin: { $bin: 'AQID' } }, 's1', 'i1', '-12345678901234567890',
    { 'i12345678901234567890': ['12345678901234567890', 12345678901234567890n, '\\"1234567890123456'] }];
  for (const value of values) {
    expect(decode(encode(value))).toEqual(value);
    expect(throughJson(value)).toEqual(value);
  }
});

test('both: fields that are undefined are left out, elements are null', () => {
  const value = { a: undefined, b: [undefined, 1], $bin: undefined };
  expect(decode(encode(value))).toEqual({ b: [null, 1] });
  expect(throughJson(value)).toEqual({ b: [null, 1] });
  expect(throughJson({ $bin: 'AQID', x: undefined })).toEqual({ $bin: 'AQID' });
});

test('both: a key __proto__ is but a key', () => {
  for (const value of [decode(encode(new Map([['__proto__', { admin: true }]]))),
    revive(parse('{"__proto__":{"admin":true}}')), revive(parse('{"__proto__":{"admin":12345678901234567890}}'))]) {
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect((value as { admin?: unknown }).admin).toBe(undefined);
  }
});

test('both: 64 levels are read and written, 65 are not', () => {
  expect(decode(encode(nest(64)))).toEqual(nest(64));
  expect(throughJson(nest(64))).toEqual(nest(64));
  for (const write of [encode, stringify]) expect(() => write(nest(65))).toThrow(MalformedError);
  expect(() => decode(reference.encode(nest(65)))).toThrow(MalformedError);
  expect(() => revive(nest(65))).toThrow(MalformedError);
  const frame = { type: 12, payload: nest(64) };
  for (const codec of [msgpackCodec, jsonCodec]) {
    const data = codec.encode(frame);
    const [read] = codec.decode(typeof data === 'string' ? data : data.slice().buffer);
    expect(read?.payload).toEqual(nest(64));
    expect(() => codec.encode({ ...frame, payload: nest(65) })).toThrow(MalformedError);
  }
});

test('JSON: doubles stay doubles where they are no safe integers, halves of pairs do not come in', () => {
  expect(stringify([2 ** 53, -0, 1e22, NaN, Infinity, 2 ** 53 - 1])).toBe(
    '[9007199254740992.0,-0.0,1e+22,null,null,9007199254740991]');
  expect(stringify(['\ud800x', 'x\udc00', '🎭'])).toBe('["\ufffdx","x\ufffd","🎭"]');
});

test('JSON: integers beyond 64 bits become doubles, as do those with a fraction', () => {
  expect(parse('[18446744073709551616,12345678901234567890.0,1234567890123456e3]')).toEqual(
    [2 ** 64, 12345678901234567890, 1234567890123456e3]);
  expect(parse('[18446744073709551615]')).toEqual([2n ** 64n - 1n]);
});

test('both: several frames of a message, up to the first that is none', () => {
  const one = { type: 12, seqId: 1, timestamp: 5 };
  const packed = msgpackCodec.join([one, one].map((frame) => msgpackCodec.encode(frame))) as Uint8Array;
  const text = jsonCodec.join([one, one].map((frame) => jsonCodec.encode(frame))) as string;
  for (const [codec, good, bad] of [
    [msgpackCodec, packed.slice().buffer, Uint8Array.of(...packed, 0xc1).buffer],
    [jsonCodec, `\n${text}\n\n`, `${text}\n{`],
  ] as const) {
    expect([...codec.decode(good)].length).toBe(2);
    const read: unknown[] = [];
    expect(() => { for (const frame of codec.decode(bad)) read.push(frame); }).toThrow(MalformedError);
    expect(read.length).toBe(2);
  }
});

test('JSON: names of types in any case', () => {
  expect([...jsonCodec.decode('{"type":"PoNg"}')][0]?.type).toBe(13);
});
