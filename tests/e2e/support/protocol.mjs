// protocol.md's numbers and names, as the tests say them.

export const type = {
  connect: 1, welcome: 2, request: 3, response: 4, error: 5, notify: 6,
  cancel: 7, subscribe: 8, unsubscribe: 9, publish: 10, event: 11, ping: 12,
  pong: 13, goaway: 14, register: 15, unregister: 16, presence: 17, ack: 18,
  position: 19,
};

export const nameOf = Object.fromEntries(
  Object.entries(type).map(([name, number]) => [number, name]));

export const metaKey = {
  offset: 1, epoch: 2, since: 3, id: 4, noEcho: 5, sender: 6, timeoutMs: 7,
  code: 8, temporary: 9, retryAfterMs: 10, pattern: 11, trace: 12,
  presence: 13, retained: 14, group: 15, key: 16, ack: 17, attempt: 18,
  origin: 19,
};

export const metaName = Object.fromEntries(
  Object.entries(metaKey).map(([name, number]) => [number, name]));
