// What a room shows: in the topic's order, each thing once, and not without end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './bundle.mjs';

const { Room, itemsMax } = await load('room');

const said = (offset, more = {}) => ({
  id: '', epoch: 'e', offset, sender: 'n-1', name: 'Ann', text: `${offset}`, at: offset, ...more,
});
const entry = (offset, payload = `${offset}`) =>
  ({ offset, timestamp: offset, sender: 'n-1', payload });
const history = (events, more = false, epoch = 'e') => ({ epoch, offset: 99, more, events });
const texts = (room) => room.all.map(({ text }) => text);
const nobody = () => false;
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('a topic is between the room and its live topic', () => {
  const room = new Room('lobby');
  assert.deepEqual([room.topic, room.liveTopic], ['chat/lobby', 'chat-live/lobby']);
});

test('what was kept goes in front of what has come meanwhile, once', () => {
  const room = new Room('a');
  assert.ok(room.add(said(4), false));
  assert.ok(room.add(said(5), false));
  assert.equal(room.merge(history([5, 4, 3, 2].map((n) => entry(n)), true), nobody), 2);
  assert.deepEqual(texts(room), ['2', '3', '4', '5']);
  assert.equal(room.more, true);
  assert.equal(room.oldest, 2);
  assert.equal(room.merge(history([entry(1)]), nobody), 1);
  assert.deepEqual(texts(room), ['1', '2', '3', '4', '5']);
  assert.equal(room.more, false);
});

test('the same place twice is once; the same offset of another epoch is not', () => {
  const room = new Room('a');
  assert.ok(room.add(said(1), false));
  assert.ok(!room.add(said(1), false));
  assert.ok(room.add(said(1, { epoch: 'f', text: 'f1' }), false));
  assert.deepEqual(texts(room), ['1', 'f1']);
  assert.equal(room.oldest, 1, 'of the present epoch');
});

test('the same id twice is once, wherever it comes from', () => {
  const room = new Room('a');
  assert.ok(room.add(said(1, { id: 'x' }), false));
  assert.ok(!room.add(said(2, { id: 'x', epoch: 'f', sender: 'n-2' }), false));
  assert.equal(room.merge(history([entry(3, { id: 'x', text: 'again' })]), nobody), 0);
  assert.ok(room.add(said(4, { id: 'y' }), false));
  assert.deepEqual(texts(room), ['1', '4']);
});

test('of two with one id in the history the first one counts', () => {
  const room = new Room('a');
  const events = [entry(3, { id: 'x', text: 'late' }), entry(2, 'between'), entry(1, { id: 'x', text: 'first' })];
  assert.equal(room.merge(history(events), nobody), 2);
  assert.deepEqual(texts(room), ['first', 'between']);
});

test('where the later one came first, the earlier one takes its place', () => {
  const room = new Room('a');
  room.compose('x', 'Ann', 'twice', 0);
  room.add(said(9, { id: 'x', text: 'twice' }), true);
  const { key } = room.items[0];
  room.add(said(10), false);
  assert.ok(!room.add(said(8, { id: 'x', text: 'twice' }), true), 'it is not new');
  assert.ok(room.add(said(7), false));
  assert.deepEqual(texts(room), ['7', 'twice', '10']);
  assert.equal(room.items[1].key, key);
  assert.ok(!room.add(said(9, { id: 'x', text: 'twice' }), true), 'nor does the later one come back');
  assert.deepEqual(texts(room), ['7', 'twice', '10']);
});

test('offsets beyond 2^53 have their order, too', () => {
  const room = new Room('a');
  room.add(said(2n ** 53n + 1n), false);
  room.add(said(2n ** 53n + 3n), false);
  room.merge(history([entry(2n ** 53n + 2n)]), nobody);
  assert.deepEqual(texts(room), [1n, 2n, 3n].map((n) => `${2n ** 53n + n}`));
});

test('what is unsent stands last, keeps its key, and is said once', () => {
  const room = new Room('a');
  const unsent = room.compose('x', 'Ann', 'mine', 1);
  room.compose('y', 'Ann', 'second', 2);
  room.add(said(1), false);
  assert.deepEqual(texts(room), ['1', 'mine', 'second']);
  assert.ok(room.add(said(2, { id: 'x', text: 'mine' }), true));
  assert.deepEqual(texts(room), ['1', 'mine', 'second']);
  assert.equal(room.items[1].key, unsent.key);
  assert.deepEqual(room.unsent.map(({ id }) => id), ['y']);
  assert.ok(!room.add(said(3, { id: 'x', text: 'mine' }), true), 'its answer came after it');
  assert.equal(room.discard('y').text, 'second');
  assert.equal(room.discard('y'), undefined);
});

test('a note stays where it was made; what fills the gap comes behind it', () => {
  const room = new Room('a');
  room.add(said(1), false);
  const key = room.note('gap');
  room.add(said(9), false);
  room.merge(history([entry(8), entry(7)]), nobody);
  assert.deepEqual(texts(room), ['1', 'gap', '7', '8', '9']);
  room.removeNote(key);
  room.removeNote(key);
  assert.deepEqual(texts(room), ['1', '7', '8', '9']);
});

test('the last thing said, notes aside', () => {
  const room = new Room('a');
  room.note('nothing');
  assert.equal(room.last, undefined);
  room.add(said(1), false);
  room.note('more');
  assert.equal(room.last.offset, 1);
});

test('it keeps the last thousand, and knows that there were more', () => {
  const room = new Room('a');
  for (const n of range(1, itemsMax)) room.add(said(n), false);
  assert.deepEqual([room.items.length, room.more, room.oldest], [itemsMax, false, 1]);
  room.add(said(itemsMax + 1), false);
  assert.deepEqual([room.items.length, room.more, room.oldest], [itemsMax, true, 2]);
  assert.equal(room.merge(history([entry(1)]), nobody), 0, 'a full room takes no older ones');
  assert.equal(room.more, false);
});

test('a room that is nearly full takes the newest of what was kept', () => {
  const room = new Room('a');
  for (const n of range(11, itemsMax + 8)) room.add(said(n), false);
  assert.equal(room.merge(history([10, 9, 8].map((n) => entry(n)), true), nobody), 2);
  assert.deepEqual([room.items.length, room.oldest, room.more], [itemsMax, 9, false]);
});

test('a full room takes what is newer, for the oldest', () => {
  const room = new Room('a');
  for (const n of range(1, itemsMax)) room.add(said(n), false);
  const events = [3, 2, 1].map((n) => entry(itemsMax + n));
  assert.equal(room.merge(history([...events, entry(itemsMax)], true), nobody), 3);
  assert.deepEqual([room.items.length, room.oldest, room.last.offset], [itemsMax, 4, itemsMax + 3]);
  assert.equal(room.merge(history(events), nobody), 0);
});

test('what has gone can come again', () => {
  const room = new Room('a');
  for (const n of range(1, itemsMax + 1)) room.add(said(n, { id: `i${n}` }), false);
  assert.ok(room.add(said(itemsMax + 2, { id: 'i1' }), false), 'it is not known any more');
  assert.ok(!room.add(said(itemsMax + 3, { id: 'i3' }), false));
});
