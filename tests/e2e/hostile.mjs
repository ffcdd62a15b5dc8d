// Bytes that no good client sends: each gets its named error or close code,
// and the server serves on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '@msgpack/msgpack';
import { Client, expectError, frame, msgpack } from './support/client.mjs';
import { within } from './support/server.mjs';
import { freshTopic, suite } from './support/suite.mjs';

const shared = suite();
const { connect } = shared;

/// Returns bytes, given as hex with spaces.
const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/// Returns `depth` arrays in each other.
const nested = (depth) => Buffer.concat([Buffer.alloc(depth - 1, 0x91), hex('90')]);

/// Returns a frame whose payload is these bytes.
const around = (seqId, payload) =>
  frame('request', seqId, 'callboard.echo', payload, undefined, { rawPayload: true });

/// What is no frame, and the seqId that can be read all the same.
const malformed = [
  ['a byte that begins nothing', hex('c1'), 0],
  ['a number', hex('07'), 0],
  ['a map', hex('81 00 01'), 0],
  ['an empty array', hex('90'), 0],
  ['an array of four', Buffer.concat([hex('94 03 15'), encode(1), hex('a0')]), 0x15],
  ['a type that is a string', Buffer.concat([hex('95 a1 33 16'), encode(1), hex('a0 c0')]), 0x16],
  ['a negative seqId', Buffer.concat([hex('95 03 ff'), encode(1), hex('a0 c0')]), 0],
  ['a seqId of 33 bits', Buffer.concat([hex('95 03 cf 0000000100000000'), encode(1), hex('a0 c0')]), 0],
  ['a timestamp that is a string', hex('95 03 17 a1 31 a0 c0'), 0x17],
  ['a subject that is a number', Buffer.concat([hex('95 03 18'), encode(1), hex('05 c0')]), 0x18],
  ['a meta that is an array', Buffer.concat([hex('96 03 19'), encode(1), hex('a0 c0 90')]), 0x19],
  ['an end within the payload', Buffer.concat([hex('95 03 1a'), encode(1), hex('a0 a5 61')]), 0x1a],
  ['an end before the payload', Buffer.concat([hex('95 03 1b'), encode(1), hex('a0')]), 0x1b],
  ['a string longer than the message', Buffer.concat([hex('95 03 1c'), encode(1), hex('a0 db ffffffff')]), 0x1c],
  ['an array longer than the message', Buffer.concat([hex('95 03 1d'), encode(1), hex('a0 dd ffffffff')]), 0x1d],
  ['a payload nested 65 deep', around(0x1e, nested(65)), 0x1e],
];

test('what is no frame is answered malformed_frame with its seqId', async () => {
  const [one, two] = [await connect(), await connect()];
  for (const [i, [what, bytes, seqId]] of malformed.entries()) {
    const client = i % 2 ? one : two; // 16 a minute are forgiven
    client.socket.send(bytes);
    const answer = await client.take();
    assert.equal(answer.type, 'error', what);
    assert.equal(answer.seqId, seqId, what);
    expectError(answer, 100, 'malformed_frame');
    assert.equal(await client.ok('request', 'callboard.echo', what), what);
  }
});

test('a payload nested 64 deep is fine', async () => {
  const one = await connect();
  one.socket.send(around(77, nested(64)));
  let { payload } = await one.reply(77);
  let depth = 0;
  for (; payload; payload = payload[0]) ++depth;
  assert.equal(depth, 64);
});

test('what lies before a malformed frame stands, the rest is dropped', async () => {
  const one = await connect();
  one.socket.send(Buffer.concat([
    frame('request', 501, 'callboard.echo', 'before'),
    hex('c1'),
    frame('request', 502, 'callboard.echo', 'behind'),
  ]));
  assert.equal((await one.reply(501)).payload, 'before');
  expectError(await one.take('error'), 100, 'malformed_frame');
  assert.deepEqual(await one.settle(), []);
});

test('garbage behind a frame is malformed, the frame stands', async () => {
  const one = await connect();
  one.socket.send(Buffer.concat([frame('request', 5, 'callboard.echo', 1), hex('a5 61')]));
  assert.equal((await one.reply(5)).payload, 1);
  expectError(await one.take('error'), 100, 'malformed_frame');
});

test('the 17th malformed frame in a minute closes with 4502', async () => {
  const one = await connect();
  for (let i = 0; i < 16; ++i) {
    one.socket.send(hex('c1'));
    expectError(await one.take(), 100, 'malformed_frame');
  }
  assert.equal(await one.ok('request', 'callboard.echo', 'still here'), 'still here');
  one.socket.send(hex('c1'));
  assert.equal((await within(one.closed, 'the close')).code, 4502);
});

test('an unknown type is answered, and the frames behind it are read', async () => {
  const one = await connect();
  for (const [i, number] of [0, 20, 99, 255, 70000].entries()) {
    const seqId = 100 + i;
    one.socket.send(Buffer.concat([
      frame(number, seqId), frame('request', 200 + i, 'callboard.echo', number)]));
    expectError(await one.reply(seqId), 101, 'unknown_type');
    assert.equal((await one.reply(200 + i)).payload, number);
  }
});

test('what only the server says is unexpected', async () => {
  const one = await connect();
  const topic = freshTopic();
  for (const name of ['welcome', 'event', 'goaway', 'presence', 'position']) {
    await one.fails(106, 'unexpected_frame', name, topic);
  }
});

