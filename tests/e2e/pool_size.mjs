// `callboard pool-size`: how many connections a client pool needs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './support/server.mjs';

/// Returns what the command prints as JSON, and its exit code.
async function sized(...words) {
  const { code, stdout, stderr } = await run(['pool-size', '--json', ...words]);
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  return { code, stderr, ...JSON.parse(stdout) };
}

const near = (x, y, tolerance) => assert.ok(Math.abs(x - y) <= tolerance, `${x}, not ${y}`);

test('the size keeps to the utilisation, and one borrow more needs one more', async () => {
  const twenty = await sized('--rate', '1700', '--service-mean', '10ms');
  assert.deepEqual([twenty.code, twenty.size, twenty.too_small, twenty.cores_short],
    [0, 20, false, false]);
  near(twenty.utilisation, 0.85, 1e-6);
  near(twenty.erlangs, 17, 1e-6);
  assert.equal((await sized('--rate', '1701', '--service-mean', '10ms')).size, 21);
});

test('the 99th percentile is that of an exponential time', async () => {
  const { erlangs } = await sized('--rate', '100', '--service', '1s');
  near(erlangs, 100 / Math.log(100), 1e-6);
});

// The call centre of Mitan's page about Erlang C: 23.9 % wait, 8.2 s on average.
test('a published example', async () => {
  const words = ['--rate', '0.2', '--service-mean', '4m', '--min', '55', '--max', '55'];
  const x = await sized(...words, '--utilisation', '0.9');
  assert.deepEqual([x.code, x.size], [0, 55]);
  near(x.wait_share, 0.239, 0.0005);
  near(x.wait_mean_ms, 8200, 50);
});

test('a shorter wait needs more', async () => {
  const words = ['--rate', '1700', '--service-mean', '10ms'];
  const x = await sized(...words, '--wait', '1ms');
  assert.ok(x.size > 20 && x.wait_p99_ms <= 1, JSON.stringify(x));
  const less = await sized(...words, '--wait', '1ms', '--max', `${x.size - 1}`);
  assert.ok(less.wait_p99_ms > 1 && less.too_small, JSON.stringify(less));
});

test('what is out of reach is said, with exit code 1', async () => {
  const small = await sized('--rate', '1700', '--service-mean', '10ms', '--max', '19');
  assert.deepEqual([small.code, small.size, small.too_small], [1, 19, true]);
  assert.match(small.stderr, /--max/);
  const hopeless = await sized('--rate', '1700', '--service-mean', '10ms', '--max', '17');
  assert.deepEqual([hopeless.code, hopeless.wait_p99_ms, hopeless.wait_share], [1, null, 1]);
  const cores = await sized('--rate', '1701', '--service-mean', '10ms', '--cpu', '1ms',
    '--cores', '2');
  assert.deepEqual([cores.code, cores.size, cores.cores_short], [1, 20, true]);
  assert.match(cores.stderr, /cores/);
});

test('a summary for people', async () => {
  const { code, stdout } = await run(['pool-size', '--rate', '1700', '--service-mean', '10ms']);
  assert.equal(code, 0);
  assert.match(stdout, /^size +20 connections\n/);
  assert.match(stdout, /utilisation +0\.85\n/);
});

test('wrong words are a matter of usage: exit 2', async () => {
  const good = ['--rate', '1', '--service', '1s'];
  for (const [words, said] of [
    [[], /--rate/],
    [['--rate', '1'], /--service/],
    [['--rate', '-1', '--service', '1s'], /--rate/],
    [['--rate', '1', '--service', '1'], /--service/],
    [['--rate', '1', '--service', '0s'], /service time/],
    [[...good, '--service-mean', '1s'], /--service/],
    [[...good, '--utilisation', '1'], /--utilisation/],
    [[...good, '--max', '4097'], /--max/],
    [[...good, '--min', '0'], /--min/],
    [[...good, '--min', '3', '--max', '2'], /order/],
    [[...good, '--cores', '0'], /--cores/],
    [[...good, 'more'], /more/],
  ]) {
    const { code, stdout, stderr } = await run(['pool-size', ...words]);
    assert.deepEqual([code, stdout], [2, ''], `${words}: ${stderr}`);
    assert.match(stderr, said);
  }
});

test('--help says how it is used', async () => {
  const { code, stdout } = await run(['pool-size', '--help']);
  assert.equal(code, 0);
  for (const word of ['--rate', '--service', '--json', 'Erlang C']) {
    assert.ok(stdout.includes(word), word);
  }
});
