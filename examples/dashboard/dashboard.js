// Shows what the producer publishes: a number and its last minute, each.

import { connect } from '/callboard.js';

const names = { load: 'Load', memory: 'Memory in use', lag: 'Delay of the event loop' };
const pointsMax = 120;

const server = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8080/ws';
const board = connect(server, { client: 'dashboard' });

const texts = {
  connecting: () => 'Connecting …',
  connected: () => 'Live',
  retry_pending: ({ retryInMs }) => (retryInMs === Infinity ? 'There is no network.'
    : `The connection is lost; next try in ${Math.ceil(retryInMs / 1000)} s.`),
  disconnected: ({ error }) => `Ended: ${error?.message ?? 'closed'}`,
};
board.on('state', (change) => {
  document.querySelector('#state').textContent = texts[change.state](change);
  document.body.classList.toggle('away', change.state !== 'connected');
});

/// Adds a tile, and returns what draws into it.
function tile(title) {
  const article = document.createElement('article');
  article.innerHTML = '<h2></h2><output>–</output>'
    + '<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true"><polyline/></svg>';
  article.querySelector('h2').textContent = title;
  document.querySelector('main').append(article);
  const points = [];
  return ({ value, unit }) => {
    points.push(value);
    if (points.length > pointsMax) points.shift();
    const top = Math.max(...points, 1e-9);
    article.querySelector('output').textContent = `${value.toFixed(1)} ${unit}`;
    article.querySelector('polyline').setAttribute('points',
      points.map((y, i) => `${i / (pointsMax - 1)},${1 - 0.95 * (y / top)}`).join(' '));
  };
}

for (const [name, title] of Object.entries(names)) {
  const draw = tile(title);
  const subscription = board.subscribe(`dashboard/${name}`);
  subscription.on('event', ({ payload }) => draw(payload));
  subscription.on('error', ({ message }) => {
    document.querySelector('#state').textContent = `${title}: ${message}`;
  });
}
