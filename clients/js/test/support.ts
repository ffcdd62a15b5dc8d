// A server's side of a WebSocket in memory, and clients on virtual time.

import { afterEach, beforeEach, vi } from 'vitest';
import { jsonCodec, msgpackCodec } from '../src/codec.js';
import type { Frame, Meta } from '../src/frame.js';
import { typeNames } from '../src/frame.js';
import type { Client, Options, StateChange } from '../src/index.js';
import { connect } from '../src/index.js';

type Listener = (event: Record<string, unknown>) => void;
type Seen = Omit<Frame, 'type'> & { type: string };

export class FakeSocket {
  static all: FakeSocket[] = [];
  static throws: Error | undefined;
  binaryType = '';
  readyState = 0;
  bufferedAmount = 0;
  messages: (string | Uint8Array)[] = [];
  frames: Seen[] = [];
  closedWith: { code?: number; reason?: string } | undefined;
  #listeners = new Map<string, Listener[]>();

  constructor(readonly url: string, readonly protocol: string) {
    if (FakeSocket.throws) throw FakeSocket.throws;
    FakeSocket.all.push(this);
  }

  static get last() { return FakeSocket.all.at(-1) as FakeSocket; }

  get codec() { return this.protocol.endsWith('json') ? jsonCodec : msgpackCodec; }

  addEventListener(type: string, listener: Listener) {
    this.#listeners.set(type, [...this.#listeners.get(type) ?? [], listener]);
  }

  #fire(type: string, event = {}) {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  send(data: string | Uint8Array) {
    this.messages.push(data);
    const whole = typeof data === 'string' ? data : data.slice().buffer;
    for (const frame of this.codec.decode(whole)) {
      this.frames.push({ ...frame, type: typeNames[frame.type] as string });
    }
  }

  close(code?: number, reason?: string) {
    this.readyState = 2;
    this.closedWith = { code, reason };
  }

  // -- as the server ----------------------------------------------------------

  open() {
    this.readyState = 1;
    this.#fire('open');
  }

  fail() { this.#fire('error'); }

  raw(data: unknown) { this.#fire('message', { data }); }

  say(type: string, fields: { seqId?: number; subject?: string; payload?: unknown;
    meta?: Meta } = {}) {
    const data = this.codec.encode({ ...fields, type: typeNames.indexOf(type) });
    this.raw(typeof data === 'string' ? data : data.slice().buffer);
  }

  end(code = 1006, reason = '') {
    this.readyState = 3;
    this.#fire('close', { code, reason });
  }

  welcome(more: Record<string, unknown> = {}, seqId = 0) {
    if (this.readyState === 0) this.open();
    this.say('welcome', { seqId, payload: {
      connection: 'c1', node: 'n1', incarnation: 1, pingIntervalMs: 30000,
      pingTimeoutMs: 90000, frameBytesMax: 65536, inflightMax: 256, time: 1000, ...more,
    } });
  }

  /** Removes and returns the first frame of this type that the client has sent. */
  take(type: string): Seen {
    const at = this.frames.findIndex((frame) => frame.type === type);
    if (at < 0) throw new Error(`no ${type} in ${JSON.stringify(this.frames.map((f) => f.type))}`);
    return this.frames.splice(at, 1)[0] as Seen;
  }

  types() { return this.frames.map(({ type }) => type); }

  answer(frame: { seqId: number }, payload: unknown = null) {
    this.say('response', { seqId: frame.seqId, payload });
  }

  refuse(frame: { seqId: number }, code: number, name: string, more: Meta = {}) {
    this.say('error', { seqId: frame.seqId, subject: name, payload: `It is ${name}.`,
      meta: { code, temporary: false, ...more } });
  }
}

/** Lets everything happen that waits for no timer. */
export const settle = () => vi.advanceTimersByTimeAsync(0);
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const unhandled: unknown[] = [];
const noticed = (reason: unknown) => { unhandled.push(reason); };
declare const process: {
  on(name: string, listener: (reason: unknown) => void): void;
  off(name: string, listener: (reason: unknown) => void): void;
};

const clients: Client[] = [];

/** Virtual time for each test of a file, and a look for unhandled rejections. */
export function useVirtualTime() {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    FakeSocket.all = [];
    FakeSocket.throws = undefined;
    unhandled.length = 0;
    process.on('unhandledRejection', noticed);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await settle();
    const timers = vi.getTimerCount();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    process.off('unhandledRejection', noticed);
    if (unhandled.length > 0) throw new Error(`unhandled: ${String(unhandled[0])}`);
    if (timers > 0) throw new Error(`${timers} timers are left behind a close`);
  });
}

export const url = 'wss://example.org/ws';

/** Makes a client whose waits are half of their bounds. */
export function begin(options: Options = {}): Client & { changes: StateChange[] } {
  const client = connect(url, { WebSocket: FakeSocket as never, random: () => 0.5, ...options });
  const changes: StateChange[] = [];
  client.on('state', (change) => changes.push(change));
  clients.push(client);
  return Object.assign(client, { changes });
}

/** Makes one that is connected; returns it and the server's side. */
export function connected(options: Options = {}, welcome = {}) {
  const client = begin(options);
  FakeSocket.last.welcome(welcome);
  return { client, socket: FakeSocket.last };
}

/** Returns what a promise failed with. */
export async function failure(promise: Promise<unknown>): Promise<never> {
  return promise.then(
    () => { throw new Error('it did not fail'); },
    (error: unknown) => error as never);
}
