// The TypeScript SDK, as Node runs it: clients that end with their test, and
// count how often they tried to connect.

import { afterEach } from 'node:test';
import WebSocket from 'ws';
import * as sdk from '../../../clients/js/dist/esm/index.js';
import { within } from './server.mjs';

export { sdk };

const open = new Set();

/// Ends every client that connectSdk() made.
export function endSdks() {
  for (const client of open) client.close();
  open.clear();
}
afterEach(endSdks);

/// Returns a WebSocket class, and `tries`: when each one was made, by
/// performance.now().
export function countingWebSocket() {
  const tries = [];
  return {
    tries,
    WebSocket: class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { perMessageDeflate: false });
        tries.push(performance.now());
      }
    },
  };
}

/// Makes a client of the SDK's; `states` and `problems` are all that it told.
export function makeSdk(url, options = {}) {
  const client = sdk.connect(url, { WebSocket, ...options });
  client.states = [];
  client.problems = [];
  client.on('state', (change) => client.states.push(change));
  client.on('error', (error) => client.problems.push(error));
  open.add(client);
  return client;
}

/// The same, and waits until it is connected.
export async function connectSdk(url, options) {
  const client = makeSdk(url, options);
  await within(client.connected(), 'the SDK to connect');
  return client;
}

/// Returns the next value that an emitter gives under this name.
export function next(emitter, name) {
  return within(new Promise((resolve) => { emitter.once(name, resolve); }), name);
}

/// Takes `count` events of a subscription, and leaves it as it is.
export async function take(subscription, count) {
  const iterator = subscription[Symbol.asyncIterator]();
  const result = [];
  while (result.length < count) {
    const { value, done } = await within(iterator.next(), `event ${result.length + 1} of ${count}`);
    if (done) throw new Error(`ended after ${result.length} of ${count} events`);
    result.push(value);
  }
  return result;
}
