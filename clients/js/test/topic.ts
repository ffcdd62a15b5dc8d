// Subscriptions to the topic `t`, and what is published there.

import type { SubscribeOptions, Subscription } from '../src/index.js';
import { FakeSocket, connected, pass, settle } from './support.js';

export const say = (socket: FakeSocket, offset: number, more: Record<string, unknown> = {}, subject = 't') =>
  socket.say('event', { subject, payload: `p${offset}`, meta: { offset, ...more } });

/** Collects what a subscription says. */
export function listen(subscription: Subscription, names = ['subscribed', 'recovered', 'gap', 'event', 'error', 'end']) {
  const heard: unknown[] = [];
  for (const name of names) {
    subscription.on(name as 'event', (value) => {
      heard.push(name === 'event' ? Number(value.offset) : [name, value]);
    });
  }
  return heard;
}

/** Subscribes to `t`, answered with this position. */
export async function subscribed(options: SubscribeOptions = {}, payload: unknown = { epoch: 'e', offset: 5, recovered: false }) {
  const { client, socket } = connected();
  const subscription = client.subscribe('t', options);
  await settle();
  socket.answer(socket.take('subscribe'), payload);
  return { client, socket, subscription };
}

export async function again(socket: FakeSocket) {
  socket.end(1006);
  await pass(1000);
  FakeSocket.last.welcome();
  await settle();
  return FakeSocket.last;
}

export async function collect(subscription: Subscription, count: number) {
  const offsets: unknown[] = [];
  for await (const { offset } of subscription) {
    offsets.push(offset);
    if (offsets.length === count) break;
  }
  return offsets;
}
