// `callboard token`, and what the commands that are clients do with a token.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { run, start, until } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';
import { bearer, writeKeyFile, writeJwks } from './support/tokens.mjs';

const { connect, server, usual } = serveAll();
const secretText = '0123456789abcdef0123456789abcdef';
const secret = writeKeyFile('secret', `${secretText}\n`);
const words = ['token', '--key', secret, '--user', 'ann'];

/// Runs `callboard token` and returns the token.
async function make(...more) {
  const { code, stdout, stderr } = await run([...words, ...more]);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd();
}

const claimsOf = async (token) =>
  (await jwtVerify(token, Buffer.from(secretText))).payload;

test('each algorithm is what another implementation takes', async () => {
  for (const algorithm of ['RS256', 'ES256']) {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const key = writeKeyFile(`${algorithm}.pem`, await exportPKCS8(privateKey));
    const token = await make('--key', key, '--alg', algorithm, '--kid', 'k "1"');
    const { payload } = await jwtVerify(token, publicKey);
    assert.equal(payload.sub, 'ann');
    assert.deepEqual(decodeProtectedHeader(token), { alg: algorithm, typ: 'JWT', kid: 'k "1"' });
  }
  assert.deepEqual(decodeProtectedHeader(await make('--alg', 'HS256')),
    { alg: 'HS256', typ: 'JWT' });
});

test('all claims can be said', async () => {
  const { iat, exp, ...claims } = await claimsOf(await make('--tenant', 'acme',
    '--issuer', 'us', '--audience', 'board', '--sub', 'a/#', '--sub', 'b', '--pub', 'c',
    '--actions', 'd', '--register-actions', 'e', '--expires-in', '5m',
    '--claim', 'n=7', '--claim', 'text=some words', '--claim', 'aud=["x","board"]'));
  assert.deepEqual(claims, {
    sub: 'ann', tenant: 'acme', iss: 'us', aud: ['x', 'board'], sub_topics: ['a/#', 'b'],
    pub_topics: ['c'], actions: ['d'], register_actions: ['e'], n: 7, text: 'some words',
  });
  assert.equal(exp - iat, 300);
  assert.equal((await claimsOf(await make('--expires-in', '0s'))).exp, undefined);
});

test('what is wrong is told', async () => {
  const rows = [
    [['token', '--user', 'ann'], 2, /--key/],
    [['token', '--key', secret], 2, /--user/],
    [[...words, '--alg', 'ES256'], 2, /HS256/],
    [[...words, '--alg', 'none'], 2, /--alg/],
    [[...words, '--sub', 'a//b'], 2, /'a\/\/b' is no pattern/],
    [[...words, '--expires-in', '5'], 2, /unit/],
    [[...words, '--claim', 'x'], 2, /NAME=VALUE/],
    [[...words, '--key', '/nowhere'], 1, /\/nowhere cannot be read/],
    [[...words, '--key', writeKeyFile('short', 'x')], 1, /32 bytes/],
    [[...words, '--claim', `x=${'x'.repeat(9000)}`], 1, /8192/],
  ];
  for (const [line, expected, pattern] of rows) {
    const { code, stdout, stderr } = await run(line);
    assert.deepEqual([code, stdout], [expected, ''], stderr);
    assert.match(stderr, pattern);
  }
  const help = await run(['token', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Exit codes/);
});

test('a token lets the commands in', async () => {
  const node = await usual(['--token-key', secret]);
  const url = `${node.http}/`;
  const token = await make('--sub', 'a', '--pub', 'a', '--actions', 'act', '--register-actions', 'act');
  const file = `@${writeKeyFile('ann.token', `${token}\n`)}`;
  const ways = [[['--token', token], {}], [['--token', file], {}],
    [[], { CALLBOARD_TOKEN: token }], [[], { CALLBOARD_TOKEN: file }]];
  for (const [flags, env] of ways) {
    const { code, stderr } = await run(['pub', ...flags, url, 'a', '1'], { env });
    assert.equal(code, 0, stderr);
  }
  const refused = await run(['pub', '--connect-timeout', '300ms', url, 'a', '1']);
  assert.equal(refused.code, 1);
  const other = await run(['pub', '--token', file, url, 'b', '1']);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /202 forbidden/);
  const none = await run(['pub', '--token', '@/nowhere', url, 'a', '1']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /\/nowhere cannot be read/);
  const { stdout, stderr } = await run(['bench', 'fanout', '--token', file, '-c', '2',
    '-d', '300ms', '--warm-up', '100ms', '--json', '-q', node.http.replace('http', 'ws')]);
  assert.match(stdout + stderr, /forbidden/, 'the bench was let in, and its topic is not granted');
});

test('a token in a file or in the environment is in nobody\'s list of processes', async () => {
  const node = await usual(['--token-key', secret]);
  const token = await make();
  const file = `@${writeKeyFile('ps.token', token)}`;
  for (const [flags, env] of [[['--token', file], {}], [[], { CALLBOARD_TOKEN: token }]]) {
    const program = start(['sub', ...flags, `${node.http}/`, 'ps'], { env });
    const watcher = await connect(node, bearer(token));
    await until(async () => {
      await watcher.ok('publish', 'ps', 1);
      return program.stdout.includes('"ps"');
    }, 'the subscription');
    const shown = readFileSync(`/proc/${program.child.pid}/cmdline`, 'utf8');
    assert.match(shown, /sub/);
    assert.ok(!shown.includes(token.split('.')[2]));
    program.child.kill('SIGINT');
    await program.exited;
  }
});

test('a set and a file go together', async () => {
  const jwks = writeJwks('beside.json', [{ jwk: {
    kty: 'oct', kid: 'other', k: Buffer.from('f'.repeat(32)).toString('base64url'),
  } }]);
  const node = await server(['--token-key', secret, '--token-jwks', jwks]);
  const other = writeKeyFile('other', 'f'.repeat(32));
  await connect(node, bearer(await make()));
  await connect(node, bearer(await make('--key', other, '--kid', 'other')));
  await connect(node, bearer(await make('--key', other)));
});
