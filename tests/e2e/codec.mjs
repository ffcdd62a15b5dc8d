// The page's MessagePack codec against npm's, and against bad input.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as reference from '@msgpack/msgpack';
import { msgpack, protocol } from './support/page_modules.mjs';

const { decode, decodeAll, encode, Ext, MsgpackError } = msgpack;
const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const bytes = (count) => new Uint8Array(count).fill(7);

const integers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32,
  Number.MAX_SAFE_INTEGER, -1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31),
  -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER];
const texts = ['', 'a', 'ü', '😀', '\ufeffbom', ...[31, 32, 255, 256, 65535, 65536].map((n) => 'x'.repeat(n))];
const values = [null, true, false, ...integers, 0.5, -1e300, Infinity, ...texts,
  ...[0, 1, 255, 256, 65535, 65536].map(bytes), [], {}, [1, [2, [3]]],
  ...[15, 16, 65535, 65536].map((n) => Array(n).fill(0)),
  ...[15, 16, 65536].map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]))),
  { nested: { list: [{ deep: null }] } }];

test('it writes what the reference reads, and the same bytes', () => {
  for (const value of values) {
    assert.deepEqual(new Uint8Array(encode(value)), reference.encode(value));
    assert.deepEqual(reference.decode(encode(value)), value);
  }
});

test('it reads what the reference and itself write', () => {
  for (const value of [...values, NaN]) {
    assert.deepEqual(decode(reference.encode(value)), value);
    assert.deepEqual(decode(encode(value)), value);
  }
  assert.ok(Object.is(decode(encode(-0)), -0));
});

test('64 bits are kept whole', () => {
  for (const value of [2n ** 64n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n)]) {
    assert.equal(decode(encode(value)), value);
    assert.equal(reference.decode(encode(value), { useBigInt64: true }), value);
  }
  assert.equal(decode(encode(5n)), 5);
  for (const value of [2n ** 64n, -(2n ** 63n) - 1n]) {
    assert.throws(() => encode(value), MsgpackError);
  }
});

test('every form of a length and of a number is read', () => {
  const forms = [['c4 01 ff', new Uint8Array([255])], ['c5 0001 ff', new Uint8Array([255])],
    ['c6 00000001 ff', new Uint8Array([255])], ['d9 01 61', 'a'], ['da 0001 61', 'a'],
    ['db 00000001 61', 'a'], ['dc 0001 c3', [true]], ['dd 00000001 c3', [true]],
    ['de 0001 a1 61 01', { a: 1 }], ['df 00000001 a1 61 01', { a: 1 }], ['cc 01', 1],
    ['cd 0001', 1], ['ce 00000001', 1], ['cf 0000000000000001', 1], ['d0 ff', -1],
    ['d1 ffff', -1], ['d2 ffffffff', -1], ['d3 ffffffffffffffff', -1], ['ca 3fc00000', 1.5]];
  for (const [text, value] of forms) assert.deepEqual(decode(hex(text)), value, text);
});

test('ext of every size', () => {
  for (const size of [0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536]) {
    for (const type of [-128, -1, 0, 127]) {
      const written = encode(new Ext(type, bytes(size)));
      assert.deepEqual(decode(written), new Ext(type, bytes(size)));
      if (type >= 0) {
        assert.deepEqual(written, reference.encode(new reference.ExtData(type, bytes(size))));
      }
    }
  }
});

test('maps with other keys, hostile keys, and text that is no UTF-8', () => {
  const map = new Map([[1, 'a'], ['b', [2]], [null, null]]);
  assert.deepEqual(decode(encode(map)), map);
  const hostile = decode(encode(new Map([['__proto__', { admin: true }]])));
  assert.equal(hostile.admin, undefined);
  assert.deepEqual(Object.keys(hostile), ['__proto__']);
  assert.deepEqual(decode(hex('a2 c328')), new Uint8Array([0xc3, 0x28]));
});

test('every truncation of every value is an error', () => {
  const sample = [1, -70000, 2 ** 40, 1.5, 'text', bytes(300), { a: [null, new Ext(1, bytes(3))] }];
  const whole = encode(sample);
  for (let size = 0; size < whole.length; ++size) {
    assert.throws(() => decode(whole.subarray(0, size)), MsgpackError, `${size} bytes`);
  }
  assert.throws(() => decode(Uint8Array.of(...whole, 0)), MsgpackError);
  assert.throws(() => decode(hex('c1')), MsgpackError);
});

test('a length that cannot be costs nothing', () => {
  for (const text of ['dd ffffffff', 'df ffffffff', 'db ffffffff', 'c6 ffffffff', 'c9 ffffffff 01']) {
    assert.throws(() => decode(hex(text)), MsgpackError, text);
  }
});

test('64 levels are read and written, 65 are not', () => {
  const nest = (depth) => Array.from({ length: depth - 1 }).reduce((inner) => [inner], []);
  assert.deepEqual(decode(encode(nest(64))), nest(64));
  assert.throws(() => encode(nest(65)), MsgpackError);
  assert.throws(() => decode(reference.encode(nest(65))), MsgpackError);
  const loop = [];
  loop.push(loop);
  assert.throws(() => encode(loop), MsgpackError);
});

test('what has no MessagePack is refused', () => {
  for (const value of [() => 1, Symbol('s')]) assert.throws(() => encode(value), MsgpackError);
});

test('values back to back are read one by one, up to the first bad one', () => {
  const all = decodeAll(Uint8Array.of(...encode(1), ...encode('two'), 0xc1));
  assert.equal(all.next().value, 1);
  assert.equal(all.next().value, 'two');
  assert.throws(() => all.next(), MsgpackError);
});

test('frames go out and come back', () => {
  const sent = protocol.encodeFrame(10, 7, 'a/b', { x: 1 }, { id: 'i', noEcho: undefined });
  const raw = reference.decode(sent);
  assert.deepEqual([raw.length, raw[0], raw[1], raw[3], raw[4], raw[5]],
    [6, 10, 7, 'a/b', { x: 1 }, { 4: 'i' }]);
  const [frame] = protocol.decodeFrames(sent);
  assert.deepEqual([frame.type, frame.seqId, frame.subject, frame.payload, frame.meta],
    [10, 7, 'a/b', { x: 1 }, { id: 'i' }]);
  assert.equal(reference.decode(protocol.encodeFrame(12, 1, '', null)).length, 5);
  assert.throws(() => [...protocol.decodeFrames(encode([1, 2]))], /no frame/);
});

test('the backoff doubles up to its cap, with full jitter', () => {
  const backoff = new protocol.Backoff({ random: () => 1 });
  const delays = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
  backoff.reset();
  assert.equal(backoff.next(), 1000);
  assert.equal(new protocol.Backoff({ random: () => 0 }).next(), 0);
});

test('close codes say whether to come back', () => {
  for (const code of [1000, 1001, 1006, 1011, 4000, 4002, 4004, 4499]) {
    assert.equal(protocol.mayReconnect(code), true, `${code}`);
  }
  for (const code of [4500, 4502, 4504, 4999]) {
    assert.equal(protocol.mayReconnect(code), false, `${code}`);
  }
  const half = () => 0.5;
  assert.equal(protocol.goawayDelay({ reconnect: 'now' }, half), 0);
  assert.equal(protocol.goawayDelay({ reconnect: 'backoff', afterMs: 100, spreadMs: 50 }, half), 125);
  assert.equal(protocol.goawayDelay({ reconnect: 'backoff', afterMs: 0, spreadMs: 0 }, half), undefined);
});
