// A server's metrics, each asked for on a connection of its own.

import http from 'node:http';
import { within } from './server.mjs';

/// Returns the text of `/metrics`.
function metricsText(server) {
  return within(new Promise((resolve, reject) => {
    http.get(`${server.http}/metrics`, { agent: false }, (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; });
      answer.on('end', () => resolve(text));
    }).on('error', reject);
  }), 'the metrics');
}

/// Returns all metrics as {name: [{labels, value}]}; labels are an object.
export async function metrics(server) {
  const result = {};
  for (const line of (await metricsText(server)).split('\n')) {
    const found = line.match(/^(\w+)(?:\{(.*)\})? (\S+)/);
    if (!found) continue;
    const [, name, labels = '', value] = found;
    (result[name] ??= []).push({
      labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)]
        .map(([, key, text]) => [key, text])),
      value: Number(value),
    });
  }
  return result;
}

/// Returns the sum of a metric over all its labels. Fails if it is not there.
export function sum(all, name) {
  if (!all[name]) throw new Error(`there is no metric ${name}`);
  return all[name].reduce((total, { value }) => total + value, 0);
}

/// Returns what a counter of leaks says, as {kind: count}; kinds without any
/// are left out.
export function leaks(all, name = 'callboard_leaks_total') {
  if (!all[name]) throw new Error(`there is no metric ${name}`);
  return Object.fromEntries(all[name].filter(({ value }) => value > 0)
    .map(({ labels, value }) => [labels.kind, value]));
}
