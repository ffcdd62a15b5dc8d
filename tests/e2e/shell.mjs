// The program's own clients, as a shell or a script uses them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, start, until, within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const shared = suite();
const url = () => shared.server.ws;

/// Returns what a program has printed so far, a value a line.
const linesOf = (program) => program.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line));

/// Starts `callboard sub` and returns it once it hears what is published.
async function subscriber(...topics) {
  const program = start(['sub', url(), ...topics]);
  const writer = await shared.connect();
  const probe = topics[0].replace(/[+#]$/, 'probe');
  await until(async () => {
    await writer.ok('publish', probe, 'probe');
    return program.stdout.includes('\n');
  }, `a line of ${program.title}: ${program.stderr}`);
  program.events = () => linesOf(program).filter(({ payload }) => payload !== 'probe');
  program.writer = writer;
  return program;
}

test('sub prints a line of JSON for each event', async () => {
  const [one, two] = [freshTopic('sub'), freshTopic('other')];
  const program = await subscriber(one, two);
  await program.writer.ok('publish', one, { text: 'grüß "dich"\n' });
  const { offset } = await program.writer.ok('publish', two, [1, 2.5, null]);
  await until(() => program.events().length === 2, 'two events');
  const [first, second] = program.events();
  assert.deepEqual([first.topic, first.payload], [one, { text: 'grüß "dich"\n' }]);
  assert.deepEqual([second.topic, second.offset, second.sender, second.payload],
    [two, offset, program.writer.id, [1, 2.5, null]]);
  program.child.kill('SIGINT');
  assert.equal((await within(program.exited, 'the end of sub')).code, 0);
});

test('sub takes patterns', async () => {
  const prefix = freshTopic('pattern');
  const program = await subscriber(`${prefix}/#`);
  await program.writer.ok('publish', `${prefix}/a/b`, 1);
  await until(() => program.events().length === 1, 'the event');
  assert.equal(program.events()[0].topic, `${prefix}/a/b`);
  program.child.kill('SIGTERM');
  await within(program.exited, 'the end of sub');
});

test('pub publishes its argument', async () => {
  const [reader, topic] = [await shared.connect(), freshTopic()];
  await reader.ok('subscribe', topic);
  for (const payload of [{ a: [1, 'ü'] }, 'text', 7, null]) {
    const { code, stderr } = await run(['pub', url(), topic, JSON.stringify(payload)]);
    assert.equal(code, 0, stderr);
    assert.deepEqual((await reader.take('event')).payload, payload);
  }
});

test('pub - publishes each line of its input', async () => {
  const [reader, topic] = [await shared.connect(), freshTopic()];
  await reader.ok('subscribe', topic);
  const input = Array.from({ length: 500 }, (_, i) => `{"n":${i}}\n`).join('');
  const { code, stderr } = await run(['pub', url(), topic, '-'], { input });
  assert.equal(code, 0, stderr);
  const events = await reader.events(500);
  assert.deepEqual(events.map(({ payload }) => payload.n), events.map((_, i) => i));
});

test('what pub cannot publish is said, with exit code', async () => {
  for (const [topic, payload, name] of [['a/b', '{broken', /JSON|payload/i], ['a//b', '1', /bad_subject|topic/]]) {
    const { code, stderr } = await run(['pub', url(), topic, payload]);
    assert.ok([1, 2].includes(code), `${code}`);
    assert.match(stderr, name);
  }
});

test('request prints the answer', async () => {
  const payload = { list: [1, 'two', null] };
  const { code, stdout } = await run(['request', url(), 'callboard.echo', JSON.stringify(payload)]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), payload);
});

test('request fails with 1 and names the error', async () => {
  const { code, stdout, stderr } = await run(['request', url(), 'nobody.answers', '1']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /no_responder/);
});

test('respond answers with what the command prints', async () => {
  const program = start(['respond', url(), 'shell.double', '--',
    'sh', '-c', 'read n; echo $((n * 2))']);
  const asker = await shared.connect();
  let reply;
  await until(async () => {
    reply = await asker.call('request', 'shell.double', 0);
    return reply.type === 'response';
  }, `a registration: ${program.stderr}`);
  for (const n of [1, 21]) {
    assert.equal(await asker.ok('request', 'shell.double', n), n * 2);
  }
  program.child.kill('SIGTERM');
  await within(program.exited, 'the end of respond');
});

test('respond turns a command that fails into an error', async () => {
  const program = start(['respond', url(), 'shell.fail', '--', 'sh', '-c', 'exit 3']);
  const asker = await shared.connect();
  let reply;
  await until(async () => {
    reply = await asker.call('request', 'shell.fail', 0);
    return reply.subject !== 'no_responder';
  }, `a registration: ${program.stderr}`);
  assert.equal(reply.type, 'error');
  assert.ok(reply.meta.code >= 1000, `${reply.meta.code}`);
  program.child.kill('SIGTERM');
  await within(program.exited, 'the end of respond');
});

test('no server: one sentence and exit 1', async () => {
  for (const words of [['sub', 'ws://127.0.0.1:9/ws', 'a'], ['pub', 'ws://127.0.0.1:9/ws', 'a', '1'],
    ['request', 'ws://127.0.0.1:9/ws', 'a', '1'], ['respond', 'ws://127.0.0.1:9/ws', 'a', '--', 'true']]) {
    const { code, stderr } = await run(words);
    assert.equal(code, 1, `${words}: ${stderr}`);
    assert.match(stderr, /127\.0\.0\.1:9/);
  }
});

test('wrong words are a matter of usage: exit 2', async () => {
  for (const words of [[], ['no-such-command'], ['sub'], ['sub', url()], ['pub', url()],
    ['pub', url(), 'a'], ['request', url()], ['respond', url(), 'a'], ['respond', url(), 'a', '--'],
    ['sub', 'nonsense', 'a'], ['sub', '--no-such-option', url(), 'a']]) {
    const { code, stderr } = await run(words);
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.ok(stderr.length > 0);
  }
});

test('--help of each says how it is used', async () => {
  const options = ['--listen', '--loops', '--max-connections', '--ping-interval', '--ping-timeout',
    '--frame-bytes-max', '--outbox-bytes-max', '--inflight-max', '--log-level', '--log-format',
    '--compression', '--echo', '--config', '--drain-timeout'];
  for (const [command, wanted] of Object.entries({
    serve: options, sub: ['URL', 'TOPIC'], pub: ['URL', 'TOPIC', 'PAYLOAD'],
    request: ['URL', 'ACTION', 'PAYLOAD'], respond: ['URL', 'ACTION', 'COMMAND'], bench: ['echo', 'fanout'],
  })) {
    const { code, stdout } = await run([command, '--help']);
    assert.equal(code, 0, command);
    for (const word of wanted) assert.ok(stdout.includes(word), `${command}: ${word}`);
  }
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  for (const command of ['serve', 'sub', 'pub', 'request', 'respond', 'bench', 'top']) {
    assert.ok(stdout.includes(command), command);
  }
});

test('bench comeback says that the topics keep too little', async () => {
  const { code, stdout } = await run(['bench', 'comeback', url(), '--subscribers', '3', '--watchers', '1',
    '--steady', '100ms', '--away', '100ms', '--duration', '1s']);
  assert.equal(code, 1);
  assert.match(stdout, /longer history/);
  assert.match(stdout, /came back +0 of 3/);
});
