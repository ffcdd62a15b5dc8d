// SIGHUP: other options while the server runs, and bad ones that change
// nothing. Rules about publishing, over the wire.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { expectError } from './support/client.mjs';
import { exchange, expectRefusal, parseResponse, request } from './support/raw_http.mjs';
import { until } from './support/server.mjs';
import { serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

const { connect, server } = serveAll();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-reload-'));
after(() => fs.rmSync(folder, { recursive: true }));

let files = 0;

/// Starts a server with a config file of its own; `change` replaces that.
async function serve(text, words = []) {
  const file = path.join(folder, `${++files}.conf`);
  const write = (now) => {
    fs.writeFileSync(`${file}.fresh`, now);
    fs.renameSync(`${file}.fresh`, file);
  };
  write(text);
  const node = await server(['--config', file, ...words]);
  node.file = file;
  node.change = async (now, expected = 'reloaded') => {
    if (now !== undefined) write(now);
    const before = count(node, expected);
    node.child.kill('SIGHUP');
    await until(() => count(node, expected) > before, `the log's ${expected}`);
  };
  return node;
}

/// Returns how many lines of the log have an event.
function count(node, event) {
  return node.log.split('\n').filter((line) => line.includes(` ${event} `)).length;
}

/// Returns the lines of the log that have an event.
const lines = (node, event) => node.log.split('\n').filter((line) => line.includes(` ${event} `));

/// Returns a metric's value, summed over the loops.
async function metric(node, name, label) {
  const text = await (await fetch(`${node.http}/metrics`)).text();
  return text.split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

async function kept(client, topic) {
  const { events } = await client.ok('request', 'callboard.history', { topic });
  return events.length;
}

async function publish(client, topic, n) {
  for (let i = 0; i < n; ++i) await client.ok('publish', topic, i);
}

// -- reloading ----------------------------------------------------------------

test('another history size counts for topics that live and for new ones', async () => {
  const node = await serve('[topic a/#]\nhistory-size = 10\n', ['--loops', '2']);
  const one = await connect(node);
  for (const topic of ['a/1', 'a/2', 'a/3']) {
    await publish(one, topic, 8);
    assert.equal(await kept(one, topic), 8);
  }
  await node.change('[topic a/#]\nhistory-size = 3\n');
  for (const topic of ['a/1', 'a/2', 'a/3']) assert.equal(await kept(one, topic), 3);
  await publish(one, 'a/new', 8);
  assert.equal(await kept(one, 'a/new'), 3);
  assert.match(lines(node, 'reloaded')[0], /topic_sections=1/);
  // What is not in the file any more has its default again.
  await node.change('');
  assert.equal(await kept(one, 'a/1'), 0);
  assert.equal(await metric(node, 'callboard_reloads_total', 'done'), 2);
  assert.equal(await metric(node, 'callboard_reloads_total', 'refused'), 0);
});

test('a bad file is refused as a whole, and the old options go on', async () => {
  const good = 'log-level = info\n[topic a]\nhistory-size = 4\n';
  const node = await serve(good);
  const one = await connect(node);
  await publish(one, 'a', 6);
  const bad = [
    ['[topic a]\nhistory-size = 1\n[topic b]\nhistroy-size = 1\n', /line 4.*histroy-size/],
    ['[topic a]\nhistory-size = 1\n[topic b]\nhistory-size = many\n', /line 4.*many/],
    ['loops = 1000\n[topic a]\nhistory-size = 1\n', /line 1, loops/],
    ['ping-interval = 5m\n[topic a]\nhistory-size = 1\n', /ping-interval/],
    ['[topic a]\nhistory-size = 1\ndurability = disk\n', /durability/],
    ['[topic a]\nhistory-size = 1\npublish-burst = 2\n', /publish-burst/],
  ];
  for (const [text, pattern] of bad) {
    const before = lines(node, 'reload_refused').length;
    await node.change(text, 'reload_refused');
    const told = lines(node, 'reload_refused').slice(before);
    assert.equal(told.length, 1);
    assert.match(told[0], pattern);
    assert.equal(await kept(one, 'a'), 4);
  }
  assert.equal(await metric(node, 'callboard_reloads_total', 'refused'), bad.length);
  assert.equal(await metric(node, 'callboard_reloads_total', 'done'), 0);
  assert.equal(count(node, 'reloaded'), 0);
  // The connection lives, and a good file is taken again.
  await node.change(good.replace('4', '2'));
  assert.equal(await kept(one, 'a'), 2);
});

test('a file that cannot be read is refused', async () => {
  const node = await serve('[topic a]\nhistory-size = 4\n');
  const one = await connect(node);
  await publish(one, 'a', 6);
  fs.rmSync(node.file);
  await node.change(undefined, 'reload_refused');
  fs.mkdirSync(node.file);
  await node.change(undefined, 'reload_refused');
  for (const told of lines(node, 'reload_refused')) assert.match(told, /cannot be read/);
  assert.equal(await metric(node, 'callboard_reloads_total', 'refused'), 2);
  assert.equal(await kept(one, 'a'), 4);
  fs.rmdirSync(node.file);
  await node.change('[topic a]\nhistory-size = 2\n');
  assert.equal(await kept(one, 'a'), 2);
});

test('what takes a restart is named and stays as it is', async () => {
  const node = await serve('frame-bytes-max = 2KiB\n', ['--node-name', 'steady']);
  await node.change('frame-bytes-max = 4KiB\nno-page = true\n[topic a]\nhistory-size = 2\n');
  const told = lines(node, 'takes_a_restart');
  assert.equal(told.length, 1);
  assert.match(told[0], /settings="frame-bytes-max,no-page"/);
  const one = await connect(node);
  assert.equal(one.welcome.payload.frameBytesMax, 2048);
  assert.equal(one.welcome.payload.node, 'steady');
  assert.equal((await fetch(`${node.http}/`)).status, 200);
  await publish(one, 'a', 3);
  assert.equal(await kept(one, 'a'), 2);
});

test('other sections for actions count for those who are there', async () => {
  const node = await serve('', ['--loops', '2']);
  const [asker, responder] = [await connect(node), await connect(node)];
  responder.watcher = ({ type, seqId }) => {
    if (type === 'request') responder.send('response', '', 'done', undefined, seqId);
    return type === 'request';
  };
  for (const action of ['sum', 'ill']) await responder.ok('register', action);
  const ask = (action) => asker.call('request', action);
  for (let i = 0; i < 5; ++i) assert.equal((await ask('sum')).type, 'response');
  await node.change('[action sum]\nrate = 1\nburst = 2\n');
  assert.equal((await ask('sum')).type, 'response');
  await until(async () => (await ask('sum')).subject === 'rate_limited', 'the rate');
  // A bad file leaves that as it is.
  await node.change('[action sum]\nrate = 1000\n[action ill]\nbreaker-probes = 0\n',
    'reload_refused');
  assert.match(lines(node, 'reload_refused')[0], /line 4.*breaker-probes/);
  await until(async () => (await ask('sum')).subject === 'rate_limited', 'the old rate');
  await node.change('');
  for (let i = 0; i < 5; ++i) assert.equal((await ask('sum')).type, 'response');
  assert.match(lines(node, 'reloaded')[0], /action_sections=1/);
  assert.equal(count(node, 'takes_a_restart'), 0);
});

test('a circuit stays open while its section does', async () => {
  const breaker = 'breaker = on\nbreaker-requests-min = 2\nbreaker-window = 1h\n'
    + 'breaker-open = 1h\n';
  const node = await serve(`[action ill]\n${breaker}`);
  const [asker, responder] = [await connect(node), await connect(node)];
  responder.watcher = ({ type, seqId }) => {
    if (type === 'request') responder.send('error', 'internal', 'I am ill.', { code: 599 }, seqId);
    return type === 'request';
  };
  await responder.ok('register', 'ill');
  for (let i = 0; i < 2; ++i) await asker.fails(302, 'responder_failed', 'request', 'ill');
  await asker.fails(304, 'circuit_open', 'request', 'ill');
  await node.change(`[action other]\nrate = 1\n[action ill]\n${breaker}`);
  await asker.fails(304, 'circuit_open', 'request', 'ill');
  assert.equal(await metric(node, 'callboard_action_circuits', 'state="open"'), 1);
  await node.change('');
  await until(async () => await metric(node, 'callboard_action_circuits', 'state="open"') === 0,
    'the circuit to be gone');
  await asker.fails(302, 'responder_failed', 'request', 'ill');
});

test('limits change for connections that live, and nobody is dropped', async () => {
  const node = await serve('', ['--loops', '2']);
  const clients = [await connect(node), await connect(node)];
  const [one] = clients;
  const topics = ['a', 'b', 'c'];
  for (const topic of topics) await one.ok('subscribe', topic);
  await node.change('subscriptions-max = 2\ninflight-max = 7\n');
  await one.fails(402, 'too_many_subscriptions', 'subscribe', 'd');
  await publish(clients[1], 'c', 1);
  assert.equal((await one.take('event')).subject, 'c');
  assert.equal((await connect(node)).welcome.payload.inflightMax, 7);
  // Nothing of a bad file counts.
  await node.change('subscriptions-max = 9\nframes-rate = 1\nmax-connections = 0\n',
    'reload_refused');
  await one.fails(402, 'too_many_subscriptions', 'subscribe', 'd');
  await node.change('subscriptions-max = 9\nping-interval = 5m\n', 'reload_refused');
  await one.fails(402, 'too_many_subscriptions', 'subscribe', 'd');
  await node.change('subscriptions-max = 9\n');
  await one.ok('subscribe', 'd');
  await node.change('publishes-rate = 1\npublishes-burst = 2\n');
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => one.call('publish', 'e', i)));
  const refused = answers.filter(({ type }) => type === 'error');
  assert.ok(refused.length > 0 && refused.length <= 6, `${refused.length} are refused`);
  for (const answer of refused) expectError(answer, 500, 'rate_limited');
  await node.change('');
  await publish(one, 'e', 8);
  for (const client of clients) await client.ok('request', 'callboard.echo', 'still here');
  assert.equal(count(node, 'takes_a_restart'), 0);
});

