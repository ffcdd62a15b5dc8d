// What a room holds: what was said, in order and once, and what is to be sent.
// No connection, no DOM.

import type { History, Offset } from 'callboard';
import { type Said, readSaid } from './message.js';

/** Items that a room keeps; beyond them the oldest go. */
export const itemsMax = 1000;

export interface SaidItem extends Said {
  readonly kind: 'said';
  readonly key: string;
  readonly mine: boolean;
}

/** A line that nobody said. */
export interface Note {
  readonly kind: 'note';
  readonly key: string;
  readonly text: string;
}

/** What this person says, until it is known to have been accepted. */
export interface Unsent {
  readonly kind: 'unsent';
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly at: number;
  state: 'sending' | 'failed';
  /** `failed`: why, for people. */
  why: string;
}

export type Item = SaidItem | Note | Unsent;

let keys = 0;
const freshKey = (): string => `k${++keys}`;

export class Room {
  readonly topic: string;
  /** Typing and names go here: it needs no history. */
  readonly liveTopic: string;
  /** In the order of the topic; notes stand where they were made. */
  readonly items: (SaidItem | Note)[] = [];
  readonly unsent: Unsent[] = [];
  unread = 0;
  draft = '';
  /** Whether the server has older ones than those here. */
  more = false;
  loading = false;
  /** Why the room cannot be used; '' if it can. */
  problem = '';
  /** What is known already: ids, and places in the topic. */
  readonly #known = new Set<string>();
  #epoch = '';

  constructor(readonly name: string) {
    this.topic = `chat/${name}`;
    this.liveTopic = `chat-live/${name}`;
  }

  /** Everything in the order in which it is shown. */
  get all(): Item[] {
    return [...this.items, ...this.unsent];
  }

  /** The last thing said, if any. */
  get last(): SaidItem | undefined {
    return this.items.findLast((item): item is SaidItem => item.kind === 'said');
  }

  /** The offset of the oldest one of the topic's present epoch, if any. */
  get oldest(): Offset | undefined {
    const first = this.items.find((item): item is SaidItem =>
      item.kind === 'said' && item.epoch === this.#epoch);
    return first?.offset;
  }

  /** Adds what was said just now. Returns whether it is new. */
  add(said: Said, mine: boolean): boolean {
    this.#epoch = said.epoch;
    const isNew = this.#insert(said, mine);
    if (this.#trim() > 0) this.more = true;
    return isNew;
  }

  /** Adds what the server has kept. Returns how much of it is new. */
  merge(history: History, isMine: (said: Said) => boolean): number {
    this.#epoch = history.epoch;
    const added: Said[] = [];
    // The oldest first: of two with one id everybody shows the first.
    const events = [...history.events].sort((a, b) => (a.offset < b.offset ? -1 : 1));
    for (const event of events) {
      const said = readSaid(event, history.epoch);
      if (this.#insert(said, isMine(said))) added.push(said);
    }
    // In a full room what is new takes the place of the oldest.
    this.#trim();
    this.more = history.more && this.items.length < itemsMax;
    return added.filter((said) => this.#known.has(placeOf(said))).length;
  }

  /** Adds a line at the end. Returns its key. */
  note(text: string): string {
    const key = freshKey();
    this.items.push({ kind: 'note', key, text });
    return key;
  }

  removeNote(key: string): void {
    const index = this.items.findIndex((item) => item.key === key);
    if (index >= 0) this.items.splice(index, 1);
  }

  /** Adds something to send. */
  compose(id: string, name: string, text: string, at: number): Unsent {
    const item: Unsent =
      { kind: 'unsent', key: freshKey(), id, name, text, at, state: 'sending', why: '' };
    this.unsent.push(item);
    return item;
  }

  /** Takes something back that was to be sent. Returns it, if it was there. */
  discard(id: string): Unsent | undefined {
    const index = this.unsent.findIndex((item) => item.id === id);
    return index < 0 ? undefined : this.unsent.splice(index, 1)[0];
  }

  /** Returns whether it is new. Of two with one id the first in the topic stays. */
  #insert(said: Said, mine: boolean): boolean {
    if (this.#known.has(placeOf(said))) return false;
    const isKnown = said.id !== '' && this.#known.has(idOf(said));
    const later = isKnown ? this.#takeLater(said) : undefined;
    if (isKnown && !later) return false;
    this.#known.add(placeOf(said));
    if (said.id) this.#known.add(idOf(said));
    // What was there keeps its element on the screen.
    const before = later ?? (said.id ? this.discard(said.id) : undefined);
    this.#place({ ...said, kind: 'said', key: before?.key ?? freshKey(), mine });
    return !isKnown;
  }

  /** Takes out what has the same id and a later place. */
  #takeLater({ id, epoch, offset }: Said): SaidItem | undefined {
    const index = this.items.findIndex((item) => item.kind === 'said' && item.id === id);
    const twin = this.items[index];
    if (twin?.kind !== 'said' || twin.epoch !== epoch || twin.offset < offset) return undefined;
    this.items.splice(index, 1);
    this.#forget(twin);
    return twin;
  }

  /** Takes out the oldest of too many. Returns how many these were. */
  #trim(): number {
    const gone = this.items.splice(0, this.items.length - itemsMax);
    for (const item of gone) {
      if (item.kind === 'said') this.#forget(item);
    }
    return gone.length;
  }

  #place(item: SaidItem): void {
    const next = this.items.findIndex((other) => other.kind === 'said'
      && other.epoch === item.epoch && other.offset > item.offset);
    this.items.splice(next < 0 ? this.items.length : next, 0, item);
  }

  #forget(said: Said): void {
    this.#known.delete(placeOf(said));
    this.#known.delete(idOf(said));
  }
}

// What tells whether two are the same.
const placeOf = ({ epoch, offset }: Said): string => `at ${epoch} ${offset}`;
const idOf = ({ id }: Said): string => `id ${id}`;
