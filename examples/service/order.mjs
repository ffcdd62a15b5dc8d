// Orders: node order.mjs ITEM COUNT

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'callboard';
import WebSocket from 'ws';

const [item, count] = process.argv.slice(2);

const board = connect(process.env.CALLBOARD_URL ?? 'ws://127.0.0.1:8080/ws', {
  WebSocket, token: process.env.CALLBOARD_TOKEN, client: 'order',
});

/// Asks up to three times, where asking again can help. Whoever was not answered
/// may have been served all the same: only what was refused is asked again.
async function order() {
  for (let tries = 1; ; ++tries) {
    try {
      return await board.request('shop.order', { item, count: Number(count) }, { timeout: 5000 });
    } catch (error) {
      const refused = error.name === 'no_responder' || error.retryAfterMs !== undefined;
      if (!refused || tries === 3) throw error;
      await sleep(error.retryAfterMs ?? 200);
    }
  }
}

try {
  console.log(await order());
} catch ({ code, name, message }) {
  console.log(`${code} ${name}: ${message}`);
  process.exitCode = 1;
} finally {
  board.close();
}
