// The page: what is clicked and typed, and what is shown when. Start here.

import { connect } from 'callboard';
import { Chat, type Place, roomsMax } from './chat.js';
import { ConnectionView } from './connection.js';
import { byId, setText } from './dom.js';
import type { Said } from './message.js';
import { Mine, keep, kept } from './mine.js';
import { roomName, roomOfHash } from './names.js';
import { Panel } from './panels.js';
import { startTheme } from './theme.js';
import { Trips } from './trips.js';
import { PeopleView, RoomsView } from './view_lists.js';
import { MessagesView } from './view_messages.js';

const firstRoom = 'lobby';
/** Somebody looks at it, so that it tries more often than a service would. */
const backoff = { baseMs: 1000, capMs: 15_000 };

function serverUrl(): string {
  const url = new URL('ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = url.search = '';
  return url.href;
}

const text = byId<HTMLTextAreaElement>('text');
const nameInput = byId<HTMLInputElement>('name');
const roomInput = byId<HTMLInputElement>('room-name');
const panels = [new Panel('rooms'), new Panel('people')];
const mine = new Mine();
const board = connect(serverUrl(), {
  autoConnect: false,
  backoff,
  client: 'callboard-page',
  getToken: () => kept('sessionStorage', 'token') || undefined,
});
const chat = new Chat(board, mine, changed);
const messages = new MessagesView({
  retry: (id) => current && chat.retry(current, id),
  discard: (id) => current && chat.discard(current, id),
});
const rooms = new RoomsView((name) => {
  enter(name);
  panels[0]?.close();
  text.focus();
});
const people = new PeopleView(chat);
const trips = new Trips(board);
let current: Place | null = null;
let drawing = false;

// -- what is shown ------------------------------------------------------------

/** Draws once for all that has changed by now. Hidden tabs have no frames. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    if (!current) return;
    messages.show(current.room, board.state === 'connected');
    people.show(current);
    rooms.show(chat.places.values(), current.room.name);
    setText(byId('problem'), current.room.problem);
    byId('problem').hidden = !current.room.problem;
    byId('leave').hidden = chat.places.size < 2;
    drawUnread();
  });
}

function drawUnread(): void {
  const name = current?.room.name ?? '';
  let unread = 0;
  let elsewhere = 0;
  for (const { room } of chat.places.values()) {
    unread += room.unread;
    if (room.name !== name) elsewhere += room.unread;
  }
  const badge = byId('rooms-unread');
  badge.hidden = elsewhere === 0;
  setText(badge, elsewhere > 99 ? '99+' : String(elsewhere));
  const title = `${unread > 0 ? `(${unread}) ` : ''}#${name} · callboard`;
  if (document.title !== title) document.title = title;
}

function changed(what: string, place: Place, said?: Said): void {
  if (what === 'heard' && said) hear(place, said);
  if (place === current || what === 'heard') draw();
}

function hear(place: Place, said: Said): void {
  const isMine = mine.said(said.id) || said.sender === chat.me;
  const isHere = place === current && document.visibilityState === 'visible';
  if (isMine) return;
  if (!isHere) ++place.room.unread;
  if (place !== current) return;
  setText(byId('announce'), `${said.name}: ${said.text.slice(0, 300)}`);
  queueMicrotask(() => messages.announceBelow());
}

// -- rooms --------------------------------------------------------------------

function enter(name: string): void {
  const place = chat.enter(name);
  byId('rooms-problem').hidden = place !== null;
  if (!place) {
    setText(byId('rooms-problem'), `This page stays in at most ${roomsMax} rooms. Leave one first.`);
    return;
  }
  if (current) current.room.draft = text.value;
  if (current && current !== place) current.live?.tellTyping(false);
  current = place;
  const { room } = place;
  room.unread = 0;
  text.value = room.draft;
  text.placeholder = `Message #${name}`;
  setText(byId('text-label'), `Message to ${name}`);
  setText(byId('room-title'), name);
  setText(byId('topic'), room.topic);
  setText(byId('announce'), '');
  history.replaceState(null, '', `#${encodeURIComponent(name)}`);
  keep('sessionStorage', 'rooms', JSON.stringify([...chat.places.keys()]));
  draw();
}

function leave(): void {
  if (!current || chat.places.size < 2) return;
  chat.leave(current.room.name);
  current = null;
  text.value = '';
  enter([...chat.places.keys()][0] ?? firstRoom);
  text.focus();
}

/** Enters the next room, or the one before. */
function step(by: number): void {
  const names = [...chat.places.keys()];
  const at = names.indexOf(current?.room.name ?? '');
  const next = names[(at + by + names.length) % names.length];
  if (next) enter(next);
}

function roomsBefore(): string[] {
  try {
    const names: unknown = JSON.parse(kept('sessionStorage', 'rooms') || '[]');
    return Array.isArray(names) ? names.map((name) => roomName(String(name))).filter(Boolean) : [];
  } catch { // somebody else has written there
    return [];
  }
}

// -- talking ------------------------------------------------------------------

function send(): void {
  const said = text.value.trim();
  if (!current || !said) return;
  text.value = '';
  chat.say(current, said);
  draw();
  queueMicrotask(() => messages.toEnd());
}

function rename(): void {
  if (mine.rename(nameInput.value)) {
    chat.names.tell(chat.me, mine.name);
    chat.rename();
    draw();
  }
  nameInput.value = mine.name;
}

byId('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
text.addEventListener('keydown', (event) => {
  // 229: in Safari, the Enter that ends a composition.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
});
text.addEventListener('input', () => current?.live?.tellTyping(text.value.trim() !== ''));
byId('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = roomName(roomInput.value);
  if (!name) return;
  roomInput.value = '';
  enter(name);
  panels[0]?.close();
  text.focus();
});
byId('who').addEventListener('submit', (event) => {
  event.preventDefault();
  rename();
  panels[0]?.close();
  text.focus();
});
byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = byId<HTMLInputElement>('token');
  keep('sessionStorage', 'token', token.value.trim());
  token.value = '';
  byId('login').hidden = true;
  board.connect();
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address names the room
  text.focus();
});
nameInput.addEventListener('change', rename);
byId('leave').addEventListener('click', leave);
byId('earlier').addEventListener('click', () => current && void chat.readEarlier(current));
document.addEventListener('keydown', (event) => {
  if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
  event.preventDefault();
  step(event.key === 'ArrowUp' ? -1 : 1);
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible' || !current) return;
  current.room.unread = 0;
  draw();
});
window.addEventListener('hashchange', () => {
  const name = roomOfHash(location.hash);
  if (name && name !== current?.room.name) enter(name);
});

// -- the start ----------------------------------------------------------------

startTheme();
new ConnectionView(board);
board.on('state', draw);
board.on('welcome', ({ user }) => {
  if (user !== undefined) {
    mine.actAs(user);
    nameInput.readOnly = true;
    nameInput.value = mine.name;
  }
  chat.names.tell(chat.me, mine.name);
  void trips.measure();
});
nameInput.value = mine.name;
const linked = roomOfHash(location.hash);
const before = roomsBefore();
for (const name of before.length > 0 ? before : [firstRoom]) enter(name);
if (linked) enter(linked);
board.connect();
