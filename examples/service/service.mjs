// Answers shop.order {item, count} and shop.stock {item}, until it is ended.

import process from 'node:process';
import { connect, ResponderError } from 'callboard';
import WebSocket from 'ws';

const stock = new Map([['apple', 5], ['pear', 1]]);

const board = connect(process.env.CALLBOARD_URL ?? 'ws://127.0.0.1:8080/ws', {
  WebSocket, token: process.env.CALLBOARD_TOKEN, client: 'shop',
});
board.on('state', ({ state, reason }) => console.error(state, reason ?? ''));
board.on('error', ({ name, message }) => console.error(`${name}: ${message}`));

/// Returns what is left of an item. The asker gets this error as it is.
function leftOf(item) {
  const left = stock.get(item);
  if (left === undefined) {
    throw new ResponderError('unknown_item', `There is no ${item}.`, { code: 1000 });
  }
  return left;
}

/// Stands for work that takes a while, and ends where nobody waits for it.
function pack(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

let busy = 0;

const orders = board.respond('shop.order', async ({ item, count }, { sender, signal }) => {
  const left = leftOf(item);
  if (!(count > 0)) throw new ResponderError('bad_order', 'How many?', { code: 1002 });
  if (count > left) {
    throw new ResponderError('sold_out', `There are ${left} left.`, { code: 1001 });
  }
  stock.set(item, left - count);
  ++busy;
  try {
    await pack(20 * count, signal);
  } catch (error) {
    stock.set(item, stock.get(item) + count);
    throw error;
  } finally {
    --busy;
  }
  // Nobody waits for the answer to this one.
  board.publish(`shop/stock/${item}`, { left: stock.get(item) }, { ack: false })
    .catch(({ message }) => console.error(message));
  console.log(`${sender}: ${count} ${item}`);
  return { item, count, left: stock.get(item) };
});

const questions = board.respond('shop.stock', ({ item }) => ({ item, left: leftOf(item) }));

await Promise.all([orders.ready, questions.ready]);
console.log('ready');

/// Takes no more requests, and answers those that it has.
async function end() {
  await Promise.all([orders.stop(), questions.stop()]);
  while (busy > 0) await new Promise((resolve) => { setTimeout(resolve, 10); });
  // The answer comes behind ours. Without a connection there is none to wait for.
  await board.ping({ timeout: 1000 }).catch(() => {});
  board.close();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
