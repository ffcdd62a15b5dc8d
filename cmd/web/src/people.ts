// Who is in a room, and who is typing. No connection, no DOM.

import type { Member, PresenceStep } from 'callboard';
import { guestName } from './names.js';

const namesMax = 2000;
export const typingMs = 5000;

/** The names that people have told, by user or connection. */
export class Names {
  readonly #names = new Map<string, string>();

  /** Returns whether that is news. */
  tell(sender: string, name: string): boolean {
    if (!sender || !name || this.#names.get(sender) === name) return false;
    this.#names.delete(sender); // the one told longest ago stands first
    this.#names.set(sender, name);
    if (this.#names.size > namesMax) {
      for (const oldest of this.#names.keys()) {
        this.#names.delete(oldest);
        break;
      }
    }
    return true;
  }

  of(sender: string): string {
    return this.#names.get(sender) ?? guestName(sender);
  }
}

/** The members of a room, where its topic keeps them. */
export class People {
  /** Whether the topic keeps who is there. */
  known = false;
  /** Users and, where nobody is logged in, connections. */
  members = new Set<string>();
  /** What is being read, page by page, while steps go on. */
  #fresh: Set<string> | null = null;

  /** Begins to read who is there. A later one takes the place of this. */
  begin(): Set<string> {
    this.#fresh = new Set();
    return this.#fresh;
  }

  /** Takes a page of the server's answer. */
  take(fresh: Set<string>, members: readonly Member[]): void {
    for (const { user, connections } of members) {
      const id = user ?? connections[0];
      if (id) fresh.add(id);
    }
  }

  /** From here on what was read counts. */
  end(fresh: Set<string>): void {
    if (fresh !== this.#fresh) return;
    this.members = fresh;
    this.#fresh = null;
    this.known = true;
  }

  /** Returns whether steps may have been lost, so that all has to be read. */
  apply(steps: readonly PresenceStep[]): boolean {
    let reset = false;
    for (const step of steps) {
      if (step.event === 'reset') reset = true;
      else this.#step(step.event, step.user ?? step.connection);
    }
    return reset;
  }

  clear(): void {
    this.known = false;
    this.#fresh = null;
    this.members = new Set();
  }

  #step(event: 'join' | 'leave', id: string): void {
    for (const set of [this.members, this.#fresh]) {
      if (event === 'join') set?.add(id);
      else set?.delete(id);
    }
  }
}

/** Who is typing: everybody for a while after they said so. */
export class Typing {
  readonly #until = new Map<string, number>();

  start(sender: string, now: number): void {
    this.#until.set(sender, now + typingMs);
  }

  stop(sender: string): boolean {
    return this.#until.delete(sender);
  }

  /** Forgets those whose time is over. Returns whether there were any. */
  prune(now: number): boolean {
    let gone = false;
    for (const [sender, until] of this.#until) {
      if (until <= now) gone = this.#until.delete(sender) || gone;
    }
    return gone;
  }

  get senders(): string[] {
    return [...this.#until.keys()];
  }
}

/** Returns "Ann is typing" and the like; '' for nobody. */
export function typingText(names: readonly string[]): string {
  const [one, two] = names;
  if (!one) return '';
  if (!two) return `${one} is typing…`;
  if (names.length === 2) return `${one} and ${two} are typing…`;
  return `${names.length} people are typing…`;
}
