// The audit finds what injected faults leave behind, and takes it back. Needs a
// build with CALLBOARD_FAULTS.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { findAdmin } from './support/admin.mjs';
import { connect, endAll } from './support/client.mjs';
import { leaks, metrics, sum } from './support/metrics.mjs';
import { slowness, startServer, until, within } from './support/server.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

// Deadlines have a margin of 5 s, and it takes two audits.
const patienceMs = 20000 * slowness;
const key = await makeKey('HS256', 'a');
const jwks = writeJwks('jwks.json', [key]);

const servers = [];
afterEach(async () => {
  endAll();
  for (const server of servers.splice(0)) {
    assert.equal((await server.stop()).code, 0);
  }
});

/// Starts a server of one loop that makes a mistake.
async function faulty(fault, ...words) {
  servers.push(await startServer(
    ['--loops', '1', '--audit-interval', '500ms', '--drain-timeout', '3s', ...words],
    { env: { CALLBOARD_FAULT: fault } }));
  return servers.at(-1);
}

/// Waits until `count` leaks of this kind, and no others, were found and taken
/// back. Returns their lines in the log.
async function reclaimed(server, kind, count) {
  let all;
  await until(async () => {
    all = await metrics(server);
    return (leaks(all)[kind] ?? 0) >= count;
  }, `${kind} is found`, patienceMs);
  assert.deepEqual(leaks(all), { [kind]: count });
  assert.deepEqual(leaks(all, 'callboard_leaks_reclaimed_total'), { [kind]: count });
  const lines = () =>
    server.log.split('\n').filter((line) => line.includes(`leak_found kind=${kind} `));
  await until(() => lines().length > 0, 'it is in the log');
  return lines();
}

/// Waits until so many audits more have counted the descriptors.
async function audited(server, count) {
  const counted = () => server.log.split('descriptors_counted ').length - 1;
  const wanted = counted() + count;
  await until(() => counted() >= wanted, `${count} audits`, patienceMs);
}

/// What lets audits be seen.
const audible = ['--log-level', 'debug'];

/// Waits until a metric is 0.
const untilNone = (server, name) =>
  until(async () => sum(await metrics(server), name) === 0, `${name} is 0`, patienceMs);

/// Ends a client without a word.
const reset = (client) => client.socket._socket.resetAndDestroy();

/// Returns the code of a client's close.
const code = async (client) => (await within(client.closed, 'the close', patienceMs)).code;

test('without a fault nothing is found', async () => {
  const server = await faulty('', ...audible);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server)));
  await Promise.all(clients.map((client) => client.ok('subscribe', 'news')));
  for (const client of clients.slice(0, 10)) reset(client);
  for (const client of clients.slice(10, 15)) client.end();
  await audited(server, 6);
  const all = await metrics(server);
  assert.equal(all.callboard_leaks_total.length, 9);
  assert.deepEqual(leaks(all), {});
  assert.equal(sum(all, 'callboard_subscriptions'), 5);
});

test('sockets of operators are accounted for', async () => {
  const server = await faulty('', ...audible, '--admin', '127.0.0.1:0', '--request-timeout', '10m');
  await findAdmin(server);
  await audited(server, 4);
  const sockets = Array.from({ length: 20 }, () => net.connect(server.admin.port, '127.0.0.1'));
  await within(Promise.all(sockets.map((socket) => once(socket, 'connect'))), 'the sockets');
  await audited(server, 5);
  assert.deepEqual(leaks(await metrics(server)), {});
  sockets.forEach((socket) => socket.destroy());
});

test('a log-in without a deadline', async () => {
  const server = await faulty('endless_connecting', '--token-jwks', jwks, '--connect-timeout', '100ms');
  const begin = Date.now();
  const one = await connect(server, { welcomed: false });
  assert.equal(await code(one), 4005);
  assert.ok(Date.now() - begin > 5000, 'its deadline did not do it');
  const [line] = await reclaimed(server, 'stuck_connecting', 1);
  assert.match(line, /address=127\.0\.0\.1 .*state=connecting /);
});

test('a close without a deadline', async () => {
  const server = await faulty('endless_closing');
  const one = await connect(server);
  one.socket.send('text'); // to which the answer is a close
  one.socket.pause();
  const [line] = await reclaimed(server, 'stuck_disconnecting', 1);
  const [, overdueMs] = line.match(/state=disconnecting .*overdue_ms=(\d+)/);
  assert.ok(Number(overdueMs) > 5000, `overdue by ${overdueMs} ms`);
  await until(async () => sum(await metrics(server), 'callboard_sockets') === 1,
    'the only socket is that of the metrics');
});

test('an actor that ends without closing its socket', async () => {
  const server = await faulty('keep_socket');
  const one = await connect(server);
  one.send('ping', '');
  assert.equal(await code(one), 1011);
  await reclaimed(server, 'socket_without_actor', 1);
});

test('a socket that goes without telling its actor', async () => {
  const server = await faulty('keep_actor');
  const [one, other] = [await connect(server), await connect(server)];
  await one.ok('subscribe', 'news');
  reset(one);
  await reclaimed(server, 'actor_without_socket', 1);
  await untilNone(server, 'callboard_subscriptions');
  assert.equal(await other.ok('request', 'callboard.echo', 1), 1);
  other.end();
  await until(async () => leaks(await metrics(server)).actor_without_socket === 2,
    'the other one is found as well', patienceMs);
});

test('subscriptions that outlive their connection', async () => {
  const server = await faulty('keep_subscription');
  const one = await connect(server);
  for (const subject of ['news', 'chat/+']) await one.ok('subscribe', subject);
  one.end();
  await reclaimed(server, 'subscription_without_subscriber', 2);
  await untilNone(server, 'callboard_subscriptions');
  await untilNone(server, 'callboard_topics');
});

test('places that outlive their connection', async () => {
  const server = await faulty('keep_place', '--max-connections', '1',
    '--user-connections-max', '1', '--token-jwks', jwks);
  const ann = bearer(await sign(key, 'ann'));
  const one = await connect(server, ann);
  one.end();
  // That of the user, and that of the node.
  await reclaimed(server, 'place_without_owner', 2);
  const two = await connect(server, ann);
  assert.equal(await two.ok('request', 'callboard.echo', 1), 1);
});

test('a connection that the registry does not know', async () => {
  const server = await faulty('skip_registration');
  const one = await connect(server);
  assert.equal(await code(one), 1011);
  await reclaimed(server, 'unregistered', 1);
});

test('one that the registry does not forget', async () => {
  const server = await faulty('keep_registration');
  (await connect(server)).end();
  await reclaimed(server, 'registered_dead', 1);
});

test('descriptors that nobody closes are told of', async () => {
  const server = await faulty('keep_descriptor', ...audible);
  await audited(server, 4); // three, for what is in use to be known, have come
  const clients = await Promise.all(Array.from({ length: 40 }, () => connect(server)));
  for (const client of clients) reset(client);
  await until(async () => (leaks(await metrics(server)).descriptor ?? 0) >= 32,
    'descriptor is found', patienceMs);
  const all = await metrics(server);
  assert.ok(leaks(all).descriptor <= 40);
  assert.deepEqual(Object.keys(leaks(all)), ['descriptor']);
  assert.deepEqual(leaks(all, 'callboard_leaks_reclaimed_total'), {});
  await until(() => /leak_found kind=descriptor count=\d+ /.test(server.log), 'it is in the log');
});
