// The chat as what it does with the client: rooms are topics. No DOM.

import type {
  CallboardError, Client, Event, History, Offset, Subscribed, Subscription,
} from 'callboard';
import { Live } from './live.js';
import { type Said, readSaid } from './message.js';
import type { Mine } from './mine.js';
import { guestName, randomId } from './names.js';
import { Names, People } from './people.js';
import { Room, type Unsent } from './room.js';

export const roomsMax = 20;
const historyLimit = 100;
const membersMax = 1000;
/** How long something may wait to be sent, before it has failed. */
const sendMs = 120_000;

/** A room that this person is in. */
export interface Place {
  readonly room: Room;
  readonly people: People;
  live: Live | null;
  subscription: Subscription | null;
}

/** What has changed, of one place or of all. */
export type Change = (what: 'said' | 'heard' | 'people' | 'typing', place: Place, said?: Said) => void;

export class Chat {
  readonly places = new Map<string, Place>();
  readonly names = new Names();

  constructor(
    readonly board: Client,
    private readonly mine: Mine,
    private readonly changed: Change,
  ) {
    // What has ended with a refused log-in begins anew after one that is not.
    board.on('welcome', () => this.places.forEach((place) => this.#open(place)));
  }

  /** Who this person is to others: the user, or the connection. */
  get me(): string {
    return this.board.welcome?.user ?? this.board.welcome?.connection ?? '';
  }

  /** Returns the place in a room; null if there are too many of them. */
  enter(name: string): Place | null {
    const known = this.places.get(name);
    if (known) return known;
    if (this.places.size >= roomsMax) return null;
    const place: Place =
      { room: new Room(name), people: new People(), live: null, subscription: null };
    this.places.set(name, place);
    this.#open(place);
    return place;
  }

  leave(name: string): void {
    const place = this.places.get(name);
    if (!place) return;
    this.places.delete(name);
    place.live?.close();
    place.subscription?.unsubscribe().catch(() => {}); // it had ended
  }

  say(place: Place, text: string): void {
    const { room } = place;
    const unsent = room.compose(randomId(), this.mine.name, text, Date.now());
    this.mine.remember(unsent.id);
    place.live?.tellTyping(false);
    void this.#send(place, unsent);
  }

  /** Sends again what has failed: with its id, so that it is not there twice. */
  retry(place: Place, id: string): void {
    const unsent = place.room.unsent.find((item) => item.id === id);
    if (unsent?.state !== 'failed') return;
    unsent.state = 'sending';
    void this.#send(place, unsent);
  }

  discard(place: Place, id: string): void {
    place.room.discard(id);
    this.changed('said', place);
  }

  rename(): void {
    for (const { live } of this.places.values()) live?.tellName();
  }

  /** Reads what was said before the oldest that is here. */
  async readEarlier(place: Place): Promise<void> {
    await this.#read(place, place.room.oldest);
  }

  // -- a room's topic -------------------------------------------------------

  #open(place: Place, presence = true): void {
    if (place.subscription && place.subscription.state !== 'ended') return;
    if (this.places.get(place.room.name) !== place) return;
    const { topic, liveTopic } = place.room;
    const subscription = this.board.subscribe(topic, { presence, overflow: 'drop_oldest' });
    place.subscription = subscription;
    subscription.on('event', (event) => this.#heard(place, event));
    subscription.on('subscribed', (answer) => this.#subscribed(place, presence, answer));
    subscription.on('gap', () => void this.#gap(place));
    subscription.on('error', (error) => this.#refused(place, error));
    subscription.on('presence', (steps) => {
      if (place.people.apply(steps)) void this.#readPeople(place);
      this.changed('people', place);
    });
    if (place.live && !place.live.ended) return;
    place.live = new Live(this.board, liveTopic, this.names, () => this.mine.name,
      () => place.people.members.size, () => this.changed('typing', place));
  }

  #subscribed(place: Place, presence: boolean, { again }: Subscribed): void {
    place.room.problem = '';
    if (!again) void this.#read(place);
    if (presence) void this.#readPeople(place);
  }

  /** The topic may keep nobody's presence; else the room cannot be used. */
  #refused(place: Place, error: CallboardError): void {
    place.people.clear();
    if (error.name === 'no_presence') {
      queueMicrotask(() => this.#open(place, false));
    } else if (error.name !== 'closed') {
      place.room.problem = error.message;
    }
    this.changed('people', place);
  }

  #heard(place: Place, event: Event): void {
    const said = readSaid(event, place.subscription?.position?.epoch ?? '');
    if (said.name !== guestName(said.sender)) this.names.tell(said.sender, said.name);
    place.live?.spoke(said.sender);
    const isNew = place.room.add(said, this.#isMine(said));
    this.changed(isNew ? 'heard' : 'said', place, said);
  }

  #isMine(said: Said): boolean {
    return this.mine.said(said.id) || (said.sender !== '' && said.sender === this.me);
  }

  /** Fills a gap with what the topic has kept, or says that there is one. */
  async #gap(place: Place): Promise<void> {
    const { room } = place;
    const { last } = room;
    if (!last) {
      await this.#read(place);
      return;
    }
    const note = room.note('Something may have been said here that did not arrive.');
    this.changed('said', place);
    const history = await this.#read(place);
    if (history && reaches(history, last)) room.removeNote(note);
    this.changed('said', place);
  }

  /** Reads what the topic has kept, the last of it. */
  async #read(place: Place, before?: Offset): Promise<History | null> {
    const { room } = place;
    if (room.loading) return null;
    room.loading = true;
    try {
      const history = await this.board.history(room.topic,
        { reverse: true, limit: historyLimit, ...(before === undefined ? {} : { before }) });
      room.merge(history, (said) => this.#isMine(said));
      return history;
    } catch (error) { // not for this person; or for now, and then one may ask again
      room.more = (error as CallboardError).temporary;
      return null;
    } finally {
      room.loading = false;
      this.changed('said', place);
    }
  }

  async #readPeople(place: Place): Promise<void> {
    const fresh = place.people.begin();
    try {
      for (let after: string | undefined; fresh.size < membersMax;) {
        const page = await this.board.presence(place.room.topic,
          { limit: 500, ...(after === undefined ? {} : { after }) });
        place.people.take(fresh, page.members);
        after = page.next;
        if (after === undefined) break;
      }
      place.people.end(fresh);
    } catch { // what is known stays until the next connect asks again
    }
    this.changed('people', place);
  }

  // -- what this person says ------------------------------------------------

  async #send(place: Place, { id, name, text }: Unsent): Promise<void> {
    const { room } = place;
    this.changed('said', place);
    try {
      const position = await this.board.publish(room.topic, { id, name, text },
        { id, timeout: sendMs });
      const own = { id, name, text, sender: this.me, at: Date.now(), ...position };
      if (room.unsent.some((item) => item.id === id)) room.add(own, true);
    } catch (error) {
      const unsent = room.unsent.find((item) => item.id === id);
      if (!unsent) return; // it came back as an event
      unsent.state = 'failed';
      unsent.why = error instanceof Error ? error.message : String(error);
    }
    this.changed('said', place);
  }
}

/** Returns whether a history has everything behind `last`. */
function reaches(history: History, last: Said): boolean {
  if (history.epoch !== last.epoch) return false;
  const first = history.events.at(-1)?.offset; // the newest one stands first
  return Number(first ?? Number(history.offset) + 1) <= Number(last.offset) + 1;
}
