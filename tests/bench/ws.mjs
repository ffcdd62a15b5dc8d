// A broadcaster and echo on npm's `ws`, as its README shows it.
//
//   node ws.mjs PORT
//
// The packages are those of the end-to-end tests.

import {createRequire} from 'node:module';

const require = createRequire(new URL('../e2e/package.json', import.meta.url));
const {WebSocketServer} = require('ws');
const {decodeMulti, encode} = require('@msgpack/msgpack');

const port = Number(process.argv[2]);
const rooms = new Map();
let accepted = 0;

const server = new WebSocketServer({
  host: '127.0.0.1',
  port,
  backlog: 4096,
  maxPayload: 1 << 20,
  perMessageDeflate: false,
  clientTracking: false,
});

function roomOf(topic) {
  let room = rooms.get(topic);
  if (!room)
    rooms.set(topic, room = {members: new Set(), offset: 0});
  return room;
}

function take(socket, frame) {
  const [type, seqId, , subject, payload] = frame;
  const reply = (type, payload, meta) =>
    socket.send(encode([type, seqId, Date.now(), '', payload, meta ?? {}]));
  if (type === 10) {
    const room = roomOf(subject);
    const meta = new Map([[1, ++room.offset], [6, socket.name]]);
    const event = Buffer.from(
      encodeEvent([11, 0, Date.now(), subject, payload], meta));
    for (const member of room.members)
      member.send(event);
    if (seqId !== 0)
      reply(4, {epoch: '1', offset: room.offset});
  } else if (type === 3 && subject === 'callboard.echo') {
    reply(4, payload);
  } else if (type === 8) {
    const room = roomOf(subject);
    room.members.add(socket);
    socket.rooms.push(room);
    reply(4, {epoch: '1', offset: room.offset, recovered: false});
  } else {
    reply(5, 'unknown type');
  }
}

// The package writes a map's keys as strings; these are small integers.
function encodeEvent(elements, meta) {
  const parts = [Buffer.of(0x90 | elements.length + 1)];
  for (const element of elements)
    parts.push(encode(element));
  parts.push(Buffer.of(0x80 | meta.size));
  for (const [key, value] of meta)
    parts.push(Buffer.of(key), encode(value));
  return Buffer.concat(parts);
}

server.on('connection', (socket, request) => {
  socket.on('error', () => socket.terminate());
  if (request.url === '/echo') {
    socket.on('message', (data, binary) => socket.send(data, {binary}));
    return;
  }
  socket.name = `c${++accepted}`;
  socket.rooms = [];
  socket.on('close', () => {
    for (const room of socket.rooms)
      room.members.delete(socket);
  });
  socket.on('message', (data) => {
    for (const frame of decodeMulti(data))
      take(socket, frame);
  });
  const welcome = {connection: socket.name, node: 'ws'};
  socket.send(encode([2, 0, Date.now(), '', welcome]));
});

process.on('SIGTERM', () => process.exit(0));
