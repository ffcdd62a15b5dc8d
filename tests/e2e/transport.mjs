// The WebSocket itself: pings, compression, the echo path, slow readers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { connect as connectTo, frame } from './support/client.mjs';
import { startServer, until, within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const shared = suite(['--compression', '--echo', '/echo', '--ping-interval', '300ms',
  '--ping-timeout', '1500ms']);
const { connect } = shared;
const deflate = { perMessageDeflate: { threshold: 0 } };
const echo = (options) => connect({ path: '/echo', protocol: [], ...options });

let plain;
before(async () => { plain = await startServer(); });
after(() => plain.stop());

/// Returns the next message as {data, binary}.
const message = (client) => within(new Promise((resolve) => {
  client.socket.once('message', (data, binary) => resolve({ data, binary }));
}), 'a message');

test('the server pings a quiet connection, and one that answers stays', async () => {
  const one = await connect();
  assert.equal(one.welcome.payload.pingIntervalMs, 300);
  assert.equal(one.welcome.payload.pingTimeoutMs, 1500);
  let pings = 0;
  one.socket.on('ping', () => { ++pings; });
  await until(() => pings >= 7, 'seven pings'); // longer than the timeout
  assert.equal(await one.ok('request', 'callboard.echo', 1), 1);
});

test('one that does not answer is closed with 4000', async () => {
  const one = await connect({ autoPong: false });
  assert.equal((await within(one.closed, 'the close')).code, 4000);
});

test('a client\'s ping is answered with its bytes', async () => {
  const one = await connect();
  const pong = within(new Promise((resolve) => { one.socket.once('pong', resolve); }), 'a pong');
  one.socket.ping('four');
  assert.equal(String(await pong), 'four');
});

test('compression is used where both want it', async () => {
  const [one, two, three] = [await connect(deflate), await connect(deflate), await connect()];
  assert.match(one.socket.extensions, /permessage-deflate/);
  assert.equal(three.socket.extensions, '');
  const topic = freshTopic();
  for (const client of [one, two, three]) await client.ok('subscribe', topic);
  const payloads = ['short', 'long '.repeat(2000), Array.from({ length: 500 }, (_, i) => ({ i }))];
  const before = one.socket._socket.bytesRead;
  for (const payload of payloads) await three.ok('publish', topic, payload);
  for (const client of [one, two, three]) {
    assert.deepEqual((await client.events(3)).map(({ payload }) => payload), payloads);
  }
  assert.ok(one.socket._socket.bytesRead - before < 8000, 'far fewer bytes on the wire');
  assert.deepEqual(await one.ok('request', 'callboard.echo', payloads[2]), payloads[2]);
});

test('without --compression nothing is compressed', async () => {
  const one = await connectTo(plain, deflate);
  assert.equal(one.socket.extensions, '');
  assert.equal(await one.ok('request', 'callboard.echo', 1), 1);
});

test('a compressed frame without the extension closes with 1002', async () => {
  const one = await connectTo(plain);
  one.socket._socket.write(Buffer.from('c28100000000c0', 'hex'));
  assert.equal((await within(one.closed, 'the close')).code, 1002);
});

test('a bomb is cut at frameBytesMax', async () => {
  // Made first: who is busy with it answers no pings.
  const bomb = frame('request', 1, 'callboard.echo', 'x'.repeat(32 * 1024 * 1024));
  const one = await connect(deflate);
  one.socket.send(bomb);
  assert.equal((await within(one.closed, 'the close')).code, 1009);
});

test('broken deflate data is refused', async () => {
  const one = await connect(deflate);
  const data = Buffer.from('ffffffffffff', 'hex');
  one.socket._socket.write(Buffer.concat([Buffer.from([0xc2, 0x80 | data.length, 0, 0, 0, 0]), data]));
  const { code } = await within(one.closed, 'the close');
  assert.ok([1002, 1007].includes(code), `${code}`);
});

/// Returns a masked, compressed frame as another library might cut it.
function compressedFrame(opcode, data, end) {
  return Buffer.concat([Buffer.from([opcode | (end ? 0x80 : 0), 0x80 | data.length, 0, 0, 0, 0]), data]);
}

test('a compressed message may come in fragments', async () => {
  const one = await echo(deflate);
  const whole = zlib.deflateRawSync(Buffer.from('some text, some text'), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  const data = whole.subarray(0, whole.length - 4);
  const echoed = message(one);
  one.socket._socket.write(Buffer.concat([
    compressedFrame(0x41, data.subarray(0, 3), false),
    compressedFrame(0x00, data.subarray(3), true)]));
  assert.equal(String((await echoed).data), 'some text, some text');
});

test('--echo sends messages back as they are', async () => {
  for (const options of [{}, deflate]) {
    const one = await echo(options);
    for (const [sent, binary] of [['text', false], ['', false], ['ünï', false],
      [Buffer.from([0, 255]), true], [Buffer.alloc(0), true], [Buffer.alloc(65536, 5), true]]) {
      const echoed = message(one);
      one.socket.send(sent);
      const got = await echoed;
      assert.equal(got.binary, binary);
      assert.deepEqual(Buffer.from(got.data), Buffer.from(sent));
    }
    const echoed = message(one);
    one.socket.send('two ', { fin: false });
    one.socket.send('halves', { fin: true });
    assert.equal(String((await echoed).data), 'two halves');
  }
});

test('--echo keeps the order of many', async () => {
  const one = await echo();
  const got = [];
  one.socket.on('message', (data) => got.push(Number(data)));
  for (let i = 0; i < 2000; ++i) one.socket.send(String(i));
  await until(() => got.length === 2000, 'all of them');
  assert.deepEqual(got, got.map((_, i) => i));
});

test('text that is no UTF-8 closes the echo with 1007', async () => {
  const one = await echo();
  one.socket._socket.write(Buffer.from('818200000000c328', 'hex'));
  assert.equal((await within(one.closed, 'the close')).code, 1007);
});

test('without --echo the path is not there', async () => {
  await assert.rejects(connectTo(plain, { path: '/echo', protocol: [] }), /404/);
});

test('a slow reader is closed with 4002, others get everything', async () => {
  const [slow, quick, writer] = await Promise.all(
    Array.from({ length: 3 }, () => connectTo(plain)));
  const topic = freshTopic();
  await slow.ok('subscribe', topic);
  await quick.ok('subscribe', topic);
  slow.socket.pause();
  const payload = Buffer.alloc(60000, 7);
  const count = 400; // 24 MB: more than both kernel buffers and the outbox
  const offsets = [];
  for (let i = 0; i < count; i += 8) {
    await Promise.all(Array.from({ length: 8 }, () => writer.ok('publish', topic, payload)));
    // The writer waits for the quick reader: how fast that is, is no matter here.
    offsets.push(...(await quick.events(8)).map(({ meta }) => meta.offset));
  }
  slow.socket.resume();
  assert.equal((await within(slow.closed, 'the close')).code, 4002);
  assert.equal(offsets.length, count);
  assert.deepEqual(offsets, offsets.map((_, i) => i + 1));
  assert.equal(await quick.ok('request', 'callboard.echo', 1), 1);
  const kept = slow.frames.map(({ meta }) => meta.offset);
  assert.deepEqual(kept, kept.map((_, i) => i + 1), 'no gap before the close');
});
