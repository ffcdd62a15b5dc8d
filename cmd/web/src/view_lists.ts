// The rooms on one side, and the people on the other.

import type { Chat, Place } from './chat.js';
import { Rows, type Row, button, byId, element, setText } from './dom.js';
import { hueOf, initials } from './names.js';
import { typingText } from './people.js';

const peopleShown = 100;

export class RoomsView {
  readonly #rows = new Rows(byId('rooms'));

  constructor(private readonly choose: (name: string) => void) {}

  show(places: Iterable<Place>, current: string): void {
    this.#rows.show([...places].map(({ room: { name, unread } }) => ({
      key: name,
      state: `${unread} ${name === current}`,
      make: () => this.#roomElement(name, unread, name === current),
    })));
  }

  #roomElement(name: string, unread: number, isCurrent: boolean): HTMLElement {
    const result = element('li');
    const choose = button('room', '', () => this.choose(name));
    choose.dataset.room = name;
    choose.append(element('span', 'room-label', name));
    if (unread > 0) {
      choose.append(element('span', 'unread', unread > 99 ? '99+' : String(unread)));
      choose.append(element('span', 'hidden', 'unread'));
    }
    if (isCurrent) choose.setAttribute('aria-current', 'true');
    result.append(choose);
    return result;
  }
}

export class PeopleView {
  readonly #rows = new Rows(byId('people'));
  readonly #typing = byId('typing');
  readonly #show = byId('show-people');
  readonly #count = byId('people-count');
  readonly #panel = byId('people-panel');

  constructor(private readonly chat: Chat) {}

  /** Shows who is in a room; nothing where its topic keeps nobody. */
  show({ people, live }: Place): void {
    const { names, me } = this.chat;
    this.#panel.hidden = this.#show.hidden = !people.known;
    setText(this.#count, String(people.members.size));
    this.#show.setAttribute('aria-label', `People: ${people.members.size}`);
    const others = [...people.members].filter((id) => id !== me)
      .map((id) => ({ id, name: names.of(id) }))
      .sort((a, b) => a.name.localeCompare(b.name));
    const rows = others.slice(0, peopleShown).map(({ id, name }) => personRow(id, name, ''));
    if (people.members.has(me)) rows.unshift(personRow(me, names.of(me), 'you'));
    const hidden = others.length - peopleShown;
    if (hidden > 0) {
      const text = `and ${hidden} more`;
      rows.push({ key: 'more', state: text, make: () => element('li', 'minor', text) });
    }
    this.#rows.show(rows);
    const typing = live?.typing.senders.filter((id) => id !== me) ?? [];
    setText(this.#typing, typingText(typing.map((id) => names.of(id))));
  }
}

function personRow(id: string, name: string, note: string): Row {
  return { key: id, state: `${name} ${note}`, make: () => personElement(id, name, note) };
}

function personElement(id: string, name: string, note: string): HTMLElement {
  const result = element('li', 'person');
  result.style.setProperty('--hue', String(hueOf(name)));
  const avatar = element('span', 'avatar small', initials(name));
  avatar.setAttribute('aria-hidden', 'true');
  const label = element('span', 'person-name', name);
  label.title = id;
  result.append(avatar, label);
  if (note) result.append(element('span', 'minor', note));
  return result;
}
