// The page: rooms to talk in, and the round trip of a request.

import { Client } from './callboard.js';
import {
  append, drawTrips, inMs, messageElement, noteElement, showRooms, utterance,
} from './view.js';

const roomsMax = 20;
const keptMax = 500;
const tripsMax = 30;
const tripEveryMs = 3000;
const tripTimeoutMs = 5000;

const $ = (id) => document.getElementById(id);
const topicOf = (room) => `chat/${room}`;
const url = new URL('ws', location.href);
url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
url.hash = '';
url.search = '';

const board = new Client(url.href);
const rooms = new Map(); // name -> {items: [{said} | {note}], unread}
const myConnections = new Set();
const trips = [];
let current = '';

// -- rooms ------------------------------------------------------------------

/// Returns what a topic's segment can be of what somebody typed, or ''.
function roomName(typed) {
  return typed.trim().replace(/^#/, '').replace(/[\s/+#\p{Cc}]+/gu, '-').slice(0, 40);
}

/// Returns the room that the address links to, or ''.
function roomOfAddress() {
  try {
    return roomName(decodeURIComponent(location.hash));
  } catch { // somebody cut the address within an escape
    return '';
  }
}

/// Returns the room's items from `from` on as elements.
function render({ items }, from = 0) {
  return items.slice(from).map(({ said, note }, i) => {
    if (note) return noteElement(note);
    const previous = items[from + i - 1]?.said;
    return messageElement(said, myConnections.has(said.sender), previous);
  });
}

function add(name, item) {
  const room = rooms.get(name);
  if (!room) return;
  if (room.items.length === keptMax) room.items.shift();
  room.items.push(item);
  if (name === current) {
    append($('messages'), $('scroll'), render(room, room.items.length - 1));
    $('empty').hidden = true;
  } else if (item.said) {
    ++room.unread;
    showRooms($('rooms'), rooms, current, enter);
  }
}

function enter(name) {
  if (!rooms.has(name)) {
    if (rooms.size === roomsMax) {
      complain(`This page stays in at most ${roomsMax} rooms.`);
      return;
    }
    rooms.set(name, { items: [], unread: 0 });
    board.subscribe(topicOf(name), (event) => add(name, { said: utterance(event) }))
      .catch((error) => complain(error.message));
  }
  current = name;
  const room = rooms.get(name);
  room.unread = 0;
  showRooms($('rooms'), rooms, current, enter);
  $('room-title').textContent = name;
  $('topic').textContent = topicOf(name);
  $('messages').replaceChildren();
  $('empty').hidden = room.items.length > 0;
  append($('messages'), $('scroll'), render(room));
  $('scroll').scrollTop = $('scroll').scrollHeight;
  document.title = `#${name} · callboard`;
  history.replaceState(null, '', `#${encodeURIComponent(name)}`);
}

// -- talking ----------------------------------------------------------------

function complain(message) {
  $('problem').textContent = message;
  $('problem').hidden = !message;
}

async function say(text) {
  const name = $('name').value.trim() || 'Somebody';
  complain('');
  try {
    await board.publish(topicOf(current), { name, text });
  } catch (error) {
    complain(`Not sent: ${error.message}`);
    if ($('text').value === '') $('text').value = text;
  }
}

/// A name for each tab, so that two of them differ from the start.
function ownName() {
  const colours = ['Amber', 'Coral', 'Indigo', 'Olive', 'Scarlet', 'Silver', 'Teal', 'Violet'];
  const birds = ['Crane', 'Finch', 'Heron', 'Ibis', 'Lark', 'Magpie', 'Robin', 'Wren'];
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(colours)} ${pick(birds)}`;
}

// -- round trip -------------------------------------------------------------

async function measure() {
  if (board.state !== 'connected' || $('measure').dataset.busy) return;
  $('measure').dataset.busy = 'yes';
  const start = performance.now();
  try {
    await board.request('callboard.echo', start, { timeoutMs: tripTimeoutMs });
    trips.push(performance.now() - start);
    if (trips.length > tripsMax) trips.shift();
    const sorted = [...trips].sort((a, b) => a - b);
    $('trip').textContent = inMs(trips.at(-1));
    $('trip-median').textContent = `median ${inMs(sorted[sorted.length >> 1])}`;
    drawTrips($('trip-line'), trips, tripsMax);
  } catch {
    $('trip').textContent = '–';
  } finally {
    delete $('measure').dataset.busy;
  }
}

// -- connection -------------------------------------------------------------

let retryAt = 0;

function countDown() {
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  $('state-text').textContent = seconds > 0 ? `retrying in ${seconds} s` : 'retrying';
}

setInterval(() => {
  if (board.state === 'retry_pending') countDown();
}, 500);

board.addEventListener('state', ({ detail }) => {
  const { state, retryInMs, closeCode, reason } = detail;
  const there = state === 'connected';
  $('state').dataset.state = state;
  $('send').disabled = !there;
  $('measure').disabled = !there;
  $('reconnect').hidden = state !== 'retry_pending' && state !== 'disconnected';
  if (state === 'retry_pending') {
    retryAt = Date.now() + retryInMs;
    countDown();
  } else if (state === 'disconnected') {
    $('state-text').textContent = `closed (${closeCode}${reason ? ` ${reason}` : ''})`;
  } else {
    $('state-text').textContent = state;
  }
});

board.addEventListener('welcome', ({ detail }) => {
  myConnections.add(detail.connection);
  $('me').textContent = detail.connection;
  $('node').textContent = detail.node;
  complain('');
  measure();
});

board.addEventListener('gap', ({ detail }) => {
  const name = [...rooms.keys()].find((room) => topicOf(room) === detail.subject);
  add(name, { note: 'reconnected; something may have been said meanwhile' });
});

board.addEventListener('problem', ({ detail }) => complain(detail.message));

// -- wiring -----------------------------------------------------------------

$('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text || board.state !== 'connected') return;
  $('text').value = '';
  say(text);
});
$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = roomName($('room-name').value);
  if (!name) return;
  $('room-name').value = '';
  enter(name);
});
$('name').addEventListener('change', () => {
  sessionStorage.setItem('name', $('name').value.trim());
});
$('measure').addEventListener('click', measure);
$('reconnect').addEventListener('click', () => board.connect());
addEventListener('online', () => board.connect());
addEventListener('hashchange', () => {
  const name = roomOfAddress();
  if (name && name !== current) enter(name);
});
setInterval(() => {
  if (document.visibilityState === 'visible') measure();
}, tripEveryMs);

$('name').value = sessionStorage.getItem('name') || ownName();
sessionStorage.setItem('name', $('name').value);
const linked = roomOfAddress();
enter('lobby');
if (linked) enter(linked);
board.connect();