test('fewer connections may be, and those that are stay', async () => {
  const node = await serve('max-connections = 3\n', ['--loops', '2']);
  const upgrade = async () => parseResponse(await exchange(node, request('GET /ws',
    'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')));
  const clients = [await connect(node), await connect(node), await connect(node)];
  await node.change('max-connections = 1\n');
  expectRefusal(await upgrade(), 503, 'overloaded');
  for (const client of clients) await client.ok('request', 'callboard.echo', 'still here');
  await node.change('max-connections = 4\n');
  clients.push(await connect(node));
  expectRefusal(await upgrade(), 503, 'overloaded');
  // Addresses were counted before there was a limit.
  await node.change('max-connections = 9\naddress-connections-max = 4\n');
  expectRefusal(await upgrade(), 429, 'limit_exceeded');
  await node.change('max-connections = 9\naddress-connections-max = 5\n');
  clients.push(await connect(node));
  for (const client of clients) await client.ok('request', 'callboard.echo', 'still here');
});

test('flags go on winning over the file', async () => {
  const node = await serve('', ['--log-level', 'info', '--inflight-max', '5', '--loops', '1']);
  await node.change('log-level = error\ninflight-max = 9\nloops = 2\n');
  assert.equal(count(node, 'takes_a_restart'), 0);
  assert.equal((await connect(node)).welcome.payload.inflightMax, 5);
  // At the level of the file, nothing of this would be logged.
  await node.change();
});

