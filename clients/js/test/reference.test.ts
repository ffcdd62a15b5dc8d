// docs/clients-js.md names everything that is exported, and every option.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as all from '../src/index.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const reference = read('../../../docs/clients-js.md');
const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]);

test('values', () => {
  expect(Object.keys(all).length).toBeGreaterThan(10);
  for (const name of Object.keys(all)) expect(reference).toMatch(new RegExp(`\\b${name}\\b`));
});

test.each(['types', 'options'])('types, and their fields: %s', (file) => {
  const source = read(`../src/${file}.ts`);
  const exported = names(source, /^export (?:interface|type) (\w+)/gm);
  expect(exported.length).toBeGreaterThan(4);
  const fields = file === 'options' ? names(source, /^ {2}(\w+)\?:/gm) : [];
  for (const name of [...exported, ...fields]) expect([name, reference]).toEqual([
    name, expect.stringMatching(new RegExp(`\\b${name}\\b`))]);
});
