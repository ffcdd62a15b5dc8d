// Hosts of their own for nodes: network namespaces, with wires between them that
// can be cut, and a way for clients that stays. All of it is in a network of the
// test's own (`unshare --net`, see run.sh) and ends with it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { within } from './server.mjs';

/// CTest's name for it is SKIP_RETURN_CODE.
const skipped = 77;

const ip = (words) => execFileSync('ip', words.split(' '), { stdio: 'pipe' });

/// Returns why there can be no hosts here, if that is so.
function obstacle() {
  // A new network has nothing but a loopback, which is down.
  if (Object.keys(os.networkInterfaces()).length > 0) {
    return 'it takes a network of its own: unshare --net node …';
  }
  try {
    ip('link add probe type veth peer name eborp');
    ip('link del probe');
    ip('tuntap add probe mode tun');
    ip('link del probe');
    execFileSync('unshare', ['--net', 'true'], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return `no network can be made here: ${error.stderr || error.message}`;
  }
}

const problem = obstacle();
if (problem) {
  console.error(`SKIPPED, nothing was tested: ${problem}`);
  process.exit(skipped);
}

const children = [];
const endChildren = () => { for (const child of children.splice(0)) child.kill('SIGKILL'); };
after(endChildren);
process.on('exit', endChildren);

/// Starts what says a line when it is ready, and ends with its input.
async function helper(...command) {
  const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const gone = once(child, 'exit').then(() => { throw new Error(`${command[0]} has ended`); });
  gone.catch(() => {});
  const answer = () => within(Promise.race([once(child.stdout, 'data'), gone]), command[0]);
  await answer();
  return { child, answer };
}

/// Makes a host for each name. A host has `address`, for other nodes, `via`, the
/// words that run a program there, `clients`, where clients of the test come to,
/// and `link(isUp)`, which unplugs it from the other hosts and plugs it in.
/// Returns the hosts by name, and `wire(from, to, {loss, delayMs})`.
export async function makeNetwork(names) {
  ip('link set lo up');
  const wires = await helper('/usr/bin/python3',
    path.join(path.dirname(fileURLToPath(import.meta.url)), 'wires.py'), ...names);
  const hosts = {};
  for (const [i, name] of names.entries()) {
    const n = i + 1;
    const { child: { pid } } = await helper('unshare', '--net', 'sh', '-c', 'echo ready; exec cat');
    const via = ['nsenter', `--net=/proc/${pid}/ns/net`];
    const inside = (words) => execFileSync(via[0], [via[1], 'ip', ...words.split(' ')],
      { stdio: 'pipe' });
    ip(`link add test-${name} type veth peer name clients netns ${pid}`);
    ip(`addr add 10.80.${n}.1/24 dev test-${name}`);
    ip(`link set test-${name} up`);
    ip(`link set wire-${name} netns ${pid}`);
    inside('link set lo up');
    inside(`addr add 10.80.${n}.2/24 dev clients`);
    inside('link set clients up');
    inside(`addr add 10.90.0.${n}/24 dev wire-${name}`);
    inside(`link set wire-${name} up`);
    hosts[name] = {
      address: `10.90.0.${n}`, clients: `10.80.${n}.2`, via,
      link: (isUp) => inside(`link set wire-${name} ${isUp ? 'up' : 'down'}`),
    };
  }
  return {
    hosts,
    async wire(from, to, { loss = 0, delayMs = 0 } = {}) {
      wires.child.stdin.write(`${JSON.stringify({ from, to, loss, delayMs })}\n`);
      await wires.answer();
    },
  };
}
