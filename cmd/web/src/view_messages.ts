// What was said, as elements.

import { Rows, type Row, button, byId, element } from './dom.js';
import { hueOf, initials } from './names.js';
import type { Item, Note, Room, SaidItem, Unsent } from './room.js';

/** Messages of the same person within this time stand together. */
const togetherMs = 5 * 60_000;
/** Who is so near to the end of the list sees what comes. */
const nearPixels = 80;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export interface MessageActions {
  retry(id: string): void;
  discard(id: string): void;
}

/** Whether one is said by the same person as the one before, soon after it. */
function follows(item: SaidItem | Unsent, previous: Item | undefined): boolean {
  if (!previous || previous.kind === 'note' || item.at - previous.at > togetherMs) return false;
  if (!sameDay(item.at, previous.at)) return false;
  const [one, two] = [isMine(item), isMine(previous)];
  if (one || two) return one && two && item.name === previous.name;
  return (item as SaidItem).sender === (previous as SaidItem).sender && item.name === previous.name;
}

const isMine = (item: SaidItem | Unsent): boolean => item.kind === 'unsent' || item.mine;

const sameDay = (one: number, two: number): boolean =>
  new Date(one).toDateString() === new Date(two).toDateString();

function whoElement(item: SaidItem | Unsent): HTMLElement {
  const who = element('p', 'who');
  who.append(element('b', 'name', item.name));
  if (isMine(item)) who.append(element('span', 'minor', 'you'));
  const at = element('time', 'minor', clock.format(item.at));
  at.dateTime = new Date(item.at).toISOString();
  at.title = exact.format(item.at);
  who.append(at);
  return who;
}

function unsentFoot(item: Unsent, online: boolean, actions: MessageActions): HTMLElement {
  const foot = element('p', 'foot minor');
  if (item.state === 'sending') {
    foot.append(online ? 'Sending…' : 'Waits for the connection');
    return foot;
  }
  foot.classList.add('failed');
  foot.append(element('span', '', `Not sent: ${item.why}`));
  const again = button('link', 'Try again', () => actions.retry(item.id));
  const drop = button('link', 'Discard', () => actions.discard(item.id));
  const said = item.text.slice(0, 40);
  again.setAttribute('aria-label', `Try again to send: ${said}`);
  drop.setAttribute('aria-label', `Discard: ${said}`);
  foot.append(again, drop);
  return foot;
}

function messageElement(item: SaidItem | Unsent, together: boolean): HTMLElement {
  const mine = isMine(item);
  const result = element('li', 'message');
  result.classList.toggle('mine', mine);
  result.classList.toggle('follows', together);
  const sender = item.kind === 'said' ? item.sender : '';
  result.dataset.sender = sender;
  result.style.setProperty('--hue', String(hueOf(item.name)));
  const avatar = element('span', 'avatar', initials(item.name));
  avatar.setAttribute('aria-hidden', 'true');
  const text = element('p', 'said', item.text);
  if (item.kind === 'said') {
    text.title = `${exact.format(item.at)}, by ${sender || 'the server'}, offset ${item.offset}`;
  }
  result.append(avatar, whoElement(item), text);
  return result;
}

function unsentElement(
  item: Unsent, together: boolean, online: boolean, actions: MessageActions,
): HTMLElement {
  const result = messageElement(item, together);
  result.classList.add(item.state);
  result.append(unsentFoot(item, online, actions));
  return result;
}

const noteElement = (text: string, className: string): HTMLElement =>
  element('li', className, text);

function rowOf(item: Item, previous: Item | undefined, online: boolean, actions: MessageActions): Row {
  if (item.kind === 'note') {
    return { key: item.key, state: item.text, make: () => noteElement(item.text, 'note') };
  }
  const together = follows(item, previous);
  if (item.kind === 'said') {
    return { key: item.key, state: `said ${together}`, make: () => messageElement(item, together) };
  }
  const state = `${item.state} ${together} ${online} ${item.why}`;
  return { key: item.key, state, make: () => unsentElement(item, together, online, actions) };
}

/** Returns a line with the day in front of an item of another day. */
function dayRow(item: Exclude<Item, Note>, previous: number | undefined): Row | null {
  if (previous !== undefined && sameDay(previous, item.at)) return null;
  if (previous === undefined && sameDay(item.at, Date.now())) return null;
  const today = sameDay(item.at, Date.now());
  const text = today ? 'Today' : day.format(item.at);
  return { key: `day ${item.key}`, state: text, make: () => noteElement(text, 'day') };
}

/** The list of messages, and the place where it is scrolled. */
export class MessagesView {
  readonly #scroll = byId('scroll');
  readonly #jump = byId<HTMLButtonElement>('jump');
  readonly #empty = byId('empty');
  readonly #earlier = byId<HTMLButtonElement>('earlier');
  #list = byId('messages');
  #rows = new Rows(this.#list);
  #room: Room | null = null;
  #wasAtEnd = true;
  /** The key of the first item shown: where it changes, older ones have come. */
  #first: string | undefined;

  constructor(private readonly actions: MessageActions) {
    this.#scroll.addEventListener('scroll', () => {
      this.#wasAtEnd = this.#isAtEnd();
      if (this.#wasAtEnd) this.#jump.hidden = true;
    }, { passive: true });
    new ResizeObserver(() => {
      if (this.#wasAtEnd) this.toEnd();
    }).observe(this.#scroll);
    this.#jump.addEventListener('click', () => this.toEnd());
  }

  /** Shows a room. Stays at the end of it, or where the person reads. */
  show(room: Room, online: boolean): void {
    const anew = room !== this.#room;
    if (anew) this.#begin(room);
    const atEnd = anew || this.#isAtEnd();
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    this.#rows.show(this.#rowsOf(room, online));
    this.#empty.hidden = room.items.length + room.unsent.length > 0;
    this.#earlier.hidden = !room.more;
    this.#earlier.disabled = room.loading;
    if (atEnd) this.toEnd();
    else if (room.items[0]?.key !== this.#first) {
      this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    }
    this.#first = room.items[0]?.key;
  }

  /** Tells who reads further up that something has come. */
  announceBelow(): void {
    this.#jump.hidden = this.#isAtEnd();
  }

  toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#wasAtEnd = true;
    this.#jump.hidden = true;
  }

  #begin(room: Room): void {
    this.#room = room;
    this.#list.replaceChildren();
    this.#rows = new Rows(this.#list);
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < nearPixels;
  }

  #rowsOf(room: Room, online: boolean): Row[] {
    const rows: Row[] = [];
    let previous: Item | undefined;
    let at: number | undefined;
    for (const item of room.all) {
      if (item.kind !== 'note') {
        const line = dayRow(item, at);
        if (line) rows.push(line);
        at = item.at;
      }
      rows.push(rowOf(item, previous, online, this.actions));
      previous = item;
    }
    return rows;
  }
}
