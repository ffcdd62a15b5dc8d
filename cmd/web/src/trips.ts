// The round trip of a request, measured now and then and shown as a line.

import type { Client } from 'callboard';
import { byId, setText } from './dom.js';

const tripsMax = 30;
const everyMs = 3000;
const timeout = 5000;
const [width, height] = [72, 20];

/** Returns milliseconds for people. */
export const inMs = (value: number): string =>
  `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

export class Trips {
  readonly #trips: number[] = [];
  readonly #button = byId<HTMLButtonElement>('measure');
  readonly #figure = byId('trip');
  readonly #median = byId('trip-median');
  readonly #line = document.getElementById('trip-line');
  #busy = false;

  constructor(private readonly board: Client) {
    this.#button.addEventListener('click', () => void this.measure());
    setInterval(() => {
      if (document.visibilityState === 'visible') void this.measure();
    }, everyMs);
  }

  /** Asks the server to echo something, and shows how long it took. */
  async measure(): Promise<void> {
    if (this.#busy || this.board.state !== 'connected') return;
    this.#busy = true;
    const start = performance.now();
    try {
      await this.board.request('callboard.echo', start, { timeout });
      this.#show(performance.now() - start);
    } catch { // no answer is no measurement
      setText(this.#figure, '–');
    } finally {
      this.#busy = false;
    }
  }

  #show(trip: number): void {
    this.#trips.push(trip);
    if (this.#trips.length > tripsMax) this.#trips.shift();
    const sorted = [...this.#trips].sort((a, b) => a - b);
    setText(this.#figure, inMs(trip));
    setText(this.#median, `median ${inMs(sorted[sorted.length >> 1] ?? trip)}`);
    this.#line?.setAttribute('points', this.#points());
  }

  /** The latest on the right. */
  #points(): string {
    const top = Math.max(...this.#trips, 1);
    const step = width / (tripsMax - 1);
    const first = width - (this.#trips.length - 1) * step;
    return this.#trips.map((trip, i) =>
      `${(first + i * step).toFixed(1)},${(height - 1 - trip / top * (height - 2)).toFixed(1)}`)
      .join(' ');
  }
}
