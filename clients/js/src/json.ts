// The JSON form of payloads: docs/protocol.md, "Payloads between the codecs".
// What has no place in JSON is an object with one of three names; what would
// read as one of these is written as `$map`.

import { MalformedError } from './errors.js';
import {
  Ext, bytesOf, depthMax, entriesOf, is64Bits, mapOf, narrow, noPlace, tooDeep, tooLong,
} from './msgpack.js';

type Fields = Record<string, unknown>;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x2000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(text);
}

/** Returns the bytes, or undefined where it is not base64 in its one padded form. */
function fromBase64(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const raw = atob(text);
    return btoa(raw) === text ? Uint8Array.from(raw, (c) => c.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

const isPair = (value: unknown): value is [unknown, unknown] =>
  Array.isArray(value) && value.length === 2;
const isExtType = (value: unknown) =>
  Number.isInteger(value) && value as number >= -128 && value as number <= 127;

/** Says which form a plain object has: '' if none. */
function formOf(value: object): '' | '$bin' | '$ext' | '$map' {
  const [name, more] = Object.keys(value);
  if (more !== undefined || name === undefined) return '';
  const held = (value as Fields)[name];
  if (name === '$bin') return fromBase64(held) ? name : '';
  if (name === '$ext') {
    return isPair(held) && isExtType(held[0]) && fromBase64(held[1]) ? name : '';
  }
  return name === '$map' && Array.isArray(held) && held.every(isPair) ? name : '';
}

// -- writing --------------------------------------------------------------------

function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes('e')
    ? `${text}.0` : text;
}

// With the flag u, this is half of a pair only where the other half is missing.
const stringText = (value: string) => JSON.stringify(value.replace(/\p{Cs}/gu, '\ufffd'));

function bigintText(value: bigint): string {
  if (!is64Bits(value)) throw tooLong();
  return String(value);
}

function pairsText(entries: Iterable<[unknown, unknown]>, depth: number): string {
  const pairs = [...entries].map(([key, value]) =>
    `[${write(key, depth)},${write(value, depth)}]`);
  return `{"$map":[${pairs.join()}]}`;
}

function objectText(value: object, depth: number): string {
  const bytes = bytesOf(value);
  if (bytes) return `{"$bin":"${toBase64(bytes)}"}`;
  if (value instanceof Ext) return `{"$ext":[${value.type},"${toBase64(value.data)}"]}`;
  if (depth <= 0) throw tooDeep();
  if (Array.isArray(value)) {
    return `[${Array.from(value, (element) => write(element, depth - 1)).join()}]`;
  }
  if (value instanceof Map) {
    const plain = mapOf([...value]);
    if (!(plain instanceof Map)) return objectText(plain, depth);
    return pairsText(value, depth - 1);
  }
  const entries = entriesOf(value);
  if (formOf(Object.fromEntries(entries))) return pairsText(entries, depth - 1);
  const fields = entries.map(([key, field]) => `${stringText(key)}:${write(field, depth - 1)}`);
  return `{${fields.join()}}`;
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'undefined': return 'null';
    case 'boolean': return String(value);
    case 'number': return numberText(value);
    case 'bigint': return bigintText(value);
    case 'string': return stringText(value);
    case 'object': return value === null ? 'null' : objectText(value, depth);
    default: throw noPlace(value);
  }
}

/** Returns the JSON of `value`. Throws MalformedError where there is none. */
export const stringify = (value: unknown): string => write(value, depthMax);

// -- reading --------------------------------------------------------------------

const largeInteger = /-?\d{16}/;
// Strings first, so that digits within them are no numbers.
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON. Integers that a number does not hold come out as bigints:
 * where there may be one, each string is marked by an "s" in front, so that
 * integers can stand among them, marked by an "i".
 */
export function parse(text: string): unknown {
  try {
    if (!largeInteger.test(text)) return JSON.parse(text);
    JSON.parse(text);
    return unmark(JSON.parse(text.replace(tokens, (token) => {
      if (token[0] === '"') return `"s${token.slice(1)}`;
      return /^-?\d{16,}$/.test(token) ? `"i${token}"` : token;
    })));
  } catch {
    throw new MalformedError('It is not JSON.');
  }
}

function unmark(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value[0] === 's') return value.slice(1);
    const integer = BigInt(value.slice(1));
    return is64Bits(integer) ? narrow(integer) : Number(integer);
  }
  if (Array.isArray(value)) return value.map(unmark);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) =>
    [key.slice(1), unmark(held)]));
}

/** Returns the value that parsed JSON stands for. Throws MalformedError beyond 64 levels. */
export function revive(value: unknown, depth = depthMax): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const form = Array.isArray(value) ? '' : formOf(value);
  const held = (value as Fields)[form];
  if (form === '$bin') return fromBase64(held);
  if (form === '$ext') {
    const [type, data] = held as [number, string];
    return new Ext(type, fromBase64(data) as Uint8Array);
  }
  if (depth <= 0) throw tooDeep();
  if (Array.isArray(value)) return value.map((element) => revive(element, depth - 1));
  const entries = form ? held as [unknown, unknown][] : Object.entries(value);
  return mapOf(entries.map(([key, element]) => [
    form ? revive(key, depth - 1) : key, revive(element, depth - 1)]));
}
