import { describe, expect, test } from 'vitest';
import { Emitter } from '../src/emitter.js';

interface Events { a: number; b: number }

class Source extends Emitter<Events> {
  tell(name: keyof Events, value: number) { this.emit(name, value); }
  listens(name: keyof Events) { return this.has(name); }
}

describe('listeners', () => {
  test('are called in their order, until they are removed', () => {
    const source = new Source();
    const heard: string[] = [];
    const first = (value: number) => { heard.push(`first ${value}`); };
    const remove = source.on('a', (value) => { heard.push(`second ${value}`); });
    source.on('a', first);
    source.tell('a', 1);
    remove();
    source.tell('a', 2);
    source.off('a', first);
    source.tell('a', 3);
    expect(heard).toEqual(['second 1', 'first 1', 'first 2']);
    expect(source.listens('a')).toBe(false);
  });

  test('for one time are called once, and can be removed before', () => {
    const source = new Source();
    const heard: number[] = [];
    const listener = (value: number) => { heard.push(value); };
    source.once('a', listener);
    source.tell('a', 1);
    source.tell('a', 2);
    source.once('a', listener);
    source.off('a', listener);
    source.tell('a', 3);
    expect(heard).toEqual([1]);
  });

  test('are added once, and what removes one removes no later one', () => {
    const source = new Source();
    const heard: number[] = [];
    const listener = (value: number) => { heard.push(value); };
    const stale = source.once('a', listener);
    source.on('a', listener);
    source.tell('a', 1);
    source.on('a', listener);
    stale();
    source.tell('a', 2);
    expect(heard).toEqual([1, 2]);
  });
});
