// Giving up root. As root, each test sees it given up; as anybody else, that it
// cannot be. Which of the two is tested is printed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, test } from 'node:test';
import { makeCa, makeCertificate } from './support/certificates.mjs';
import { connect, endAll } from './support/client.mjs';
import { run, startServer, until } from './support/server.mjs';

const isRoot = process.getuid() === 0;
console.log(`runs as ${isRoot ? 'root: it is given up' : 'a user: there is nothing to give up'}`);

// Others than root have to get through to what is in it.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callboard-privileges-'));
fs.chmodSync(folder, 0o755);
after(() => fs.rmSync(folder, { recursive: true }));
afterEach(endAll);

const config = path.join(folder, 'callboard.conf');
fs.writeFileSync(config, '[topic disk/#]\ndurability = disk\nhistory-size = 10\n');

const idOf = (...words) => Number(execFileSync('id', words, { encoding: 'utf8' }));
const groupOf = (name) => Number(execFileSync('getent', ['group', name], { encoding: 'utf8' })
  .split(':')[2]);

/// Returns what /proc says of each thread: {Uid: '0\t0\t0\t0', …}.
function threads(pid) {
  return fs.readdirSync(`/proc/${pid}/task`).map((thread) => Object.fromEntries(
    fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8').split('\n')
      .filter(Boolean).map((line) => line.split(/:\s*/, 2).map((part) => part.trim()))));
}

/// Fails unless every thread of the server is this user, and can be no other.
function expectOnly(server, user, group, groups) {
  const all = threads(server.child.pid);
  assert.ok(all.length > 2, 'loops, the scheduler and the log have threads');
  for (const thread of all) {
    const of4 = (id) => Array(4).fill(id).join('\t');
    assert.equal(thread.Uid, of4(user), thread.Name);
    assert.equal(thread.Gid, of4(group), thread.Name);
    assert.deepEqual(thread.Groups.split(/\s+/).map(Number).sort(), [...groups].sort(), thread.Name);
    assert.equal(thread.NoNewPrivs, '1', thread.Name);
    for (const kind of ['CapPrm', 'CapEff', 'CapAmb']) {
      assert.match(thread[kind], /^0+$/, `${thread.Name}: ${kind}`);
    }
  }
}

/// Fails unless the program refuses to start with one sentence that fits.
async function expectRefused(words, code, pattern) {
  const result = await run(['serve', '--listen', '127.0.0.1:0', ...words]);
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, pattern);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr);
}

/// Ends a server, which has to end well.
async function stopWell(server) {
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
}

