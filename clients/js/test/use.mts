// What an application may write, and what it may not: types.mjs compiles this.

import type { Client, Event, Position, Subscription } from 'callboard';
import { CallboardError, Ext, ResponderError, connect } from 'callboard';

interface Said { text: string }

const client: Client = connect('wss://example.org/ws', {
  codec: 'json',
  WebSocket: class extends WebSocket {},
  getToken: async ({ reason }) => (reason === 'refused' ? undefined : 'token'),
  queue: { count: 5, policy: 'drop_oldest' },
});

export async function use(): Promise<void> {
  const position: Position = await client.publish('room/1', { text: 'hi' }, { id: true });
  const nothing: null = await client.publish('room/1', new Ext(1, new Uint8Array(1)), { ack: false });
  const room: Subscription<Said> = client.subscribe<Said>('room/1', { since: position });
  const off = room.on('event', ({ payload, offset }: Event<Said>) => [payload.text, offset, nothing]);
  room.on('presence', (steps) => steps.map((step) => (step.event === 'reset' ? '' : step.connection)));
  off();
  for await (const { payload } of room) payload.text.trim();
  const sum: number = await client.request<number>('sum', [1, 2], { timeout: 5, idempotent: true });
  client.respond<number[], number>('sum', async (all, { signal }) => {
    if (signal.aborted) throw new ResponderError('late', 'Too late.');
    return all.reduce((a, b) => a + b, sum);
  });
  client.on('state', ({ state, retryInMs }) => [state, retryInMs]);
  client.request('a').catch((error: CallboardError) => [error.name, error.retryAfterMs]);
  // @ts-expect-error there is no such state
  if (client.state === 'open') client.close();
  // @ts-expect-error there is no such event
  client.on('message', () => {});
  // @ts-expect-error without `ack` there is no position
  const none: Position = await client.publish('t', 1, { ack: false });
  // @ts-expect-error a policy is one of two
  connect('ws://x', { queue: { policy: 'drop_newest' } });
  void none;
}
