import type { Client, Options } from './types.js';

/**
 * Makes a client of the server at `url` (`ws://` or `wss://`), and connects it.
 * Throws TypeError where there is no WebSocket class.
 */
export declare function connect(url: string, options?: Options): Client;
