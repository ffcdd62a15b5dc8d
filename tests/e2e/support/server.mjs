// Runs the program under test: a server of its own for each suite, on a port
// that the system chose, ended by its process id.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

/// The program: the first argument, or CALLBOARD_PROGRAM.
export const program = process.argv[2] ?? process.env.CALLBOARD_PROGRAM;
if (!program) {
  console.error('Which program? Set CALLBOARD_PROGRAM to build/<preset>/callboard.');
  process.exit(2);
}

/// Sanitizers make everything slower; CTest's presets raise this.
export const slowness = Number(process.env.CALLBOARD_TEST_SLOWNESS ?? 1);

/// How long anything is waited for, unless a test says otherwise.
export const patienceMs = 10000 * slowness;

/// Everything that still runs is ended and shown when a suite has failed.
const running = new Set();
const ended = [];
process.on('exit', (code) => {
  for (const server of running) server.child.kill('SIGKILL');
  if (code === 0) return;
  for (const server of [...ended, ...running]) {
    console.error(`\n--- ${server.title}, last lines of its log ---`);
    console.error(server.log.split('\n').slice(-60).join('\n'));
  }
});

/// Fails with `what` unless `promise` settles in time.
export async function within(promise, what, timeoutMs = patienceMs) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(
      `${what}: nothing within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// Waits until `condition()` is true; only for what nothing else announces.
export async function until(condition, what, timeoutMs = patienceMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(20);
  }
}

/// The environment without what would configure the server behind our back. Only
/// who asks for an admin listener has one, because many servers run at a time,
/// and nothing is shed on a slow machine but where that is tested.
function cleanEnvironment(extra) {
  const own = Object.entries(process.env).filter(([name]) =>
    !name.startsWith('CALLBOARD_'));
  return { CALLBOARD_ADMIN: 'none', CALLBOARD_LOAD_HIGH: '0', ...Object.fromEntries(own), ...extra };
}

/// One `callboard serve` process.
class Server {
  log = '';
  output = '';

  constructor(args, env, via) {
    const [first, ...words] = [...via, program, ...args];
    this.title = [first, ...words].join(' ');
    this.child = spawn(first, words, { env: cleanEnvironment(env) });
    running.add(this);
    this.child.stdout.on('data', (data) => {
      this.output += data;
      this.log += data;
    });
    this.child.stderr.on('data', (data) => { this.log += data; });
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      running.delete(this);
      ended.push(this);
      return { code, signal };
    });
  }

  async ready() {
    const gone = this.exited.then(({ code, signal }) => {
      throw new Error(`ended (${signal ?? code}) before it listened:\n${this.log}`);
    });
    const listening = until(() => /https?:\/\/[^\s"]+/.test(this.output),
      'the line with the address');
    await Promise.race([gone, listening]);
    gone.catch(() => {});
    this.http = this.output.match(/https?:\/\/[^\s"]+/)[0].replace(/\/*$/, '');
    this.port = Number(new URL(this.http).port);
    this.ws = `${this.http.replace('http', 'ws')}/ws`;
    return this;
  }

  /// Waits until a line of the log is like this. Lines come a little after what
  /// they tell of.
  async logged(line) {
    await until(() => line.test(this.log), `a line like ${line}`);
  }

  /// Ends it and returns {code, signal}.
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null) this.child.kill(signal);
    try {
      return await within(this.exited, `the end after ${signal}`, 15000 * slowness);
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    }
  }
}

/// Starts `callboard serve` with these words and waits until it listens. `via`
/// are words that run it somewhere else, see network.mjs.
export function startServer(args = [],
  { env = {}, listen = '127.0.0.1:0', via = [] } = {}) {
  const where = listen ? ['--listen', listen] : [];
  return new Server(['serve', ...where, ...args], env, via).ready();
}

/// Starts the program with any words and collects what it says.
export function start(args, { env = {}, input } = {}) {
  const child = spawn(program, args, { env: cleanEnvironment(env) });
  const result = { child, stdout: '', stderr: '', title: args.join(' '), log: '' };
  running.add(result);
  child.stdout.on('data', (data) => { result.stdout += data; });
  child.stderr.on('data', (data) => { result.stderr += data; });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input);
  result.exited = once(child, 'close').then(([code, signal]) => {
    running.delete(result);
    return { code, signal, stdout: result.stdout, stderr: result.stderr };
  });
  return result;
}

/// Runs the program to its end and returns {code, signal, stdout, stderr}.
export function run(args, options) {
  return within(start(args, options).exited, `callboard ${args.join(' ')}`);
}
