// Who is there, what they are called, who types.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './bundle.mjs';

const { Names, People, Typing, typingMs, typingText } = await load('people');

const join = (connection, user) => ({ event: 'join', connection, ...(user ? { user } : {}) });
const leave = (connection, user) => ({ event: 'leave', connection, ...(user ? { user } : {}) });

test('pages and steps together are who is there', () => {
  const people = new People();
  assert.equal(people.known, false);
  const fresh = people.begin();
  people.take(fresh, [{ connections: ['a'] }, { user: 'ann', connections: ['b', 'c'] }]);
  people.apply([join('d'), leave('a')]);
  people.take(fresh, [{ connections: ['e'] }, { user: 'bob', connections: [] }, { connections: [] }]);
  assert.equal(people.known, false, 'not before the last page');
  people.end(fresh);
  assert.ok(people.known);
  assert.deepEqual([...people.members].sort(), ['ann', 'bob', 'd', 'e']);
  people.apply([leave('c', 'ann'), join('f')]);
  assert.deepEqual([...people.members].sort(), ['bob', 'd', 'e', 'f']);
});

test('until the new ones are read, the old ones stand', () => {
  const people = new People();
  const first = people.begin();
  people.take(first, [{ connections: ['a'] }]);
  people.end(first);
  const second = people.begin();
  assert.deepEqual([...people.members], ['a']);
  const third = people.begin();
  people.take(second, [{ connections: ['b'] }]);
  people.end(second);
  assert.deepEqual([...people.members], ['a'], 'a later one has begun');
  people.take(third, [{ connections: ['c'] }]);
  people.end(third);
  assert.deepEqual([...people.members], ['c']);
  people.clear();
  assert.deepEqual([people.known, people.members.size], [false, 0]);
});

test('a reset is told', () => {
  const people = new People();
  assert.equal(people.apply([join('a')]), false);
  assert.equal(people.apply([{ event: 'reset' }, join('b')]), true);
  assert.deepEqual([...people.members], ['a', 'b']);
});

test('names are told, and forgotten beyond 2,000', () => {
  const names = new Names();
  assert.equal(names.of('node-12345'), 'Guest 2345');
  assert.equal(names.of(''), 'The server');
  assert.ok(names.tell('a', 'Ann'));
  assert.ok(!names.tell('a', 'Ann'));
  assert.ok(names.tell('a', 'Anna'));
  assert.ok(!names.tell('', 'Nobody'));
  assert.ok(!names.tell('b', ''));
  for (let n = 1; n < 2000; ++n) names.tell(`n${n}`, 'N');
  assert.equal(names.of('a'), 'Anna');
  names.tell('n2000', 'N');
  assert.equal(names.of('a'), 'Guest a');
  assert.equal(names.of('n1'), 'N');
});

test('who types does so for five seconds', () => {
  const typing = new Typing();
  typing.start('a', 0);
  typing.start('b', 1);
  assert.equal(typing.prune(typingMs - 1), false);
  assert.deepEqual(typing.senders, ['a', 'b']);
  assert.equal(typing.prune(typingMs), true);
  assert.deepEqual(typing.senders, ['b']);
  typing.start('b', 2);
  assert.equal(typing.prune(typingMs + 1), false, 'and goes on');
  assert.equal(typing.stop('b'), true);
  assert.equal(typing.stop('b'), false);
});

test('it is told in words', () => {
  assert.equal(typingText([]), '');
  assert.equal(typingText(['Ann']), 'Ann is typing…');
  assert.equal(typingText(['Ann', 'Bob']), 'Ann and Bob are typing…');
  assert.equal(typingText(['Ann', 'Bob', 'Cy']), '3 people are typing…');
});
