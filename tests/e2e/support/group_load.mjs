// A group whose workers are killed one after the other while it is published
// to. By itself, with the program's path, it runs for a minute:
//
//   node support/group_load.mjs PROGRAM [SECONDS [RATE]]

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { connect } from './client.mjs';
import { patienceMs, startServer, sleep, until, within } from './server.mjs';

const script = fileURLToPath(new URL('group_worker.mjs', import.meta.url));

/// What the workers of a group have written.
class Workers {
  seen = new Map();
  again = 0;
  children = [];
  running = [];
  troubles = '';

  constructor(server, topic, group) {
    this.words = [server.ws, topic, group];
  }

  /// Starts one, and waits until it is a member.
  async start() {
    // The first word stands where a suite has the program.
    const child = spawn(process.execPath, [script, 'worker', ...this.words]);
    let rest = '';
    const ready = new Promise((resolve) => {
      child.stdout.on('data', (data) => {
        const lines = (rest + data).split('\n');
        rest = lines.pop();
        for (const line of lines) {
          if (line === 'ready') resolve();
          else this.#take(line);
        }
      });
    });
    child.stderr.on('data', (data) => { this.troubles += data; });
    this.children.push(child);
    await within(ready, 'a worker', 4 * patienceMs);
    this.running.push(child);
  }

  #take(line) {
    const [number, attempt] = line.split(' ').map(Number);
    this.seen.set(number, (this.seen.get(number) ?? 0) + 1);
    if (attempt > 1) ++this.again;
  }

  /// Kills the one that runs for longest.
  kill() {
    this.running.shift().kill('SIGKILL');
  }

  end() {
    for (const child of this.children) child.kill('SIGKILL');
  }
}

/// Returns the sum of a metric over the loops.
export async function metric(server, name) {
  const text = await (await fetch(`${server.http}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`there is no metric ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

const counted = ['deliveries', 'redeliveries', 'confirmations', 'timeouts', 'dead_letters', 'lost'];

/// Returns the counters of all groups.
async function counters(server) {
  const result = {};
  for (const name of counted) result[name] = await metric(server, `callboard_group_${name}_total`);
  return result;
}

/// Publishes `rate` events a second for `seconds`, to a group of `workers` of
/// which one is killed, and another one started, every `killEveryMs`.
/// Returns what was counted.
export async function loadGroup(server, topic, { seconds, rate, killEveryMs, workers }) {
  const group = new Workers(server, topic, 'workers');
  try {
    const before = await counters(server);
    await Promise.all(Array.from({ length: workers }, () => group.start()));
    const publisher = await connect(server);
    const begin = performance.now();
    let published = 0;
    let accepted = 0;
    let kills = 0;
    const ended = () => performance.now() - begin >= seconds * 1000;
    const publishing = (async () => {
      while (!ended()) {
        const due = Math.floor((performance.now() - begin) / 1000 * rate);
        const answers = [];
        for (; published < due; ++published) answers.push(publisher.ok('publish', topic, published));
        await Promise.all(answers);
        accepted += answers.length;
        await sleep(5);
      }
    })();
    const killing = (async () => {
      const starting = [];
      for (let next = killEveryMs; ; next += killEveryMs) {
        await sleep(begin + next - performance.now());
        if (ended()) break;
        // The group may well have no member for a while.
        if (group.running.length > 0) {
          group.kill();
          ++kills;
          starting.push(group.start());
        }
      }
      await Promise.all(starting);
    })();
    await Promise.all([publishing, killing]);
    const took = (performance.now() - begin) / 1000;
    await until(async () => (await counters(server)).confirmations - before.confirmations >= accepted,
      'the end of the work', 60000).catch(() => {});
    await until(() => group.seen.size >= accepted, 'what the last workers wrote').catch(() => {});
    const after = await counters(server);
    const counts = Object.fromEntries(counted.map((name) => [name, after[name] - before[name]]));
    let missing = 0;
    for (let i = 0; i < accepted; ++i) if (!group.seen.has(i)) ++missing;
    return {
      seconds: took, accepted, kills, missing, handled: group.seen.size,
      twice: [...group.seen.values()].filter((n) => n > 1).length,
      redelivered: group.again, troubles: group.troubles, ...counts,
    };
  } finally {
    group.end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seconds = 60, rate = 2000] = process.argv.slice(3).map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'callboard-load-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'callboard.conf'), '[topic work]\nhistory-size = 100000\n');
  const server = await startServer(['--inflight-max', '60000', '--config', join(folder, 'callboard.conf')]);
  console.log(await loadGroup(server, 'work', { seconds, rate, killEveryMs: 1000, workers: 4 }));
  await server.stop();
  process.exit(0);
}
