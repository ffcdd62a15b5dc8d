// `callboard top`, where its output is no terminal.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findAdmin } from './support/admin.mjs';
import { run } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';

const { connect, server } = serveAll();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-top-'));
after(() => fs.rmSync(folder, { recursive: true }));

const key = path.join(folder, 'key');
fs.writeFileSync(key, 'a-key-of-some-length');

/// Starts a server with an admin listener.
async function serve(words) {
  const node = await server(['--admin', '127.0.0.1:0', ...words]);
  await findAdmin(node);
  return node;
}

test('top prints a table', async () => {
  const node = await serve(['--node-name', 'n1']);
  const one = await connect(node);
  await one.ok('subscribe', 'news/of the day');
  const url = node.admin.href;
  for (const words of [['--once'], []]) {
    const { code, stdout, stderr } = await run(['top', '--admin', url, ...words]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^callboard \d+\.\d+\.\d+ {2}node n1 {2}up /);
    assert.match(stdout, /connections 1 /);
    assert.match(stdout, /\n +1 +- +0 {2}news\/of the day\n/);
    assert.ok(!stdout.includes('\x1b'), 'no terminal, no sequences');
  }
});

test('top shows a key, and says what is wrong', async () => {
  const node = await serve(['--admin-key-file', key]);
  const url = node.admin.href;
  assert.equal((await run(['top', '--admin', url, '--key-file', key])).code, 0);
  const without = await run(['top', '--admin', url]);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /401 unauthenticated/);
  const wrong = await run(['top', '--admin', node.http]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /404 not_found/);
  const nobody = await run(['top', '--admin', 'http://127.0.0.1:1/']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /no answer from http:\/\/127\.0\.0\.1:1/);
  for (const words of [['--admin', 'https://localhost/'], ['--admin', 'x'], ['--interval', '99ms'],
    ['--interval', '5'], ['--more']]) {
    assert.equal((await run(['top', ...words])).code, 2, words.join(' '));
  }
  assert.equal((await run(['top', '--admin', url, '--key-file', path.join(folder, 'nowhere')])).code, 1);
});
