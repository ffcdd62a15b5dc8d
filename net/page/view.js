// What the chat shows: messages, rooms and figures, as DOM. No connection.

const messagesMax = 500;
const timeFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit', minute: '2-digit', second: '2-digit',
});

/// Returns a new element with a class and a text.
function element(tag, className, text) {
  const result = document.createElement(tag);
  if (className) result.className = className;
  if (text !== undefined) result.textContent = text;
  return result;
}

/// Returns an angle that is the same for the same text (FNV-1a).
function hueOf(text) {
  let hash = 0x811c9dc5;
  for (const char of text) {
    hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
  }
  return hash % 360;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0]).join('').toUpperCase() || '?';
}

/// Returns `value` as JSON; what JSON lacks comes out as text.
function readable(value) {
  return JSON.stringify(value, (key, part) => {
    if (typeof part === 'bigint') return part.toString();
    if (part instanceof Map) return [...part];
    if (part instanceof Uint8Array) return `${part.length} bytes`;
    return part;
  });
}

/// Returns who said what in an event. Anything can be published to a room,
/// by `callboard pub` for one, so every payload has to come out as something.
export function utterance({ payload, sender, timestamp, offset }) {
  const spoken = typeof payload?.text === 'string';
  const named = spoken && typeof payload.name === 'string' && payload.name;
  const text = spoken ? payload.text
    : typeof payload === 'string' ? payload : readable(payload);
  return {
    name: (named || 'Somebody').slice(0, 32),
    text: text.slice(0, 4000),
    sender: sender ?? '',
    offset,
    time: new Date(Number(timestamp)),
  };
}

/// Returns the element of one message.
/// @param previous the utterance before it in the room, whose head is not
///                 said again for the same person.
export function messageElement(said, mine, previous) {
  const { name, text, sender, time, offset } = said;
  const item = element('li', mine ? 'message mine' : 'message');
  item.dataset.sender = sender;
  const follows = previous?.sender === sender && previous.name === name;
  if (follows) item.classList.add('follows');
  item.style.setProperty('--hue', hueOf(sender));
  const avatar = element('span', 'avatar', initials(name));
  avatar.setAttribute('aria-hidden', 'true');
  const who = element('p', 'who');
  who.append(element('b', 'name', mine ? `${name} (you)` : name));
  const id = element('code', 'minor sender', sender);
  id.title = 'The sender\'s connection';
  const at = element('time', 'minor', timeFormat.format(time));
  at.dateTime = time.toISOString();
  at.title = `Offset ${offset}`;
  who.append(id, at);
  item.append(avatar, who, element('p', 'said', text));
  return item;
}

/// Returns the element of a line that nobody said.
export function noteElement(text) {
  return element('li', 'note', text);
}

/// Appends to the list, keeps it bounded, and stays at its end if it was there.
export function append(list, scroll, items) {
  const gap = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  list.append(...items);
  while (list.children.length > messagesMax) list.firstElementChild.remove();
  if (gap < 80) scroll.scrollTop = scroll.scrollHeight;
}

/// Shows the rooms in `list`; `choose` is called with the one that is clicked.
export function showRooms(list, rooms, current, choose) {
  list.replaceChildren(...[...rooms].map(([name, { unread }]) => {
    const button = element('button');
    button.type = 'button';
    button.dataset.room = name;
    button.append(element('span', 'room-label', name));
    if (unread > 0) {
      const count = element('span', 'unread', unread > 99 ? '99+' : unread);
      count.setAttribute('aria-label', `${unread} unread`);
      button.append(count);
    }
    if (name === current) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => choose(name));
    const item = element('li');
    item.append(button);
    return item;
  }));
}

/// Returns milliseconds for people.
export function inMs(value) {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

/// Draws round trips, the latest on the right, into a 90 by 24 polyline.
export function drawTrips(line, trips, tripsMax) {
  const top = Math.max(...trips, 1);
  const step = 90 / (tripsMax - 1);
  const first = 90 - (trips.length - 1) * step;
  line.setAttribute('points', trips.map((trip, i) =>
    `${(first + i * step).toFixed(1)},${(23 - trip / top * 22).toFixed(1)}`).join(' '));
}
