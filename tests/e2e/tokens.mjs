// Who is let in, for how long, and what they may do: with tokens that another
// implementation has made.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectError } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { run, sleep, startServer, until, within } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks, writeKeyFile } from './support/tokens.mjs';

const { connect, server, usual } = serveAll();
const keys = {
  HS256: await makeKey('HS256', 'a'),
  RS256: await makeKey('RS256', 'b'),
  ES256: await makeKey('ES256', 'c'),
};
const jwks = writeJwks('jwks.json', Object.values(keys));
const debug = ['--log-level', 'debug']; // the lowest that there is

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

/// Asks for a WebSocket and returns the answer, of which 101 stays open.
async function ask(node, target, ...headers) {
  const text = request(`GET ${target}`, ...upgrade, ...headers);
  return parseResponse(await exchange(node, text));
}

/// Returns the name with which an upgrade is refused.
async function refusal(node, status, target, ...headers) {
  return expectRefusal(await ask(node, target, ...headers), status, target).error;
}

const welcomed = (node, options) => connect(node, options);
const log = (node) => node.log;

// -- letting in ---------------------------------------------------------------

test('each algorithm lets in, from a JWK set', async () => {
  const node = await usual(['--token-jwks', jwks]);
  for (const key of Object.values(keys)) {
    const one = await welcomed(node, bearer(await sign(key, 'ann')));
    assert.equal(one.welcome.payload.user, 'ann');
    assert.ok(Math.abs(Number(one.welcome.payload.expires) - Date.now() - 3630_000) < 20_000);
  }
});

test('each algorithm lets in, from a key file', async () => {
  for (const [name, key] of Object.entries(keys)) {
    const file = writeKeyFile(name, key.pem ?? key.privateKey);
    if (!key.pem && key.privateKey.at(-1) === 10) continue; // a line's end
    const node = await server(['--token-key', file]);
    await welcomed(node, bearer(await sign(key, 'ann')));
    const other = await sign(await makeKey(name), 'ann');
    assert.equal(await refusal(node, 401, '/ws', `Authorization: Bearer ${other}`),
      'unauthenticated');
  }
});

test('a token may come in four places', async () => {
  const node = await server(['--token-jwks', jwks, '--token-cookie', 'board']);
  const token = await sign(keys.ES256, 'ann');
  const places = [bearer(token), { query: `?token=${token}` },
    { headers: { cookie: `x=1; board=${token}` } }];
  for (const place of places) {
    assert.equal((await welcomed(node, place)).welcome.payload.user, 'ann');
  }
  const late = await connect(node, { welcomed: false });
  const answer = await late.call('connect', '', { token });
  assert.deepEqual([answer.type, answer.payload.user], ['welcome', 'ann']);
});

