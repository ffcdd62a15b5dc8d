// The end of a node with many clients: who is sent away when, who is answered
// before, and the signal that does not wait.

import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, test } from 'node:test';
import { connect, endAll, expectError } from './support/client.mjs';
import { startServer, until, within } from './support/server.mjs';
import { makeKey, writeJwks } from './support/tokens.mjs';

afterEach(endAll);

/// Connects `n` clients, in order.
async function crowd(server, n) {
  const clients = [];
  for (let i = 0; i < n; ++i) clients.push(await connect(server));
  return clients;
}

/// Writes down, for each client, its number when it was closed.
function watch(clients) {
  const closes = [];
  clients.forEach((client, i) => {
    client.closed.then(({ code }) => closes.push({ i, code, at: performance.now() }));
  });
  return closes;
}

/// Returns the status with which a path is answered on this connection.
function status(server, agent, path) {
  return new Promise((resolve, reject) => {
    http.get(`${server.http}${path}`, { agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

test('a hundred clients are sent away one after the other', async () => {
  const server = await startServer(['--loops', '2', '--drain-timeout', '8s']);
  const clients = await crowd(server, 100);
  const closes = watch(clients);
  const stopped = server.stop();
  const goaways = await Promise.all(clients.map((client) => client.take('goaway')));
  for (const { payload } of goaways) {
    assert.equal(payload.reconnect, 'backoff');
    assert.ok(Number(payload.spreadMs) > 0);
  }
  await until(() => closes.length === clients.length, 'the last close');
  assert.ok(closes.every(({ code }) => code === 4004));
  // Those who came first go first: neighbours may change places, but by chance
  // clients would be 33 places from their own.
  const off = closes.reduce((sum, { i }, place) => sum + Math.abs(i - place), 0) / 100;
  assert.ok(off < 15, `${off} places from their own`);
  // A hundred a second, so about a second in all, and no early timers.
  const [first, last] = [closes[0].at, closes.at(-1).at];
  assert.ok(last - first > 300, `${last - first} ms`);
  assert.deepEqual(await stopped, { code: 0, signal: null });
});

test('clients are served until their turn has come', async () => {
  const server = await startServer(['--loops', '1', '--drain-timeout', '8s']);
  const clients = await crowd(server, 100);
  const [first, last] = [clients[0], clients.at(-1)];
  await last.ok('subscribe', 'a');
  const stopped = server.stop();
  await within(first.closed, 'the first close');
  assert.equal(last.closeCode, undefined);
  assert.equal(await last.ok('request', 'callboard.echo', 'here'), 'here');
  await last.ok('publish', 'a', 'to myself');
  assert.equal((await last.take('event')).payload, 'to myself');
  assert.equal((await stopped).code, 0);
});

test('requests in flight are answered before the close', async () => {
  const server = await startServer(['--loops', '2', '--drain-timeout', '8s']);
  const [asker, responder] = await crowd(server, 2);
  await responder.ok('register', 'slow');
  const asked = asker.send('request', 'slow', 'how much?');
  const work = await responder.take('request');
  const stopped = server.stop();
  await Promise.all([asker.take('goaway'), responder.take('goaway')]);
  // Nothing new begins.
  expectError(await asker.call('request', 'slow', 'and now?'), 502, 'shutting_down');
  assert.deepEqual([asker.closeCode, responder.closeCode], [undefined, undefined]);
  responder.send('response', '', 'that much', undefined, work.seqId);
  assert.equal((await asker.reply(asked)).payload, 'that much');
  for (const client of [asker, responder]) {
    assert.equal((await within(client.closed, 'the close')).code, 4004);
  }
  assert.deepEqual(await stopped, { code: 0, signal: null });
});

test('who waits too long is closed in time all the same', async () => {
  const server = await startServer(['--drain-timeout', '2s']);
  const [asker, responder] = await crowd(server, 2);
  await responder.ok('register', 'never');
  asker.send('request', 'never');
  await responder.take('request');
  const stopped = server.stop();
  for (const client of [asker, responder]) {
    assert.equal((await within(client.closed, 'the close')).code, 4004);
  }
  assert.equal((await stopped).code, 0);
});

test('who is not logged in, and an echo, do not hold it up', async () => {
  const jwks = writeJwks('drain.json', [await makeKey('HS256', 'a')]);
  // Without an end of its own, stop() would wait in vain.
  const server = await startServer(['--loops', '2', '--drain-timeout', '1h', '--echo', '/echo',
    '--token-jwks', jwks, '--connect-timeout', '10m']);
  const strangers = [];
  const echoes = [];
  // On both loops.
  for (let i = 0; i < 4; ++i) {
    strangers.push(await connect(server, { welcomed: false }));
    echoes.push(await connect(server, { path: '/echo', protocol: [] }));
  }
  const stopped = server.stop();
  for (const one of strangers) {
    assert.equal((await one.take('goaway')).payload.reconnect, 'backoff');
    assert.equal((await within(one.closed, 'the close')).code, 4004);
  }
  for (const one of echoes) {
    assert.equal((await within(one.closed, 'the close of an echo')).code, 1001);
  }
  assert.deepEqual(await stopped, { code: 0, signal: null });
  assert.match(server.log, / drain_started connections=8/);
  assert.match(server.log, / drain_ended connections=0/);
});

test('/ready says at once that the node goes', async () => {
  const server = await startServer(['--drain-timeout', '8s']);
  await crowd(server, 100);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    assert.equal(await status(server, agent, '/ready'), 200);
    const stopped = server.stop();
    await server.logged(/ drain_started /);
    // On the connection that is there: new ones are not accepted.
    assert.equal(await status(server, agent, '/ready'), 503);
    assert.equal((await stopped).code, 0);
  } finally {
    agent.destroy();
  }
});

for (const second of ['SIGTERM', 'SIGINT']) {
  test(`a second signal (${second}) ends it at once`, async () => {
    const server = await startServer(['--drain-timeout', '1h']);
    const [asker, responder] = await crowd(server, 2);
    await responder.ok('register', 'never');
    asker.send('request', 'never');
    await responder.take('request');
    server.child.kill('SIGTERM');
    await asker.take('goaway');
    assert.deepEqual(await server.stop(second), { code: 1, signal: null });
    assert.match(server.log, /ended by a second signal/);
    assert.equal((await within(asker.closed, 'the cut')).code, 1006);
  });
}

test('SIGHUP does not hurt a drain', async () => {
  const server = await startServer(['--drain-timeout', '8s']);
  const clients = await crowd(server, 100);
  const closes = watch(clients);
  const stopped = server.stop();
  await clients[0].take('goaway');
  server.child.kill('SIGHUP');
  assert.deepEqual(await stopped, { code: 0, signal: null });
  await until(() => closes.length === clients.length, 'the last close');
  assert.ok(closes.every(({ code }) => code === 4004));
});
