// The HTTP side: health, metrics, and every refusal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { slowness } from './support/server.mjs';
import { suite } from './support/suite.mjs';

const shared = suite();
const closing = 'Connection: close';
const upgrade = ['Connection: Upgrade', 'Upgrade: websocket',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

const ask = async (text, options) =>
  parseResponse(await exchange(shared.server, text, options));
const get = (path) => fetch(shared.server.http + path, { redirect: 'manual' });

/// Text, the status that answers it, and what it is.
const refusals = [
  [request('GET /nowhere', closing), 404, 'an unknown path'],
  [request('GET /../../etc/passwd', closing), [400, 404], 'a path that climbs'],
  [request('POST /health', closing, 'Content-Length: 0'), 405, 'POST'],
  [request('DELETE /', closing), 405, 'DELETE'],
  [request('GET /ws', closing), [400, 426], '/ws without an upgrade'],
  [request('GET /nowhere', ...upgrade), 404, 'an upgrade elsewhere'],
  [request('GET /ws', ...upgrade.slice(0, 2), upgrade[3]), [400, 426], 'no version'],
  [request('GET /ws', ...upgrade.slice(0, 2), 'Sec-WebSocket-Version: 8', upgrade[3]),
    [400, 426], 'another version'],
  [request('GET /ws', ...upgrade.slice(0, 3)), 400, 'no key'],
  [request('GET /ws', ...upgrade.slice(0, 3), 'Sec-WebSocket-Key: short'), 400, 'a short key'],
  [request('GET /health', closing, 'Content-Length: 100000000'), 413, 'a huge body'],
  ['complete nonsense\r\n\r\n', 400, 'nonsense'],
  ['GET /health HTTP/3.0\r\nHost: localhost\r\n\r\n', 505, 'another HTTP'],
  ['GET /health HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n', 400, 'no colon'],
  [request('GET /health', closing, `X-Long: ${'x'.repeat(17000)}`), 431, 'long headers'],
  [request('GET /health', closing, ...Array.from({ length: 1500 }, (_, i) => `X-${i}: yyyyyy`)),
    431, 'many headers'],
];

test('each refusal has its status and one line of JSON', async () => {
  for (const [text, status, what] of refusals) {
    expectRefusal(await ask(text), status, what);
  }
});

test('an unknown subprotocol is refused with the names of both', async () => {
  const refusal = expectRefusal(await ask(request('GET /ws', ...upgrade,
    'Sec-WebSocket-Protocol: mqtt, chat')), 400, 'subprotocol');
  assert.match(refusal.message, /callboard\.v1\.msgpack/);
  assert.match(refusal.message, /callboard\.v1\.json/);
});

test('the known one of several subprotocols is taken', async () => {
  const one = await shared.connect({ protocol: ['mqtt', 'callboard.v1.json'] });
  assert.equal(one.socket.protocol, 'callboard.v1.json');
  assert.equal(one.welcome.type, 'welcome');
});

test('405 says what is allowed', async () => {
  const { headers } = await ask(request('POST /health', closing, 'Content-Length: 0'));
  assert.match(headers.allow ?? '', /GET/);
});

test('a request that takes over 10 s is answered 408', { timeout: 30000 * slowness }, async () => {
  const drip = Array.from({ length: 60 }, (_, i) => ['x', 250 * i]);
  const started = Date.now();
  const answer = await ask('GET /health HTTP/1.1\r\nX-Slow: ',
    { more: drip, timeoutMs: 25000 * slowness });
  expectRefusal(answer, 408, 'slow headers');
  assert.ok(Date.now() - started > 8000, 'not before its time');
});

test('HEAD is answered without a body', async () => {
  const { status, body } = await ask(request('HEAD /health', closing));
  assert.deepEqual([status, body], [200, '']);
});

test('one connection serves several requests, also pipelined', async () => {
  const text = await exchange(shared.server,
    request('GET /health') + request('GET /ready') + request('GET /health', closing));
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 3);
});

test('/health and /ready say yes', async () => {
  for (const path of ['/health', '/ready']) {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    assert.ok((await response.text()).length > 0);
  }
});

const metricLine = /^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]Inf|NaN)( \d+)?$/;

test('/metrics is Prometheus text', async () => {
  const one = await shared.connect();
  await one.ok('request', 'callboard.echo', 1);
  const response = await get('/metrics');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/plain/);
  const lines = (await response.text()).split('\n').filter(Boolean);
  for (const line of lines.filter((each) => !each.startsWith('#'))) {
    assert.match(line, metricLine);
  }
  const names = new Set(lines.filter((each) => !each.startsWith('#'))
    .map((line) => line.match(/^[\w:]+/)[0]));
  for (const word of ['connection', 'frame', 'byte', 'deliver', 'request', 'outbox']) {
    assert.ok([...names].some((name) => name.includes(word)), `none about ${word}: ${[...names]}`);
  }
  const types = lines.filter((line) => line.startsWith('# TYPE '));
  assert.ok(types.length > 0);
  assert.equal(new Set(types).size, types.length, 'each family is said once');
});