test('what is no good token is refused', async () => {
  const node = await usual(['--token-jwks', jwks]);
  const old = await sign(keys.RS256, 'ann', {}, -40);
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${
    Buffer.from('{"sub":"ann"}').toString('base64url')}.`;
  const confused = await sign({
    algorithm: 'HS256', kid: 'b', privateKey: Buffer.from(keys.RS256.pem),
  }, 'ann');
  const refused = { [old]: 'token_expired', [none]: 'unauthenticated',
    [confused]: 'unauthenticated', rubbish: 'unauthenticated' };
  for (const [token, name] of Object.entries(refused)) {
    assert.equal(await refusal(node, 401, `/ws?token=${token}`), name);
    const late = await connect(node, { welcomed: false });
    expectError(await late.call('connect', '', { token }),
      name === 'token_expired' ? 201 : 200, name);
    assert.equal((await late.closed).code, 4500);
  }
  // Just run out is still within the skew.
  await welcomed(node, bearer(await sign(keys.RS256, 'ann', {}, -20)));
});

test('issuer and audience are asked for', async () => {
  const node = await server(['--token-jwks', jwks, '--token-issuer', 'us',
    '--token-audience', 'board']);
  const good = { iss: 'us', aud: ['x', 'board'] };
  await welcomed(node, bearer(await sign(keys.HS256, 'ann', good)));
  for (const bad of [{ ...good, iss: 'them' }, { ...good, aud: 'x' }, { iss: 'us' }]) {
    assert.equal(await refusal(node, 401, `/ws?token=${await sign(keys.HS256, 'ann', bad)}`),
      'unauthenticated');
  }
});

test('who says nothing in time is closed', async () => {
  const node = await server(['--token-jwks', jwks, '--connect-timeout', '300ms']);
  const one = await connect(node, { welcomed: false });
  assert.equal((await within(one.closed, 'the close')).code, 4005);
});

test('without keys everybody is let in, and that is said once', async () => {
  const node = await server([]);
  await welcomed(node, { query: '?token=anything' });
  const warnings = () => log(node).match(/ warning .*open to everybody/g) ?? [];
  await until(() => warnings().length > 0, 'the warning');
  await node.stop();
  assert.equal(warnings().length, 1);
  const guarded = await usual(['--token-jwks', jwks]);
  assert.doesNotMatch(log(guarded), /open to everybody/);
});

test('clients without a token may do what is said', async () => {
  const node = await server(['--token-jwks', jwks, '--anonymous-sub-topics', 'news/#,time']);
  const one = await welcomed(node);
  assert.equal(one.welcome.payload.user, undefined);
  await one.ok('subscribe', 'news/+');
  for (const [type, subject] of [['subscribe', '#'], ['publish', 'news/1'],
    ['request', 'a'], ['register', 'a'], ['subscribe', 'chat']]) {
    await one.fails(202, 'forbidden', type, subject);
  }
  await one.fails(202, 'forbidden', 'connect', '', { token: await sign(keys.HS256, 'ann') });
});

// -- rights -------------------------------------------------------------------

test('a token without lists may do everything', async () => {
  const node = await usual(['--token-jwks', jwks]);
  const one = await welcomed(node, bearer(await sign(keys.HS256, 'ann')));
  await one.ok('subscribe', 'all/#');
  await one.ok('publish', 'all/1');
  await one.ok('register', 'all.do');
});

test('rights are checked on every command', async () => {
  const node = await usual(['--token-jwks', jwks]);
  const one = await welcomed(node, bearer(await sign(keys.HS256, 'ann', {
    sub_topics: ['in/#'], pub_topics: ['out/+', '$user/bob'], actions: ['ask/#'],
    register_actions: ['tell'],
  })));
  const group = { group: 'g' };
  const allowed = [['subscribe', 'in/1'], ['subscribe', 'in/+'], ['subscribe', 'in/1', null, group],
    ['publish', 'out/1'], ['register', 'tell'], ['request', 'callboard.echo'],
    ['request', 'callboard.time'], ['request', 'callboard.history', { topic: 'in/1' }],
    ['request', 'callboard.position', { topic: 'in/1' }],
    ['request', 'callboard.history', { topic: '$user/ann' }],
    ['request', 'callboard.push', { user: 'bob', payload: 1 }]];
  for (const words of allowed) await one.ok(...words);
  await one.fails(300, 'no_responder', 'request', 'ask/something');
  const forbidden = [['subscribe', 'out/1'], ['subscribe', '#'], ['subscribe', '$dead/in/1'],
    ['subscribe', 'out/1', null, group], ['publish', 'in/1'], ['publish', 'out/1/2'],
    ['request', 'tell'], ['register', 'ask/something'],
    ['request', 'callboard.history', { topic: 'out/1' }],
    ['request', 'callboard.position', { topic: 'out/1' }],
    ['request', 'callboard.presence', { topic: 'out/1' }],
    ['request', 'callboard.presence_count', { topic: 'out/1' }],
    ['request', 'callboard.push', { user: 'eve', payload: 1 }]];
  for (const words of forbidden) await one.fails(202, 'forbidden', ...words);
});

// -- the time of a log-in -----------------------------------------------------

test('a token that runs out closes, unless a fresh one came', async () => {
  const node = await server(['--token-jwks', jwks, '--token-skew', '0s',
    '--ping-interval', '1s', '--ping-timeout', '20s']);
  const livesS = 3;
  const started = Date.now();
  const [left, kept] = await Promise.all(['ann', 'bob'].map(async (user) =>
    welcomed(node, bearer(await sign(keys.ES256, user, {}, livesS)))));
  const fresh = await sign(keys.ES256, 'bob', {}, 600);
  const answer = await kept.call('connect', '', { token: fresh });
  assert.equal(answer.type, 'welcome');
  assert.ok(Number(answer.payload.expires) > Date.now() + 500_000);
  expectError(await left.take('error'), 201, 'token_expired');
  assert.deepEqual(await left.closed, { code: 4500, reason: 'token_expired' });
  assert.ok(Date.now() - started >= livesS * 1000 - 50, 'not before its time');
  await sleep(300);
  await kept.ok('request', 'callboard.echo', 1);
});

test('a connect frame late may be too short-lived as well', async () => {
  const node = await server(['--token-jwks', jwks, '--token-skew', '0s',
    '--ping-interval', '1s', '--ping-timeout', '20s']);
  const one = await connect(node, { welcomed: false });
  await one.call('connect', '', { token: await sign(keys.ES256, 'ann', {}, 1.5) });
  assert.equal((await within(one.closed, 'the close')).code, 4500);
});

test('a fresh token must be of the same user, and may take rights away', async () => {
  const node = await usual(['--token-jwks', jwks]);
  const one = await welcomed(node, bearer(await sign(keys.HS256, 'ann')));
  await one.ok('subscribe', 'a');
  await one.ok('subscribe', 'b');
  await one.fails(202, 'forbidden', 'connect', '', { token: await sign(keys.HS256, 'bob') });
  await one.fails(201, 'token_expired', 'connect', '',
    { token: await sign(keys.HS256, 'ann', {}, -60) });
  const less = await sign(keys.HS256, 'ann', { sub_topics: ['a'], pub_topics: ['#'] });
  assert.equal((await one.call('connect', '', { token: less })).type, 'welcome');
  const error = await one.take('error');
  expectError(error, 202, 'forbidden');
  assert.equal(error.seqId, 0);
  assert.match(error.payload, /'b'/);
  await one.ok('publish', 'b', 1);
  await one.ok('publish', 'a', 2);
  assert.deepEqual((await one.take('event')).payload, 2);
  assert.deepEqual((await one.settle()).map(({ type }) => type), []);
});

// -- key files that change ----------------------------------------------------

test('a JWK set is read again, and a bad one leaves the keys', async () => {
  const [first, second] = [await makeKey('ES256', '1'), await makeKey('RS256', '2')];
  const file = writeJwks('rotating.json', [first]);
  const node = await server(['--token-jwks', file, ...debug]);
  const [old, fresh] = [await sign(first, 'ann'), await sign(second, 'ann')];
  const status = async (token) => (await fetch(`${node.http}/ws?token=${token}`, {
    headers: { 'x-probe': '1' },
  })).status;
  assert.equal(await status(old), 400); // no upgrade; nobody was asked
  const living = await welcomed(node, bearer(old));
  assert.equal(await refusal(node, 401, `/ws?token=${fresh}`), 'unauthenticated');
  writeJwks('rotating.json', [first, second]);
  await until(async () => (await ask(node, '/ws?token=rubbish'),
  log(node).includes('token_keys_read')), 'the new set');
  await welcomed(node, bearer(fresh));
  await welcomed(node, bearer(old));
  writeKeyFile('rotating.json', '{"keys": [');
  await until(async () => (await ask(node, '/ws?token=rubbish'),
  / error .*token_keys_refused .*keys_kept=2/.test(log(node))), 'the complaint');
  await welcomed(node, bearer(fresh));
  writeJwks('rotating.json', [second]);
  await until(async () => (await ask(node, '/ws?token=rubbish'),
  /token_keys_read .*keys=1/.test(log(node))), 'the last set');
  assert.equal(await refusal(node, 401, `/ws?token=${old}`), 'unauthenticated');
  // Who was let in stays.
  await living.ok('request', 'callboard.echo', 1);
});

test('a key that cannot be used ends the start', async () => {
  const rows = [[['--token-key', '/nowhere/key'], /\/nowhere\/key: It cannot be read/],
    [['--token-jwks', writeKeyFile('bad.json', '{}')], /bad\.json: It has no list/],
    [['--token-key', writeKeyFile('short', 'abc')], /32 bytes/]];
  for (const [words, pattern] of rows) {
    const { code, stderr } = await run(['serve', '--listen', '127.0.0.1:0', ...words]);
    assert.deepEqual([code, pattern.test(stderr)], [1, true], stderr);
  }
});

// -- origins ------------------------------------------------------------------

test('pages of other origins are refused', async () => {
  const node = await server([]);
  await welcomed(node, { origin: node.http });
  assert.equal(await refusal(node, 403, '/ws', 'Origin: http://evil.example'), 'forbidden_origin');
  const open = await server(['--allowed-origins', 'https://*.example.com,https://a.example']);
  for (const origin of ['https://x.example.com', 'https://a.example']) {
    await welcomed(open, { origin });
  }
  for (const origin of ['https://example.com', 'https://a.example.evil', open.http, 'null']) {
    assert.equal(await refusal(open, 403, '/ws', `Origin: ${origin}`), 'forbidden_origin');
  }
});

// -- what must not be told ----------------------------------------------------

test('no token is ever logged', async () => {
  for (const format of ['text', 'json']) {
    const node = await server(['--token-jwks', jwks, '--token-cookie', 'board', ...debug,
      '--log-format', format]);
    const tokens = [await sign(keys.RS256, 'ann'), await sign(keys.RS256, 'ann', {}, -60),
      await sign(await makeKey('ES256', 'x'), 'ann'), 'rubbish-that-is-no-token'];
    for (const token of tokens) {
      await ask(node, `/nowhere?token=${token}`, 'Connection: close');
      await ask(node, `/ws?token=${token}%zz`);
      const late = await connect(node, { welcomed: false });
      await late.call('connect', '', { token });
      for (const place of [bearer(token), { query: `?token=${token}` },
        { headers: { cookie: `board=${token}` } }]) {
        const one = await connect(node, place).catch(() => null);
        await one?.call('connect', '', { token });
      }
    }
    await until(() => /token_refused/.test(log(node)), 'a line about a token');
    await node.stop();
    for (const token of tokens) {
      for (const part of token.split('.').filter((x) => x.length > 8)) {
        assert.ok(!log(node).includes(part), 'a part of a token is in the log');
      }
    }
  }
});
