// How it stands with the connection, and what one can do about it.

import type { Client, StateChange } from 'callboard';
import { byId, setText } from './dom.js';

/** Where these end a connection, a token can be what is missing. */
const wantToken = new Set([4005, 4500, 4501]);

export class ConnectionView {
  readonly #pill = byId('state');
  readonly #pillText = byId('state-text');
  readonly #banner = byId('banner');
  readonly #why = byId('banner-why');
  readonly #when = byId('banner-when');
  readonly #retry = byId<HTMLButtonElement>('reconnect');
  readonly #login = byId('login');
  #retryAt = 0;
  #wasConnected = false;

  constructor(private readonly board: Client) {
    this.#retry.addEventListener('click', () => board.connect());
    board.on('state', (change) => this.#changed(change));
    board.on('welcome', ({ node, connection }) => {
      this.#wasConnected = true;
      this.#login.hidden = true;
      setText(byId('node'), node);
      setText(byId('me'), connection);
    });
    setInterval(() => this.#countDown(), 250);
  }

  get #waits(): boolean {
    return this.board.state === 'retry_pending';
  }

  #changed({ state, retryInMs = 0, closeCode = 0, error }: StateChange): void {
    this.#pill.dataset.state = state;
    this.#retryAt = performance.now() + retryInMs;
    const gone = state === 'retry_pending' || state === 'disconnected';
    this.#retry.hidden = !gone;
    if (state === 'connected') this.#banner.hidden = true;
    else if (gone) this.#explain(state, error?.message);
    setText(this.#pillText, this.#word(state));
    if (wantToken.has(closeCode)) this.#login.hidden = false;
    this.#countDown();
  }

  #word(state: string): string {
    if (state === 'connected') return 'Connected';
    if (state === 'disconnected') return 'Closed';
    return this.#wasConnected ? 'Reconnecting' : 'Connecting';
  }

  #explain(state: string, why?: string): void {
    this.#banner.hidden = false;
    const lost = this.#wasConnected ? 'The connection is lost.' : 'The server cannot be reached.';
    setText(this.#why, state === 'disconnected'
      ? `The connection is closed. ${why ?? ''}`
      : `${lost} What you write is sent when it is back.`);
  }

  /** Apart from what is read aloud, which must not change every second. */
  #countDown(): void {
    if (!this.#waits) {
      setText(this.#when, this.board.state === 'connecting' ? 'Trying now…' : '');
      return;
    }
    const seconds = Math.ceil((this.#retryAt - performance.now()) / 1000);
    setText(this.#when, seconds === Infinity ? 'Waiting for the network'
      : seconds > 0 ? `Next try in ${seconds} s` : 'Trying now…');
  }
}
