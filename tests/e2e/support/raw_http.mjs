// HTTP by hand, for requests that no HTTP library would send.

import assert from 'node:assert/strict';
import net from 'node:net';
import { patienceMs, within } from './server.mjs';

/// Sends `text` and returns what comes until the server closes.
/// @param options more: [text, afterMs] pairs that are sent later
export function exchange(server, text, { more = [], timeoutMs = patienceMs } = {}) {
  const socket = net.connect(server.port, '127.0.0.1');
  const timers = [];
  const answered = new Promise((resolve, reject) => {
    let received = '';
    socket.on('data', (data) => { received += data; });
    socket.on('close', () => resolve(received));
    socket.on('error', (error) => { // a reset after an early answer is fine
      if (received) resolve(received);
      else reject(error);
    });
    socket.on('connect', () => {
      socket.write(text);
      for (const [later, afterMs] of more) {
        timers.push(setTimeout(() => socket.writable && socket.write(later), afterMs));
      }
    });
  });
  return within(answered, 'an HTTP answer', timeoutMs).finally(() => {
    timers.forEach(clearTimeout);
    socket.destroy();
  });
}

/// Returns {status, headers, body} of the first response in `text`.
export function parseResponse(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const [status, ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  }));
  return { status: Number(status.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

/// Fails unless this is a refusal as protocol.md has it: one line of JSON
/// with a name and a sentence. Returns the JSON.
export function expectRefusal({ status, headers, body }, expected, what) {
  assert.ok([expected].flat().includes(status), `${what}: ${status}, not ${expected}`);
  assert.match(headers['content-type'] ?? '', /^application\/json/, what);
  assert.match(body, /^[^\n]+\n?$/, `${what}: one line`);
  const refusal = JSON.parse(body);
  assert.match(refusal.error, /^[a-z0-9_]+$/, what);
  assert.ok(refusal.message.length > 10, what);
  return refusal;
}

/// Returns the text of a request with these header lines.
export function request(line, ...headers) {
  return `${[`${line} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
}
