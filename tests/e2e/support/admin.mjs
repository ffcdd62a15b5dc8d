// Asks a node's admin listener, on Node's own HTTP client.

import assert from 'node:assert/strict';
import http from 'node:http';
import { until, within } from './server.mjs';

/// Sets `node.admin`, where a server's admin listener is, by what its log says.
export async function findAdmin(node) {
  const url = /admin_listening url=(http:\S+\/)/;
  await until(() => url.test(node.log), 'the log\'s admin_listening');
  node.admin = new URL(node.log.match(url)[1]);
}

/// Asks and returns {status, headers, body}, the body as JSON where it is. Where
/// the node has an `adminKey`, it is shown.
export function ask(node, method, target,
  { body, headers = {}, shown = node.adminKey } = {}) {
  const bytes = body === undefined ? undefined
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const all = { ...headers };
  if (shown) all.Authorization = `Bearer ${shown}`;
  if (bytes) {
    all['Content-Type'] ??= 'application/json';
    all['Content-Length'] = bytes.length;
  }
  return within(new Promise((resolve, reject) => {
    const asked = http.request({
      host: node.admin.hostname, port: node.admin.port, method, path: target, headers: all, agent: false,
    }, (answer) => {
      let received = '';
      answer.setEncoding('utf8');
      answer.on('data', (data) => { received += data; });
      answer.on('end', () => {
        const json = /json/.test(answer.headers['content-type'] ?? '');
        resolve({ status: answer.statusCode, headers: answer.headers,
          body: json ? JSON.parse(received) : received });
      });
    });
    asked.on('error', reject);
    asked.end(bytes);
  }), `${method} ${target}`);
}

/// Asks and fails unless it is answered 200. Returns the body. On a busy machine
/// a list may not come in time: it is asked for again, five times at most.
export async function ok(node, method, target, options) {
  let answer = await ask(node, method, target, options);
  for (let i = 0; i < 5 && method === 'GET' && answer.status === 504; ++i) {
    answer = await ask(node, method, target, options);
  }
  assert.equal(answer.status, 200, `${method} ${target}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/// Asks and fails unless it is refused so.
export async function refused(node, status, error, method, target, options) {
  const answer = await ask(node, method, target, options);
  assert.deepEqual([answer.status, answer.body.error], [status, error], `${method} ${target}`);
  assert.ok(answer.body.message.length > 5);
  return answer;
}

/// Returns how many requests came to this, as `callboard_admin_requests_total` has it.
export async function metric(node, result, options) {
  const all = await ok(node, 'GET', '/metrics', options);
  const found = all.match(new RegExp(`callboard_admin_requests_total\\{result="${result}"\\} (\\d+)`));
  return Number(found[1]);
}

/// Returns all pages of a list.
export async function pages(node, target, list, limit) {
  const all = [];
  let next;
  do {
    const after = next === undefined ? '' : `&after=${encodeURIComponent(next)}`;
    const page = await ok(node, 'GET', `${target}limit=${limit}${after}`);
    assert.ok(page[list].length <= limit);
    all.push(page[list]);
    next = page.next;
  } while (next !== undefined);
  return all;
}
