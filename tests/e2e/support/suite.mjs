// What every suite begins with: a server for all its tests, and no client
// that outlives the test that made it.

import { after, afterEach, before } from 'node:test';
import { connect, endAll } from './client.mjs';
import { startServer } from './server.mjs';

/// Starts a server before the first test of this file, and ends it after the
/// last one, which fails unless it then exits with 0.
/// Returns {connect(options), server}.
export function suite(args = []) {
  const shared = {
    server: null,
    connect: (options) => connect(shared.server, options),
  };
  before(async () => { shared.server = await startServer(args); });
  afterEach(endAll);
  after(async () => {
    const { code, signal } = await shared.server.stop();
    if (code !== 0) throw new Error(`the server ended with ${signal ?? code}`);
  });
  return shared;
}

/// For tests that need servers with options of their own: all that were started
/// end with the test; `usual` ones, of which there is one for the same words,
/// with the file. Returns {connect(server, options), server(words), usual(words)}.
export function serveAll() {
  const shared = new Map();
  const own = [];
  const stop = async (server) => {
    const { code, signal } = await server.stop();
    if (code !== 0) throw new Error(`the server ended with ${signal ?? code}`);
  };
  afterEach(async () => {
    endAll();
    for (const server of own.splice(0)) await stop(server);
  });
  after(async () => {
    for (const server of shared.values()) await stop(server);
  });
  return {
    connect,
    server: async (words) => {
      own.push(await startServer(words));
      return own.at(-1);
    },
    usual: async (words) => {
      const key = words.join(' ');
      if (!shared.has(key)) shared.set(key, await startServer(words));
      return shared.get(key);
    },
  };
}

let topics = 0;

/// Returns a topic that no other test uses.
export function freshTopic(name = 'test') {
  return `${name}/${process.pid}-${++topics}`;
}
