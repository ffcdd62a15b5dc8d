// Starting and stopping: options, signals, drain, refusals to start.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { connect, endAll, json } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { run, startServer, within } from './support/server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-e2e-'));
after(() => fs.rmSync(folder, { recursive: true }));
afterEach(endAll);

/// Writes a configuration file and returns its path.
function config(text) {
  const file = path.join(folder, 'callboard.conf');
  fs.writeFileSync(file, text);
  return file;
}

/// Fails unless the program ended with `code` and one sentence that fits.
function expectSentence(result, code, pattern) {
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, pattern);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr);
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal}: goaway, close 4004, exit 0`, async () => {
    const server = await startServer();
    const clients = [await connect(server), await connect(server),
      await connect(server, { protocol: json })];
    await clients[0].ok('subscribe', 'a/b');
    const stopped = server.stop(signal);
    for (const client of clients) {
      const { payload } = await client.take('goaway');
      assert.equal(typeof payload.reason, 'string');
      assert.ok(['now', 'backoff'].includes(payload.reconnect), payload.reconnect);
      assert.ok(payload.afterMs >= 0 && payload.spreadMs >= 0);
      assert.equal((await within(client.closed, 'the close')).code, 4004);
    }
    assert.deepEqual(await stopped, { code: 0, signal: null });
  });
}

test('a client that does not answer the close does not hold up the end', async () => {
  const server = await startServer(['--drain-timeout', '1s']);
  const stuck = await connect(server);
  stuck.socket.pause();
  assert.equal((await server.stop()).code, 0);
});

test('what was accepted before SIGTERM is delivered', async () => {
  const server = await startServer();
  const [reader, writer] = [await connect(server), await connect(server)];
  await reader.ok('subscribe', 'last/words');
  await writer.ok('publish', 'last/words', 'farewell');
  const stopped = server.stop();
  assert.equal((await reader.take('event')).payload, 'farewell');
  await reader.take('goaway');
  assert.equal((await stopped).code, 0);
});

test('a port in use is one sentence and exit 1', async () => {
  const server = await startServer();
  const result = await run(['serve', '--listen', `127.0.0.1:${server.port}`]);
  expectSentence(result, 1, new RegExp(String(server.port)));
  await server.stop();
});

test('options come from the environment', async () => {
  const server = await startServer([], {
    listen: null,
    env: { CALLBOARD_LISTEN: '127.0.0.1:0', CALLBOARD_INFLIGHT_MAX: '3' },
  });
  const one = await connect(server);
  assert.equal(one.welcome.payload.inflightMax, 3);
  await server.stop();
});

test('options come from a file; the environment and flags win over it', async () => {
  const file = config('inflight-max = 5\nframe-bytes-max = 4096\nping-interval = 7s\n');
  const server = await startServer(['--config', file, '--ping-interval', '9s'],
    { env: { CALLBOARD_FRAME_BYTES_MAX: '8192' } });
  const { payload } = (await connect(server)).welcome;
  assert.deepEqual([payload.inflightMax, payload.frameBytesMax, payload.pingIntervalMs],
    [5, 8192, 9000]);
  await server.stop();
});

test('an unknown key in the file is named', async () => {
  const result = await run(['serve', '--listen', '127.0.0.1:0', '--config',
    config('inflight-max = 5\nno-such-key = 1\n')]);
  expectSentence(result, 2, /no-such-key/);
});

test('a file that is not there is named', async () => {
  const result = await run(['serve', '--listen', '127.0.0.1:0', '--config', path.join(folder, 'nowhere.conf')]);
  assert.ok([1, 2].includes(result.code));
  assert.match(result.stderr, /nowhere\.conf/);
});

test('bad options are named, with exit 2', async () => {
  for (const [words, pattern] of [
    [['--no-such-option'], /no-such-option/],
    [['--listen', 'nonsense'], /listen|nonsense/],
    [['--listen', '127.0.0.1:65536'], /65536|listen/],
    [['--ping-interval', 'soon'], /ping-interval|soon/],
    [['--frame-bytes-max', '-1'], /frame-bytes-max|-1/],
    [['--log-format', 'xml'], /log-format|xml/],
  ]) {
    const result = await run(['serve', '--listen', '127.0.0.1:0', ...words]);
    assert.equal(result.code, 2, `${words}: ${result.stderr}`);
    assert.match(result.stderr, pattern);
  }
});

test('a bad value in the environment is named', async () => {
  const result = await run(['serve', '--listen', '127.0.0.1:0'], { env: { CALLBOARD_PING_INTERVAL: 'soon' } });
  assert.equal(result.code, 2);
  assert.match(result.stderr, /CALLBOARD_PING_INTERVAL|ping-interval/);
});

test('--max-connections refuses with 503 and Retry-After', async () => {
  const server = await startServer(['--max-connections', '2']);
  const first = await connect(server);
  await connect(server);
  const { headers, ...refused } = parseResponse(await exchange(server, request('GET /ws',
    'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')));
  expectRefusal({ headers, ...refused }, 503, 'one connection too many');
  assert.match(headers['retry-after'] ?? '', /^\d+$/);
  first.socket.close();
  await first.closed;
  await connect(server);
  await server.stop();
});

test('--log-format json writes lines of JSON, and no payloads', async () => {
  const server = await startServer(['--log-format', 'json', '--log-level', 'debug']);
  const one = await connect(server);
  await one.ok('publish', 'a/b', 'a very private payload');
  await one.ok('request', 'callboard.echo', 'a very private payload');
  await server.stop();
  const lines = server.log.split('\n').filter((line) => line.startsWith('{'));
  assert.ok(lines.length > 0, server.log);
  for (const line of lines) JSON.parse(line);
  assert.doesNotMatch(server.log, /private/);
});

test('--frame-bytes-max and --inflight-max are what the welcome says', async () => {
  const server = await startServer(['--frame-bytes-max', '1024', '--inflight-max', '2']);
  const one = await connect(server);
  const { frameBytesMax, inflightMax } = one.welcome.payload;
  assert.deepEqual([frameBytesMax, inflightMax], [1024, 2]);
  one.send('request', 'callboard.echo', 'x'.repeat(1024));
  assert.equal((await within(one.closed, 'the close')).code, 1009);
  await server.stop();
});
