// A protocol client on npm's `ws` and `@msgpack/msgpack`, with nothing of the
// project in it. It shows every frame as {type, seqId, timestamp, subject,
// payload, meta}, names for numbers, in both subprotocols.

import assert from 'node:assert/strict';
import { decodeMulti, encode } from '@msgpack/msgpack';
import WebSocket from 'ws';
import { metaKey, metaName, nameOf, type } from './protocol.mjs';
import { patienceMs, within } from './server.mjs';

export const msgpack = 'callboard.v1.msgpack';
export const json = 'callboard.v1.json';

/// Returns a MessagePack map whose keys are integers.
/// (`encode` writes an object's keys as strings.)
function encodeIntegerMap(entries) {
  const parts = [Uint8Array.of(0x80 | entries.length)];
  for (const [key, value] of entries) parts.push(encode(key), encode(value));
  return Buffer.concat(parts);
}

/// Returns one frame's bytes. `meta` has names; `payload` may be a Buffer of
/// ready MessagePack if `rawPayload` is set.
export function frame(name, seqId, subject = '', payload = null, meta = undefined,
  { rawPayload = false, timestamp = Date.now() } = {}) {
  const parts = [Uint8Array.of(meta ? 0x96 : 0x95)];
  parts.push(encode(type[name] ?? name), encode(seqId), encode(timestamp),
    encode(subject), rawPayload ? payload : encode(payload, { useBigInt64: true }));
  if (meta) {
    parts.push(encodeIntegerMap(
      Object.entries(meta).map(([key, value]) => [metaKey[key], value])));
  }
  return Buffer.concat(parts);
}

/// Returns the frames of one message.
export function parse(bytes) {
  return [...decodeMulti(new Uint8Array(bytes), { mapKeyConverter: (key) => key })].map((value) => {
    assert.ok(Array.isArray(value) && value.length >= 5, 'a frame is an array');
    const [number, seqId, timestamp, subject, payload, raw = {}] = value;
    const meta = Object.fromEntries(Object.entries(raw).map(([key, part]) =>
      [metaName[key] ?? key, part]));
    return { type: nameOf[number] ?? number, seqId, timestamp, subject, payload, meta };
  });
}

/// One WebSocket. Frames wait in `frames` until somebody asks for them, but those
/// that `watcher`, if there is one, returns true for.
export class Client {
  frames = [];
  watcher;
  #waiting = new Set();
  #lastSeqId = 0;

  constructor(url, protocols = msgpack, { raw = false, ...options } = {}) {
    this.socket = new WebSocket(url, protocols, {
      perMessageDeflate: false, handshakeTimeout: patienceMs, ...options,
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.closeCode = code;
        this.#wake();
        resolve({ code, reason: String(reason) });
      });
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.opened.catch(() => {});
    this.socket.on('message', (data, binary) => {
      if (raw) return;
      if (binary) this.#keep(parse(data));
      else this.#readJson(String(data));
      this.#wake();
    });
  }

  get isJson() { return this.socket.protocol === json; }

  #readJson(text) {
    this.#keep(text.split('\n').filter(Boolean).map((line) =>
      ({ seqId: 0, subject: '', payload: null, meta: {}, ...JSON.parse(line) })));
  }

  #keep(frames) {
    this.frames.push(...(this.watcher ? frames.filter((one) => !this.watcher(one)) : frames));
  }

  #wake() {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /// Takes the first frame that has come, or that comes, and fulfils `wanted`:
  /// a function, or a type's name.
  async take(wanted = () => true, timeoutMs = patienceMs) {
    const fits = typeof wanted === 'string' ? ({ type: is }) => is === wanted : wanted;
    const there = () => this.frames.findIndex(fits);
    if (there() >= 0) return this.frames.splice(there(), 1)[0];
    const found = async () => {
      for (;;) {
        const at = there();
        if (at >= 0) return this.frames.splice(at, 1)[0];
        if (this.closeCode) throw new Error(`closed with ${this.closeCode} while waiting`);
        await new Promise((resume) => { this.#waiting.add(resume); });
      }
    };
    return within(found(), `${this.id}: a frame (there are ${
      JSON.stringify(this.frames.slice(0, 5), (k, v) => typeof v === 'bigint' ? `${v}` : v)
    })`, timeoutMs);
  }

  nextSeqId() { return ++this.#lastSeqId; }

  /// Sends a frame in the connection's subprotocol; returns its seqId.
  send(name, subject, payload = null, meta = undefined, seqId = this.nextSeqId()) {
    if (this.isJson) {
      this.socket.send(JSON.stringify({ type: name, seqId, subject, payload, meta }));
    } else {
      this.socket.send(frame(name, seqId, subject, payload, meta));
    }
    return seqId;
  }

  /// Returns the reply to what was sent with this seqId.
  reply(seqId) {
    return this.take((one) => one.seqId === seqId
      && ['response', 'error', 'pong', 'welcome'].includes(one.type));
  }

  /// Sends a frame and returns its reply.
  call(name, subject, payload = null, meta = undefined) {
    return this.reply(this.send(name, subject, payload, meta));
  }

  /// Like call, and fails unless the reply is good. Returns its payload.
  async ok(name, subject, payload = null, meta = undefined) {
    const answer = await this.call(name, subject, payload, meta);
    assert.notEqual(answer.type, 'error', `${name} ${subject}: ${answer.subject}`);
    return answer.payload;
  }

  /// Fails unless `name` is answered with this error. Returns the frame.
  async fails(code, errorName, name, subject, payload = null, meta = undefined) {
    const answer = await this.call(name, subject, payload, meta);
    expectError(answer, code, errorName);
    return answer;
  }

  /// Takes `count` events in the order in which they came.
  async events(count) {
    const result = [];
    while (result.length < count) result.push(await this.take('event'));
    return result;
  }

  /// Shows that the server has read everything until now, and returns what
  /// it had to say about it (other than the answer to this).
  async settle() {
    await this.ok('request', 'callboard.echo', 'settle');
    return this.frames.splice(0);
  }

  end() {
    this.socket.terminate();
  }
}

/// Fails unless this is the protocol's error with this code and name.
export function expectError(answer, code, name) {
  assert.deepEqual([answer.type, answer.subject, answer.meta.code],
    ['error', name, code]);
  assert.equal(typeof answer.payload, 'string', 'a sentence for people');
  assert.ok(answer.payload.length > 0);
}

const open = new Set();

/// Connects, and takes the welcome, unless it is not to be `welcomed` yet. On
/// another `path` nothing is understood: listen to the `socket` itself.
export async function connect(server,
  { protocol = msgpack, path, query = '', welcomed = true, ...options } = {}) {
  const url = path ? server.http.replace('http', 'ws') + path : server.ws + query;
  const client = new Client(url, protocol, { raw: path !== undefined, ...options });
  open.add(client);
  await within(client.opened, `a WebSocket to ${url}`);
  if (path || !welcomed) return client;
  client.welcome = await client.take('welcome');
  client.id = client.welcome.payload.connection;
  return client;
}

/// Ends every client that connect() made.
export function endAll() {
  for (const client of open) client.end();
  open.clear();
}
