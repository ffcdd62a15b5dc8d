// A member of a group as a process of its own, to be killed: it writes what it
// gets to standard output, a line each, and then confirms it.
//
//   node group_worker.mjs URL TOPIC GROUP

import process from 'node:process';
import WebSocket from 'ws';
import { frame, msgpack, parse } from './client.mjs';

const [url, topic, group] = process.argv.slice(-3);
const socket = new WebSocket(url, msgpack, { perMessageDeflate: false });

socket.on('message', (data) => {
  for (const { type, seqId, payload, meta } of parse(data)) {
    if (type === 'welcome') {
      socket.send(frame('subscribe', 1, topic, null, { group, ack: true }));
    } else if (type === 'response') {
      process.stdout.write('ready\n');
    } else if (type === 'event') {
      // What is confirmed has been written, whatever becomes of this process.
      process.stdout.write(`${payload} ${meta.attempt ?? 1}\n`, () => socket.send(frame('ack', seqId)));
    } else {
      process.stderr.write(`${type} ${payload}\n`);
    }
  }
});
socket.on('close', () => process.exit(1));
