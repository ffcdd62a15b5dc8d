// Publishes what it measures, and serves the page: node producer.mjs
// CALLBOARD_URL says where the server is, PORT where the page shall be (8090),
// INTERVAL_MS how often it measures (500).

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { connect } from 'callboard';
import WebSocket from 'ws';

const url = process.env.CALLBOARD_URL ?? 'ws://127.0.0.1:8080/ws';
const intervalMs = Number(process.env.INTERVAL_MS ?? 500);

const board = connect(url, { WebSocket, token: process.env.CALLBOARD_TOKEN, client: 'producer' });
board.on('state', ({ state, reason }) => console.error(state, reason ?? ''));
board.on('error', ({ name, message }) => console.error(`${name}: ${message}`));

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

const measures = {
  load: () => ({ value: os.loadavg()[0], unit: '' }),
  memory: () => ({ value: 100 * (1 - os.freemem() / os.totalmem()), unit: '%' }),
  lag: () => {
    const value = delay.max / 1e6;
    delay.reset();
    return { value, unit: 'ms' };
  },
};

setInterval(() => {
  // What cannot be sent now is old by the time that it could be.
  if (board.state !== 'connected') return;
  for (const [name, measure] of Object.entries(measures)) {
    board.publish(`dashboard/${name}`, measure(), { ack: false })
      .catch(({ message }) => console.error(message));
  }
}, intervalMs);

const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
const files = {
  '/': new URL('index.html', import.meta.url),
  '/dashboard.js': new URL('dashboard.js', import.meta.url),
  '/callboard.js': new URL('node_modules/callboard/dist/esm/index.js', import.meta.url),
};

const page = createServer(async ({ url: target }, response) => {
  const file = files[target.split('?')[0]];
  if (!file) {
    response.writeHead(404).end();
    return;
  }
  const type = types[file.pathname.split('.').pop()];
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` });
  response.end(await readFile(file));
});
page.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${page.address().port}/?server=${encodeURIComponent(url)}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    board.close();
    process.exit(0);
  });
}
