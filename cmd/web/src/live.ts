// What is said beside a room, on a topic that keeps nothing: who is called
// what, and who is typing. Nobody waits for it, and losing some does no harm.

import type { Client, Event, Subscription } from 'callboard';
import { textOf } from './message.js';
import { nameChars } from './names.js';
import { type Names, Typing, typingMs } from './people.js';

/** Who asks for names gets them from at most so many. */
const answersMax = 50;
const answerWithinMs = 1000;

type Kind = 'hello' | 'name' | 'typing' | 'still';

/** The live topic of one room. */
export class Live {
  readonly typing = new Typing();
  readonly #subscription: Subscription;
  #answerTimer = 0;
  #pruneTimer = 0;
  #saidTypingAt = -Infinity;

  /**
   * @param myName returns what this person is called now
   * @param people returns how many are in the room, as far as that is known
   * @param changed is called when names or typing have changed
   */
  constructor(
    private readonly board: Client,
    private readonly topic: string,
    private readonly names: Names,
    private readonly myName: () => string,
    private readonly people: () => number,
    private readonly changed: () => void,
  ) {
    this.#subscription = board.subscribe(topic, { overflow: 'drop_oldest' });
    this.#subscription.on('event', (event) => this.#heard(event));
    this.#subscription.on('subscribed', () => this.#send('hello'));
  }

  get ended(): boolean {
    return this.#subscription.state === 'ended';
  }

  /** Tells the name, after it has changed. */
  tellName(): void {
    this.#send('name');
  }

  /** Tells that this person types, now and then; or at once that no more. */
  tellTyping(active: boolean): void {
    const now = performance.now();
    if (!active) {
      if (this.#saidTypingAt > -Infinity) this.#send('still');
      this.#saidTypingAt = -Infinity;
    } else if (now - this.#saidTypingAt > typingMs / 2) {
      this.#saidTypingAt = now;
      this.#send('typing');
    }
  }

  /** Takes note that somebody has said something, and so types no more. */
  spoke(sender: string): void {
    if (this.typing.stop(sender)) this.changed();
  }

  close(): void {
    clearTimeout(this.#answerTimer);
    clearInterval(this.#pruneTimer);
    this.#subscription.unsubscribe().catch(() => {}); // it had ended
  }

  #send(kind: Kind): void {
    if (this.board.state !== 'connected') return;
    this.board.publish(this.topic, { kind, name: this.myName() }, { ack: false, noEcho: true })
      .catch(() => {}); // the connection has just gone, or it may not
  }

  #heard({ payload, sender }: Event): void {
    const kind = textOf(payload, 'kind');
    const named = this.names.tell(sender, textOf(payload, 'name').slice(0, nameChars));
    if (kind === 'hello') this.#answer();
    if (kind === 'typing') this.#types(sender);
    else if (!this.typing.stop(sender) && !named) return;
    this.changed();
  }

  #types(sender: string): void {
    this.typing.start(sender, performance.now());
    if (this.#pruneTimer !== 0) return;
    this.#pruneTimer = window.setInterval(() => {
      if (this.typing.prune(performance.now())) this.changed();
      if (this.typing.senders.length > 0) return;
      clearInterval(this.#pruneTimer);
      this.#pruneTimer = 0;
    }, 500);
  }

  /** Tells the name to newcomers: to several at once, and not all in a crowd. */
  #answer(): void {
    if (this.#answerTimer !== 0 || Math.random() * this.people() > answersMax) return;
    this.#answerTimer = window.setTimeout(() => {
      this.#answerTimer = 0;
      this.#send('name');
    }, Math.random() * answerWithinMs);
  }
}
