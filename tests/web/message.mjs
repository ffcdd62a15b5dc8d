// What payloads say, and names of rooms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './bundle.mjs';

const { readSaid, textChars } = await load('message');
const { keep, kept } = await load('mine');
const { hueOf, initials, randomId, roomName, roomOfHash } = await load('names');

const read = (payload, sender = 'node-1234') =>
  readSaid({ payload, sender, offset: 7, timestamp: 8 }, 'e');

test('what the page itself sends', () => {
  assert.deepEqual(read({ id: 'i', name: 'Ann', text: 'hello' }), {
    id: 'i', epoch: 'e', offset: 7, sender: 'node-1234', name: 'Ann', text: 'hello', at: 8,
  });
});

test('whatever else is published is shown as something', () => {
  for (const [payload, text] of [['plain', 'plain'], [{ text: 7 }, '{"text":7}'], [null, 'null'],
    [undefined, 'nothing'], [7, '7'], [2n ** 60n, '"1152921504606846976"'], ['', '""'],
    [{ text: '' }, '{"text":""}'], [new Uint8Array(3), '"3 bytes"'],
    [new Map([[1, 2]]), '[[1,2]]'], [[{ a: null }], '[{"a":null}]']]) {
    assert.equal(read(payload).text, text);
    assert.equal(read(payload).name, 'Guest 1234');
  }
});

test('names and texts have bounds', () => {
  assert.equal(read({ name: 'n'.repeat(33), text: 'x' }).name, 'n'.repeat(32));
  assert.equal(read({ text: 't'.repeat(textChars) }).text.length, textChars);
  assert.equal(read({ text: 't'.repeat(textChars + 1) }).text.length, textChars);
  assert.equal(read({ id: 'i'.repeat(64), text: 'x' }).id.length, 64);
  assert.equal(read({ id: 'i'.repeat(65), text: 'x' }).id, '');
  assert.equal(read({ name: 7, id: 7, text: 'x' }).name, 'Guest 1234');
  assert.equal(read({ name: 'no text' }).name, 'Guest 1234');
  assert.equal(read('x', '').name, 'The server');
});

test('names of rooms are segments of topics', () => {
  for (const [typed, name] of [['lobby', 'lobby'], [' #Green  Room ', 'Green-Room'], ['a/b+c#d', 'a-b-c-d'],
    ['', ''], ['#', ''], ['///', ''], ['a\u0000b', 'a-b'], ['é 🎭', 'é-🎭'], ['x'.repeat(41), 'x'.repeat(40)],
    ['x'.repeat(39) + '🎭', 'x'.repeat(39)], ['a\ud83d', 'a']]) {
    assert.equal(roomName(typed), name);
    assert.equal(roomOfHash(`#${encodeURIComponent(name)}`), name);
  }
  assert.equal(roomOfHash('#Green%20Room'), 'Green-Room');
  assert.equal(roomOfHash('#%E0%A4'), '');
});

test('without a browser that keeps anything, the page does', () => {
  assert.equal(kept('sessionStorage', 'token'), '');
  keep('sessionStorage', 'token', 't');
  assert.equal(kept('sessionStorage', 'token'), 't');
  assert.equal(kept('localStorage', 'token'), '');
});

test('pictures of people', () => {
  assert.equal(hueOf('a'), 0xe40c292c % 360); // FNV-1a's published value
  assert.deepEqual(['Ann', 'ann bee cee', '', '🎭 x'].map(initials), ['A', 'AB', '?', '🎭X']);
});

test('ids are their own', () => {
  assert.match(randomId(), /^[0-9a-f]{32}$/);
  assert.notEqual(randomId(), randomId());
});
