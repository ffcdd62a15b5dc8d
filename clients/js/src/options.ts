/** What a WebSocket class must be like: the browsers', or that of `ws`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount?: number;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: any) => void): void;
}
export type WebSocketClass = new (url: string, protocols?: string) => WebSocketLike;

/** Why a token is asked for. */
export interface TokenRequest {
  /** `connect`: to log in; `refresh`: the log-in runs out; `refused`: the last one was. */
  readonly reason: 'connect' | 'refresh' | 'refused';
}

export interface QueueOptions {
  /** Calls that may wait for a connection: default 1,000. 0: none may. */
  count?: number;
  /** And their bytes, encoded: default 1 MiB. */
  bytes?: number;
  /**
   * What happens beyond: `reject` (default) the new one, or `drop_oldest`,
   * which fails instead. Both with QueueFullError.
   */
  policy?: 'reject' | 'drop_oldest';
}

/** All times in milliseconds. */
export interface Options {
  /** How frames are written: `msgpack` (default) or `json`. */
  codec?: 'msgpack' | 'json';
  /** The WebSocket class: default the global one, which Node 20 has not. */
  WebSocket?: WebSocketClass;
  /** A token to log in with. */
  token?: string;
  /**
   * Gets a token: before each connection, and before the log-in runs out.
   * After 3 refused ones in a row the client gives up. Instead of `token`.
   * Returning nothing connects without one; throwing is tried again later.
   */
  getToken?: (why: TokenRequest) => string | undefined | Promise<string | undefined>;
  /** Where the token goes: `frame` (default), or `url`, as `?token=`. */
  tokenIn?: 'frame' | 'url';
  /** How this client calls itself to the server, with the token. */
  client?: string;
  /** Whether to connect at once: default true. Else `connect()` does. */
  autoConnect?: boolean;
  /** Until the server's welcome: default 10,000. */
  connectTimeout?: number;
  /** Until a call without a `timeout` fails, the wait for a connection included: default 10,000. */
  timeout?: number;
  /** Calls that wait for a connection. */
  queue?: QueueOptions;
  /** The wait before try n, from 0, is drawn from 0 … min(capMs, baseMs · 2ⁿ): 1,000 and 60,000. */
  backoff?: { baseMs?: number; capMs?: number };
  /** Instead of the server's pingIntervalMs and pingTimeoutMs. */
  heartbeat?: { intervalMs?: number; timeoutMs?: number };
  /** Numbers evenly from 0 up to, but not including, 1. */
  random?: () => number;
}