test('the log level changes', async () => {
  const node = await serve('log-level = info\n');
  const one = await connect(node);
  assert.equal(count(node, 'connection_state'), 0);
  await node.change('log-level = debug\n');
  await connect(node);
  await until(() => count(node, 'connection_state') > 0, 'a line of debug');
  await one.ok('request', 'callboard.echo', 'still here');
});

test('other origins may connect, and connections stay', async () => {
  const node = await serve('allowed-origins = https://a.example\n');
  const upgrade = (origin) => exchange(node, request('GET /ws', 'Connection: Upgrade',
    'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', `Origin: ${origin}`));
  const from = (origin) => ({ origin });
  const one = await connect(node, from('https://a.example'));
  expectRefusal(parseResponse(await upgrade('https://b.example')), 403, 'another origin');
  await node.change('allowed-origins = https://b.example\n');
  await connect(node, from('https://b.example'));
  expectRefusal(parseResponse(await upgrade('https://a.example')), 403, 'the old origin');
  await one.ok('request', 'callboard.echo', 'still here');
  // What is no origin is refused with the rest.
  await node.change('allowed-origins = b.example\n', 'reload_refused');
  await connect(node, from('https://b.example'));
});

test('keys are read again at once, or nothing is', async () => {
  const [old, fresh] = [await makeKey('ES256', 'a'), await makeKey('ES256', 'b')];
  const jwks = writeJwks('reload.json', [old]);
  const node = await serve('', ['--token-jwks', jwks]);
  await connect(node, bearer(await sign(old, 'ann')));
  fs.writeFileSync(jwks, '{');
  await node.change('[topic a]\nhistory-size = 2\n', 'reload_refused');
  assert.match(lines(node, 'reload_refused')[0], /reload\.json/);
  const one = await connect(node, bearer(await sign(old, 'ann')));
  await publish(one, 'a', 3);
  assert.equal(await kept(one, 'a'), 0);
  writeJwks('reload.json', [fresh]);
  await node.change();
  await connect(node, bearer(await sign(fresh, 'bob')));
  assert.equal(await kept(one, 'a'), 0);
  await publish(one, 'a', 3);
  assert.equal(await kept(one, 'a'), 2);
});