/// Returns a port below 1024 that nobody uses, or 0 if there is none to find.
async function privilegedPort() {
  for (let port = 1023; port > 900; --port) {
    const probe = net.createServer();
    const free = await new Promise((resolve) => {
      probe.on('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
  return 0;
}

test('a user is a name, or a name and a group', async () => {
  for (const text of [':', 'a:b:c', ':nogroup', 'nobody:']) {
    await expectRefused(['--user', text], 2, /neither the NAME of a user nor NAME:GROUP/);
  }
});

test('who is not there is named, and only root may ask', async () => {
  await expectRefused(['--user', 'no-such-user'], 1,
    isRoot ? /no user 'no-such-user'/ : /user needs root.*'no-such-user'/);
  await expectRefused(['--user', 'nobody:no-such-group'], 1,
    isRoot ? /no group 'no-such-group'/ : /user needs root.*'nobody'/);
  await expectRefused(['--user', 'root'], 1,
    isRoot ? /'root' is root itself/ : /user needs root.*'root'/);
});

test('one warning where root is kept, none elsewhere', async () => {
  const server = await startServer();
  await stopWell(server);
  assert.equal(server.log.match(/runs as root/g)?.length ?? 0, isRoot ? 1 : 0, server.log);
});

test('every thread becomes the user, and the server serves', async () => {
  if (!isRoot) return expectRefused(['--user', 'nobody'], 1, /user needs root/);
  const store = path.join(folder, 'made', 'store');
  const server = await startServer(['--user', 'nobody', '--config', config, '--store-dir', store]);
  const nobody = idOf('-u', 'nobody');
  const groups = execFileSync('id', ['-G', 'nobody'], { encoding: 'utf8' }).trim().split(' ').map(Number);
  expectOnly(server, nobody, idOf('-g', 'nobody'), groups);
  const one = await connect(server);
  await one.ok('subscribe', 'disk/a');
  assert.equal((await one.ok('publish', 'disk/a', 'kept')).offset, 1);
  assert.equal((await one.take('event')).payload, 'kept');
  // The folder is the user's, and those above it are not.
  assert.equal(fs.statSync(store).uid, nobody);
  assert.equal(fs.statSync(store).mode & 0o7, 0, 'for nobody else');
  assert.equal(fs.statSync(path.join(folder, 'made')).uid, 0);
  for (const file of fs.readdirSync(store)) {
    assert.equal(fs.statSync(path.join(store, file)).uid, nobody, file);
  }
  assert.doesNotMatch(server.log, /runs as root/);
  await stopWell(server);
});

test('a group can be named', async () => {
  if (!isRoot) return expectRefused(['--user', 'nobody:daemon'], 1, /user needs root/);
  const server = await startServer(['--user', 'nobody:daemon']);
  const daemon = groupOf('daemon');
  expectOnly(server, idOf('-u', 'nobody'), daemon, [daemon]);
  await stopWell(server);
});

test('the port is bound before', async () => {
  if (!isRoot) return expectRefused(['--user', 'nobody'], 1, /user needs root/);
  const port = await privilegedPort();
  assert.notEqual(port, 0, 'a free port below 1024');
  const server = await startServer(['--user', 'nobody'], { listen: `127.0.0.1:${port}` });
  assert.equal((await fetch(`${server.http}/health`)).status, 200);
  await stopWell(server);
});

test('keys are read before; that they cannot be read again is told', async () => {
  const key = path.join(folder, 'secret');
  fs.writeFileSync(key, 'x'.repeat(48), { mode: 0o600 });
  if (!isRoot) {
    return expectRefused(['--user', 'nobody', '--token-key', key], 1, /user needs root/);
  }
  const server = await startServer(['--user', 'nobody', '--token-key', key]);
  await stopWell(server);
  assert.match(server.log, /changes of a file cannot be read file="[^"]*secret" user=nobody/);
  fs.chownSync(key, idOf('-u', 'nobody'), 0);
  const other = await startServer(['--user', 'nobody', '--token-key', key]);
  await stopWell(other);
  assert.doesNotMatch(other.log, /cannot be read/);
});

test('what each connection between nodes needs has to be readable', async () => {
  const ca = makeCa('theirs');
  const { cert, key } = makeCertificate(ca, 'node');
  const words = ['--user', 'nobody', '--cluster-listen', '127.0.0.1:0', '--cluster-cert', cert,
    '--cluster-key', key, '--cluster-ca', ca.cert];
  await expectRefused(words, 1, isRoot ? /the user nobody cannot read .*node\.pem/ : /user needs root/);
});

test('a store that is somebody else\'s stays so, and is told', async () => {
  const store = path.join(folder, 'theirs');
  fs.mkdirSync(store, { mode: 0o755 });
  const words = ['--user', 'nobody', '--config', config, '--store-dir', store];
  if (!isRoot) return expectRefused(words, 1, /user needs root/);
  const server = await startServer(words);
  await server.logged(/store_down/);
  const { status } = await (await fetch(`${server.http}/ready`)).json();
  assert.equal(status, 'degraded');
  assert.equal(fs.statSync(store).uid, 0);
  assert.deepEqual(fs.readdirSync(store), []);
  await stopWell(server);
});