test('later versions may say more: extra elements and meta keys', async () => {
  const one = await connect();
  const more = Buffer.concat([hex('98 03 22'), encode(Date.now()),
    encode('callboard.echo'), encode('same'), hex('81 64 a1 78'), hex('c3'), hex('80')]);
  one.socket.send(more);
  assert.equal((await one.reply(0x22)).payload, 'same');
});

test('ping frames are answered with the same seqId and payload', async () => {
  const one = await connect();
  const seqId = one.send('ping', '', { any: 'value' });
  const pong = await one.reply(seqId);
  assert.deepEqual([pong.type, pong.payload], ['pong', { any: 'value' }]);
  one.send('pong', '', null);
  assert.deepEqual(await one.settle(), []);
});

/// Returns a request to callboard.echo whose frame has exactly `size` bytes.
function echoOf(size, seqId) {
  const overhead = around(seqId, hex('c5 0000')).length;
  const body = Buffer.alloc(size - overhead - (size - overhead > 0xffff ? 2 : 0), 7);
  const bytes = around(seqId, Buffer.from(encode(new Uint8Array(body))));
  assert.equal(bytes.length, size);
  return bytes;
}

test('a message of frameBytesMax is served, one byte more closes with 1009', async () => {
  const one = await connect();
  const { frameBytesMax } = one.welcome.payload;
  one.socket.send(echoOf(frameBytesMax, 9));
  assert.equal((await one.reply(9)).type, 'response');
  one.socket.send(echoOf(frameBytesMax + 1, 10));
  assert.equal((await within(one.closed, 'the close')).code, 1009);
  for (const left of one.frames) expectError(left, 102, 'frame_too_large');
});

test('fragments count together against frameBytesMax', async () => {
  const one = await connect();
  for (let i = 0; i < 5; ++i) {
    one.socket.send(Buffer.alloc(16384, 0xc0), { fin: false, binary: true });
  }
  assert.equal((await within(one.closed, 'the close')).code, 1009);
});

test('a fragmented message is one message', async () => {
  const one = await connect();
  const bytes = frame('request', 3, 'callboard.echo', 'in pieces');
  one.socket.send(bytes.subarray(0, 5), { fin: false });
  one.socket.ping('in between');
  one.socket.send(bytes.subarray(5, 9), { fin: false });
  one.socket.send(bytes.subarray(9), { fin: true });
  assert.equal((await one.reply(3)).payload, 'in pieces');
});

test('a text message closes a MessagePack connection with 1003', async () => {
  const one = await connect();
  one.socket.send('{"type":"ping","seqId":1}');
  assert.equal((await within(one.closed, 'the close')).code, 1003);
});

/// Sends raw bytes on an established WebSocket; returns the close code.
async function afterRaw(bytes) {
  const one = await connect();
  one.socket._socket.write(bytes);
  return (await within(one.closed, 'the close')).code;
}

test('frames that break RFC 6455 close with 1002', async () => {
  const broken = {
    'an unmasked frame': hex('82 01 c0'),
    'a reserved bit': hex('c2 81 00000000 c0'),
    'a reserved opcode': hex('83 80 00000000'),
    'a reserved control opcode': hex('8b 80 00000000'),
    'a continuation of nothing': hex('80 81 00000000 c0'),
    'a control frame in pieces': hex('09 80 00000000'),
    'a control frame of 126 bytes': Buffer.concat([hex('89 fe 007e 00000000'), Buffer.alloc(126)]),
    'a new message within another': hex('02 81 00000000 c0 82 81 00000000 c0'),
    'a close code that nobody may send': hex('88 82 00000000 03ed'),
    'a close frame of one byte': hex('88 81 00000000 03'),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    assert.equal(await afterRaw(bytes), 1002, what);
  }
});

test('a length of 2^63 and more is refused', async () => {
  const code = await afterRaw(hex('82 ff ffffffffffffffff 00000000'));
  assert.ok([1002, 1009].includes(code), `${code}`);
});

test('a close is answered with its own code', async () => {
  for (const code of [1000, 3000, 4999]) {
    const one = await connect();
    one.socket.close(code, 'bye');
    assert.equal((await within(one.closed, 'the close')).code, code);
  }
});

test('a connection cut in the middle of a frame does no harm', async () => {
  const one = await connect();
  one.socket._socket.write(hex('82 ff 0000000000001000 00000000 95 03'));
  one.end();
  const two = await connect();
  assert.equal(await two.ok('request', 'callboard.echo', 1), 1);
});

test('a subject that is not UTF-8 is refused', async () => {
  const one = await connect();
  one.socket.send(Buffer.concat([hex('95 0a 31'), encode(1), hex('a2 c3 28 c0')]));
  const answer = await one.reply(0x31);
  assert.equal(answer.type, 'error');
  assert.ok([100, 103].includes(answer.meta.code), `${answer.meta.code}`);
});

test('random bytes never end the server', async () => {
  let state = 0x2545f491;
  const random = () => { // xorshift, so that a failure can be had again
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 30; ++i) {
    const one = new Client(shared.server.ws, msgpack);
    await one.opened;
    for (let n = 0; n < 17; ++n) {
      const bytes = Buffer.from(Array.from({ length: 1 + random() % 60 }, () => random() & 0xff));
      if (random() % 2) bytes[0] = 0x95;
      if (random() % 2 && bytes.length > 1) bytes[1] = random() % 20;
      if (one.closeCode === undefined) one.socket.send(bytes);
    }
    one.socket.close();
    await within(one.closed, 'the close');
  }
  const one = await connect();
  assert.equal(await one.ok('request', 'callboard.echo', 1), 1);
});
