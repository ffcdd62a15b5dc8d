// A broadcaster on Socket.IO, as its documentation shows it.
//
//   node socketio.mjs PORT
//
// The package is not one of the project's; see README.md.

import {createServer} from 'node:http';
import {createRequire} from 'node:module';

const {Server} = createRequire(import.meta.url)('socket.io');

const web = createServer();
const server = new Server(web, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
});

server.on('connection', (socket) => {
  socket.on('join', (topic, done) => {
    socket.join(topic);
    done();
  });
  socket.on('publish', (topic, payload) =>
    server.to(topic).emit('event', payload));
});

web.listen({host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096});
process.on('SIGTERM', () => process.exit(0));
