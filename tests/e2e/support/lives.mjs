// Raw connections that begin as good clients do and end abruptly, at any byte.

import net from 'node:net';
import { frame } from './client.mjs';
import { sleep } from './server.mjs';

/// Returns a WebSocket frame as clients send it, with a mask that changes
/// nothing.
function masked(opcode, bytes) {
  const length = bytes.length < 126 ? [bytes.length]
    : [126, bytes.length >> 8, bytes.length & 0xFF];
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | length[0], ...length.slice(1), 0, 0, 0, 0]), bytes]);
}

const say = (...words) => masked(2, frame(...words));

const handshake = Buffer.from(['GET /ws HTTP/1.1', 'Host: localhost', 'Connection: Upgrade',
  'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: callboard.v1.msgpack',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''].join('\r\n'));

const health = Buffer.from('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');

const long = 'x'.repeat(8000);

/// What clients do, by kind: the pieces that they send, each of which is
/// answered. There is a publisher to cycles/news and cycles/work, and an asker
/// for cycles/act.
export const kinds = {
  http: [health, health],
  silent: [handshake],
  control: [handshake, masked(9, Buffer.from('ping')), say('ping', 1)],
  connector: [handshake, say('connect', 1, '', { token: 'none' })],
  subscriber: [handshake, say('subscribe', 1, 'cycles/news'), say('subscribe', 2, 'cycles/+'),
    say('unsubscribe', 3, 'cycles/news'), say('subscribe', 4, 'cycles/other')],
  publisher: [handshake, say('publish', 1, 'cycles/other', long),
    say('publish', 2, 'cycles/other', long, { id: 'one' }), say('publish', 3, 'cycles/other', long)],
  asker: [handshake, say('request', 1, 'callboard.echo', long),
    say('request', 2, 'cycles/act', 1, { timeoutMs: 5000 }), say('cancel', 2),
    say('request', 3, 'cycles/act', 1, { timeoutMs: 5000 })],
  responder: [handshake, say('register', 1, 'cycles/act'), say('register', 2, 'cycles/act2')],
  member: [handshake, say('subscribe', 1, 'cycles/work', null, { group: 'g', ack: true })],
  present: [handshake, say('subscribe', 1, 'present/a', null, { presence: true }),
    say('subscribe', 2, 'present/b')],
};

/// What comes behind the last byte, by name.
export const ends = {
  destroy: (socket) => { socket.destroy(); },
  reset: (socket) => { socket.resetAndDestroy(); },
  half: (socket) => { socket.end(); },
  close: (socket) => {
    socket.write(masked(8, Buffer.from([0x03, 0xE8])));
    socket.destroySoon();
  },
  rubbish: (socket) => {
    socket.write(Buffer.alloc(300, 0xC1));
    socket.destroySoon();
  },
};

/// Lives one life, which `random` chooses. Settles when its socket is closed.
export async function live(server, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const pieces = kinds[pick(Object.keys(kinds))];
  const end = ends[pick(Object.keys(ends))];
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  // Between two pieces as often as within one.
  const whole = Math.floor(random() * (pieces.length + 1));
  let left = random() < 0.5 ? Math.floor(random() * total)
    : pieces.slice(0, whole).reduce((sum, piece) => sum + piece.length, 0);
  const hasty = random() < 0.3;
  const deaf = random() < 0.2;
  const restMs = random() * 40;

  const socket = net.connect(server.port, '127.0.0.1');
  const closed = new Promise((resolve) => { socket.on('close', resolve); });
  socket.on('error', () => {}); // a close follows
  await Promise.race([closed, new Promise((resolve) => { socket.on('connect', resolve); })]);
  if (!deaf) socket.resume();
  for (const piece of pieces) {
    if (left <= 0 || socket.destroyed) break;
    socket.write(piece.subarray(0, left));
    left -= piece.length;
    // The answer is here long before, or there is none.
    if (!hasty) await Promise.race([closed, sleep(10)]);
  }
  await Promise.race([closed, sleep(restMs)]);
  if (!socket.destroyed) end(socket);
  await Promise.race([closed, sleep(1000)]);
  socket.destroy();
  await closed;
}
