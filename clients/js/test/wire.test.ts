// The golden vectors that all implementations share.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonCodec, msgpackCodec } from '../src/codec.js';
import { MalformedError } from '../src/errors.js';
import { typeNames } from '../src/frame.js';
import { parse, revive, stringify } from '../src/json.js';
import { decode, encode } from '../src/msgpack.js';

const vectors = (name: string) => JSON.parse(
  readFileSync(new URL(`../../../tests/wire/${name}.json`, import.meta.url), 'utf8'));
const bytes = (hex: string) =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (data: Uint8Array) =>
  Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
const value = (json: string) => revive(parse(json));

describe('frames.json', () => {
  for (const { name, msgpack_hex: hex, json, frame, canonical } of vectors('frames')) {
    const { type, payload, ...rest } = frame;
    // What a request without a subject means is for a server to know.
    if (name === 'an action in the payload') rest.subject = '';
    const expected = {
      ...rest, type: typeNames.indexOf(type),
      payload: payload === undefined ? null : revive(payload),
    };
    if (hex !== undefined) test(`${name}: MessagePack`, () => {
      expect([...msgpackCodec.decode(bytes(hex).buffer)]).toEqual([expected]);
      if (canonical !== false) {
        expect(hexOf(msgpackCodec.encode(expected) as Uint8Array)).toBe(hex);
      }
    });
    if (json !== undefined) test(`${name}: JSON`, () => {
      expect([...jsonCodec.decode(json)]).toEqual([expected]);
      if (canonical !== false) expect(jsonCodec.encode(expected)).toBe(json);
    });
  }
});

describe('malformed.json', () => {
  // What a language without integers, and JSON.parse, cannot tell apart: these
  // are read as if they were right.
  const tolerated = new Set([
    'seqId that is a double', 'timestamp that is a double', 'meta retryAfterMs that is a double',
    'a meta key that stands there twice', 'JSON: seqId with a fraction',
    'JSON: timestamp with an exponent', 'JSON: a name that stands there twice',
    'JSON: a lone high surrogate', 'JSON: a lone low surrogate', 'JSON: a number beyond a double',
  ]);
  for (const { name, msgpack_hex: hex, json, error } of vectors('malformed')) {
    const read = (codec: typeof jsonCodec, data: unknown) => {
      const isRefused = error === 'malformed_frame' && !tolerated.has(name);
      if (isRefused) expect(() => [...codec.decode(data)]).toThrow(MalformedError);
      else expect([...codec.decode(data)].length).toBe(1);
      if (error === 'unknown_type') expect([...codec.decode(data)][0]?.type).toBe(0);
    };
    if (hex !== undefined) test(`${name}: MessagePack`, () => {
      read(msgpackCodec, bytes(hex).buffer);
    });
    if (json !== undefined) test(`${name}: JSON`, () => read(jsonCodec, json));
  }
});

describe('payloads.json', () => {
  // JavaScript has one kind of number, and objects have each key once.
  const oneNumber = (json: string) => /^-?\d+(\.0|e\+\d+)$/.test(json);
  const lossy = new Set(['a key twice', '$ext with a double is a map']);
  for (const { name, msgpack_hex: hex, json, way } of vectors('payloads')) {
    if (way !== 'to_json') test(`${name}: from JSON`, () => {
      const isSame = oneNumber(json) || lossy.has(name);
      if (!isSame && !name.includes('becomes a double') && !/^(exponent|too small|minus zero)/.test(name)) {
        expect(hexOf(encode(value(json)))).toBe(hex);
      }
      expect(value(json)).toEqual(
        name === '$ext with a double is a map' ? value('{"$ext":[1,""]}')
          : name.startsWith('minus zero') ? -0 : decode(bytes(hex)));
    });
    if (way !== 'to_msgpack') test(`${name}: to JSON`, () => {
      const text = stringify(decode(bytes(hex)));
      const isForm = /^(text|a key) that is not UTF-8$/.test(name);
      if (isForm || !(oneNumber(json) || lossy.has(name))) expect(text).toBe(json);
      const isDouble = name === '$ext with a double is a map';
      expect(value(text)).toEqual(isDouble ? { $ext: [1, ''] } : value(json));
    });
  }
});
