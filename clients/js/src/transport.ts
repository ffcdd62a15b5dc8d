import type { Data } from './codec.js';
import type { WebSocketClass, WebSocketLike } from './options.js';

export interface TransportListeners {
  opened(): void;
  message(data: unknown): void;
  closed(code: number, reason: string): void;
}

const openState = 1;

/** One WebSocket. Once left, nothing is heard of it any more. */
export class Transport {
  #socket: WebSocketLike;
  #left = false;

  /** Throws what the class throws, such as for an address that is none. */
  constructor(Class: WebSocketClass, url: string, subprotocol: string,
    listeners: TransportListeners) {
    const socket = new Class(url, subprotocol);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const listen = (type: string, handle: (event: Record<string, unknown>) => void) => {
      socket.addEventListener(type, (event: unknown) => {
        if (!this.#left) handle(event as Record<string, unknown>);
      });
    };
    listen('open', () => listeners.opened());
    listen('message', ({ data }) => listeners.message(data));
    // A close follows. Where this side finds the stream broken, classes differ in
    // the code that they tell: it is always that of no close frame.
    let isBroken = false;
    listen('error', () => { isBroken = true; });
    listen('close', ({ code, reason }) => {
      this.#left = true;
      listeners.closed(isBroken ? 1006 : Number(code ?? 1006), String(reason ?? ''));
    });
  }

  get bufferedBytes(): number { return this.#socket.bufferedAmount ?? 0; }

  /** Sends, unless it is closing: then that is heard of soon. */
  send(data: Data) {
    if (this.#socket.readyState !== openState) return;
    try {
      this.#socket.send(data);
    } catch {
      // Only a socket that is not open throws.
    }
  }

  /** Closes it, without waiting for that. */
  leave(code: number, reason: string) {
    this.#left = true;
    try {
      this.#socket.close(code, reason);
    } catch {
      // It was never open.
    }
  }
}
