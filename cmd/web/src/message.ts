// What a payload of a room's topic says. Anything can be published there, by
// `callboard pub` for one, so every payload has to come out as something.

import type { Offset } from 'callboard';
import { guestName, nameChars } from './names.js';

export const textChars = 4000;

/** What somebody has said. */
export interface Said {
  /** Given by who said it: the same one is shown once. '' if there is none. */
  readonly id: string;
  readonly epoch: string;
  readonly offset: Offset;
  /** The user, or the connection's name. */
  readonly sender: string;
  readonly name: string;
  readonly text: string;
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** What an event and an entry of the history have alike. */
export interface Publication {
  readonly payload: unknown;
  readonly sender: string;
  readonly offset: Offset;
  readonly timestamp: number;
}

/** Returns a field of a payload if it is a text that is not empty, else ''. */
export function textOf(payload: unknown, field: string): string {
  if (typeof payload !== 'object' || payload === null) return '';
  const value = (payload as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : '';
}

/** Returns a value as JSON; what JSON lacks comes out as text. */
function readable(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return part.toString();
    if (part instanceof Map) return [...part];
    if (part instanceof Uint8Array) return `${part.length} bytes`;
    return part;
  }) ?? 'nothing';
}

/** Reads a publication of a room. */
export function readSaid(what: Publication, epoch: string): Said {
  const { payload, sender, offset, timestamp } = what;
  const text = textOf(payload, 'text');
  const id = textOf(payload, 'id');
  const plain = typeof payload === 'string' && payload ? payload : text || readable(payload);
  return {
    id: id.length <= 64 ? id : '',
    epoch,
    offset,
    sender,
    name: (text && textOf(payload, 'name') || guestName(sender)).slice(0, nameChars),
    text: plain.slice(0, textChars),
    at: Number(timestamp),
  };
}