test('presence comes and goes while subscribers stay', async () => {
  const node = await serve('');
  const [one, two] = [await connect(node), await connect(node)];
  await one.ok('subscribe', 'a');
  await one.fails(403, 'no_presence', 'request', 'callboard.presence_count', { topic: 'a' });
  await node.change('[topic a]\npresence = true\n');
  await two.ok('subscribe', 'a', null, { presence: true });
  const count = await two.ok('request', 'callboard.presence_count', { topic: 'a' });
  assert.equal(Number(count.members), 2);
  await node.change('');
  const told = await two.take(({ type, payload }) =>
    type === 'presence' && payload.some(({ event }) => event === 'reset'));
  assert.equal(told.subject, 'a');
  await two.fails(403, 'no_presence', 'request', 'callboard.presence', { topic: 'a' });
});

// -- rules about publishing ---------------------------------------------------

test('payload-bytes-max holds at its bound and one past it', async () => {
  const node = await serve('[topic small/#]\npayload-bytes-max = 100\n');
  const one = await connect(node);
  await one.ok('subscribe', 'small/a');
  // A text of 32 to 255 bytes has two more.
  await one.ok('publish', 'small/a', 'x'.repeat(98));
  await one.fails(102, 'frame_too_large', 'publish', 'small/a', 'x'.repeat(99));
  await one.ok('publish', 'large', 'x'.repeat(1000));
  one.send('publish', 'small/a', 'x'.repeat(99), undefined, 0);
  await one.ok('publish', 'small/a', 'end');
  const events = await one.events(2);
  assert.deepEqual(events.map(({ meta }) => Number(meta.offset)), [1, 2]);
  assert.equal(events[1].payload, 'end');
  assert.equal(await metric(node, 'callboard_publish_refusals_total', 'payload_bytes'), 2);
});

test('publish-rate answers when to try again, and trying then helps', async () => {
  const node = await serve('[topic slow/#]\npublish-rate = 5\npublish-burst = 2\n',
    ['--loops', '2']);
  const clients = [await connect(node), await connect(node)];
  // Together they are faster than the topic takes, however slow this machine is.
  let refused;
  for (let i = 0; i < 1000 && !refused; ++i) {
    const answers = await Promise.all(clients.map((one) => one.call('publish', 'slow/a', i)));
    refused = answers.find(({ type }) => type === 'error');
  }
  expectError(refused, 500, 'rate_limited');
  assert.equal(refused.meta.temporary, true);
  const waitMs = Number(refused.meta.retryAfterMs);
  assert.ok(waitMs >= 1 && waitMs <= 200, `${waitMs} ms`);
  await until(async () => {
    const answer = await clients[0].call('publish', 'slow/a', 'again');
    return answer.type === 'response';
  }, 'room for one more');
  assert.ok(await metric(node, 'callboard_publish_refusals_total', 'rate') >= 1);
  await clients[0].ok('publish', 'quick', 1);
});

test('publishers = server keeps clients out, also of a user\'s topic', async () => {
  const node = await serve('[topic news/#]\npublishers = server\n'
    + '[topic "$user/#"]\npublishers = server\n');
  const one = await connect(node);
  await one.ok('subscribe', 'news/a');
  await one.fails(202, 'forbidden', 'publish', 'news/a', 1);
  await one.fails(202, 'forbidden', 'request', 'callboard.push', { user: 'ann', payload: 1 });
  assert.equal(await metric(node, 'callboard_publish_refusals_total', 'publishers'), 2);
  await node.change('');
  await one.ok('publish', 'news/a', 2);
  assert.equal((await one.take('event')).payload, 2);
});
