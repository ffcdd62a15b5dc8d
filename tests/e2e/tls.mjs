// TLS: what is spoken, who is let in by a certificate, slow and broken peers.

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { messages, openTab, say, startBrowser } from './support/browser.mjs';
import { makeCa, makeCertificate, writeFile } from './support/certificates.mjs';
import { run, startServer, until, within } from './support/server.mjs';
import { freshTopic, serveAll } from './support/suite.mjs';
import { bearer, makeKey, sign, writeJwks } from './support/tokens.mjs';

const { connect, server, usual } = serveAll();
const ca = makeCa('callboard tests');
const other = makeCa('somebody else');
const own = makeCertificate(ca, 'server');
const ann = makeCertificate(ca, 'ann');
const eve = makeCertificate(other, 'eve');

const words = ['--tls-cert', own.cert, '--tls-key', own.key];
const withClients = [...words, '--tls-client-ca', ca.cert];
const trusting = { ca: ca.read().cert };

/// Shakes hands, and returns the socket.
async function shake(node, options = {}) {
  const socket = tls.connect({ port: node.port, host: '127.0.0.1', ...trusting, ...options });
  await within(new Promise((resolve, reject) => {
    socket.on('secureConnect', resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
  }), 'a handshake');
  return socket;
}

/// Sends a request and returns all that comes until the end.
async function ask(node, path, options) {
  const socket = await shake(node, options);
  let text = '';
  socket.on('data', (data) => { text += data; });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await within(new Promise((resolve, reject) => {
    socket.on('end', resolve);
    socket.on('error', reject);
  }), 'the end of the answer');
  return text;
}

async function metric(node, name) {
  const found = (await ask(node, '/metrics')).match(new RegExp(`^${name} (\\d+)`, 'm'));
  return found ? Number(found[1]) : 0;
}

// -- what is spoken -----------------------------------------------------------

test('pages and WebSockets go over TLS, and the address says so', async () => {
  const node = await usual(words);
  assert.match(node.http, /^https:/);
  assert.match(await ask(node, '/health'), /^HTTP\/1.1 200 /);
  const page = await ask(node, '/');
  const length = Number(page.match(/Content-Length: (\d+)/i)[1]);
  assert.equal(Buffer.byteLength(page.slice(page.indexOf('\r\n\r\n') + 4)), length);
  const [one, two] = [await connect(node, trusting), await connect(node, trusting)];
  const topic = freshTopic();
  await one.ok('subscribe', topic);
  await two.ok('publish', topic, 'hello');
  assert.equal((await one.take('event')).payload, 'hello');
});

test('TLS 1.2 and 1.3, with ciphers that keep what was said', async () => {
  const node = await usual(words);
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await shake(node, { minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    assert.match(socket.getCipher().name, version === 'TLSv1.2'
      ? /^ECDHE-.*(GCM|CHACHA20)/ : /^TLS_/);
    socket.destroy();
  }
  const weak = { ciphers: 'DEFAULT@SECLEVEL=0' };
  await assert.rejects(shake(node, { ...weak, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
  await assert.rejects(shake(node, {
    maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA' }));
});

test('HTTP/1.1 is chosen by name; who offers only something else is told', async () => {
  const node = await usual(words);
  const socket = await shake(node, { ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
  await assert.rejects(shake(node, { ALPNProtocols: ['h2'] }), /ALPN|alert/i);
});

test('a session can be resumed', async () => {
  const node = await usual(words);
  const first = await shake(node);
  const session = new Promise((resolve) => { first.on('session', resolve); });
  first.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const ticket = await within(session, 'a ticket');
  const second = await shake(node, { session: ticket });
  assert.equal(second.isSessionReused(), true);
  first.destroy();
  second.destroy();
});

test('a request in single bytes, and a frame behind the upgrade', async () => {
  const node = await usual(words);
  const socket = await shake(node);
  socket.setNoDelay(true);
  let text = '';
  socket.on('data', (data) => { text += data.toString('latin1'); });
  for (const letter of 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n') socket.write(letter);
  await until(() => text.includes('"ok"'), 'the answer');
  text = '';
  socket.write(Buffer.concat([Buffer.from(['GET /ws HTTP/1.1', 'Host: localhost',
    'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: callboard.v1.json',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '\r\n'].join('\r\n')),
  Buffer.from('898000000000', 'hex')])); // an empty ping
  await until(() => text.includes('\x8a\x00'), 'the pong');
  socket.destroy();
});

test('plain HTTP is not understood, and others are served on', async () => {
  const node = await usual([...words, '--log-level', 'debug']);
  const before = await metric(node, 'callboard_tls_failures_total');
  for (const bytes of ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', '\x16\x03\x01\xff\xffgarbage', '\0']) {
    const socket = net.connect(node.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.end(Buffer.from(bytes, 'latin1'));
    socket.resume();
    await within(new Promise((resolve) => { socket.on('close', resolve); }), 'the end');
  }
  assert.equal(await metric(node, 'callboard_tls_failures_total'), before + 2);
  await node.logged(/tls_failed address=127\.0\.0\.1 reason="/);
});

test('a peer that stalls in the handshake is cut at the deadline', async () => {
  const node = await server([...words, '--request-timeout', '500ms']);
  const hello = await new Promise((resolve) => { // a client hello of somebody else's
    const trap = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => { socket.destroy(); trap.close(); resolve(data); });
    }).listen(0, '127.0.0.1', () => {
      tls.connect({ port: trap.address().port, host: '127.0.0.1' }).on('error', () => {});
    });
  });
  for (const bytes of [Buffer.alloc(0), hello.subarray(0, 40), hello]) {
    const socket = net.connect(node.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    socket.resume();
    await within(new Promise((resolve) => { socket.on('close', resolve); }), 'the end');
  }
  assert.equal(await metric(node, 'callboard_tls_failures_total'), 3);
});

test('the rate of handshakes is that of TLS, and nobody is let in by another way', async () => {
  const node = await server([...words, '--address-handshakes-rate', '1',
    '--address-handshakes-burst', '3']);
  await connect(node, trusting);
  await ask(node, '/health');
  await ask(node, '/health');
  await assert.rejects(shake(node));
});

test('a slow reader is closed with 4002 over TLS, others get every byte', async () => {
  const node = await usual(words);
  const [slow, quick, writer] = await Promise.all(
    Array.from({ length: 3 }, () => connect(node, trusting)));
  const topic = freshTopic();
  await slow.ok('subscribe', topic);
  await quick.ok('subscribe', topic);
  slow.socket.pause();
  const payload = Buffer.alloc(60000, 7);
  const count = 400;
  for (let i = 0; i < count; i += 8) {
    await Promise.all(Array.from({ length: 8 }, () => writer.ok('publish', topic, payload)));
    for (const event of await quick.events(8)) assert.deepEqual(Buffer.from(event.payload), payload);
  }
  slow.socket.resume();
  assert.equal((await within(slow.closed, 'the close')).code, 4002);
  assert.equal(await quick.ok('request', 'callboard.echo', 1), 1);
});

test('two tabs of Chromium chat over https', async () => {
  const node = await usual(words);
  const browser = await startBrowser({ ignoreHTTPSErrors: true });
  try {
    const ann = await openTab(browser, node, 'ann');
    const bob = await openTab(browser, node, 'bob');
    await say(ann, 'over TLS');
    assert.match(JSON.stringify(await messages(bob, 1)), /over TLS/);
  } finally {
    await browser.close();
  }
});

// -- certificates of clients ---------------------------------------------------

test('a certificate names the user, whom no token is asked of', async () => {
  const key = await makeKey('ES256', 'k');
  const node = await server([...withClients, '--tls-client-user', '--token-jwks',
    writeJwks('tls-jwks.json', [key])]);
  const known = await connect(node, { ...trusting, ...ann.read() });
  assert.equal(known.welcome.payload.user, 'ann');
  const byToken = await connect(node, { ...trusting, ...bearer(await sign(key, 'bob')) });
  assert.equal(byToken.welcome.payload.user, 'bob');
  const both = await connect(node,
    { ...trusting, ...ann.read(), ...bearer(await sign(key, 'bob')) });
  assert.equal(both.welcome.payload.user, 'bob', 'a token counts for more');
});

test('without --tls-client-user a certificate lets in and names nobody', async () => {
  const node = await usual(withClients);
  const one = await connect(node, { ...trusting, ...ann.read() });
  assert.equal(one.welcome.payload.user ?? '', '');
  await connect(node, trusting);
});

test('a certificate of strangers is refused, as is none where one must be', async () => {
  for (const more of [[], ['--tls-client-required']]) {
    const node = await server([...withClients, ...more]);
    await assert.rejects(connect(node, { ...trusting, ...eve.read() }));
    await connect(node, { ...trusting, ...ann.read() });
    if (more.length > 0) await assert.rejects(connect(node, trusting));
  }
});

// -- files --------------------------------------------------------------------

test('SIGHUP takes new certificates and drops nobody; bad ones are refused', async () => {
  const files = { cert: writeFile('live.pem', ''), key: writeFile('live.key', '') };
  const install = (from) => {
    copyFileSync(from.cert, files.cert);
    copyFileSync(from.key, files.key);
  };
  install(own);
  const node = await server(['--tls-cert', files.cert, '--tls-key', files.key]);
  const before = await connect(node, trusting);
  const shown = async () => {
    const socket = await shake(node);
    const name = socket.getPeerCertificate().subject.CN;
    socket.destroy();
    return name;
  };
  assert.equal(await shown(), 'server');
  install(makeCertificate(ca, 'second'));
  node.child.kill('SIGHUP');
  await until(async () => await shown() === 'second', 'the new certificate');
  writeFile('live.key', 'no key');
  node.child.kill('SIGHUP');
  await node.logged(/live\.key/);
  assert.equal(await shown(), 'second');
  await connect(node, trusting);
  assert.equal(await before.ok('request', 'callboard.echo', 1), 1);
});

test('files that are of no use are named at the start', async () => {
  const junk = writeFile('junk.pem', 'no PEM');
  for (const [given, expected] of [
    [['--tls-cert', own.cert, '--tls-key', '/no/such.key'], /such\.key/],
    [['--tls-cert', junk, '--tls-key', own.key], /junk\.pem/],
    [['--tls-cert', own.cert, '--tls-key', ann.key], /not that of the certificate/],
    [[...words, '--tls-client-ca', junk], /junk\.pem/],
  ]) {
    const { code, stderr } = await run(['serve', '--listen', '127.0.0.1:0', ...given]);
    assert.equal(code, 1, given.join(' '));
    assert.match(stderr, expected);
  }
  for (const [given, expected] of [
    [['--tls-cert', own.cert], /tls-cert and tls-key/],
    [['--tls-client-ca', ca.cert], /tls-client-ca/],
    [[...words, '--tls-client-user'], /tls-client-user/],
  ]) {
    const { code, stderr } = await run(['serve', '--listen', '127.0.0.1:0', ...given]);
    assert.equal(code, 2, given.join(' '));
    assert.match(stderr, expected);
  }
});

// -- the program as a client ----------------------------------------------------

test('the program is a client of it, and trusts nobody without being told', async () => {
  const node = await usual(withClients);
  const trusted = await run(['request', node.http, 'callboard.echo', '42', '--tls-ca', ca.cert]);
  assert.deepEqual([trusted.code, trusted.stdout.trim()], [0, '42'], trusted.stderr);
  const untrusted = await run(['request', node.http, 'callboard.echo', '42']);
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /TLS handshake.*certificate verify failed/i);
  const wrongName = await run(['request', `https://127.0.0.2:${node.port}/`,
    'callboard.echo', '42', '--tls-ca', ca.cert]);
  assert.equal(wrongName.code, 1);
  const bad = await run(['request', node.http, 'callboard.echo', '1', '--tls-ca', '/no/such.pem']);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /such\.pem/);
  const strict = await startServer([...withClients, '--tls-client-required']);
  const shown = await run(['request', strict.http, 'callboard.echo', '7', '--tls-ca', ca.cert,
    '--tls-cert', ann.cert, '--tls-key', ann.key]);
  assert.deepEqual([shown.code, shown.stdout.trim()], [0, '7'], shown.stderr);
  assert.equal((await strict.stop()).code, 0);
});
