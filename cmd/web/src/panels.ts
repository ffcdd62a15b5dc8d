// On narrow screens rooms and people are panels that come at a click and cover
// the rest. On wide ones they are always there, and none of this does anything.

import { byId } from './dom.js';

/** One panel and its button. */
export class Panel {
  readonly #panel: HTMLElement;
  readonly #show: HTMLElement;
  readonly #shade = byId('shade');

  constructor(name: 'rooms' | 'people') {
    this.#panel = byId(`${name}-panel`);
    this.#show = byId(`show-${name}`);
    this.#show.addEventListener('click', () => this.#toggle(!this.#isOpen));
    this.#shade.addEventListener('click', () => this.close());
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close(true);
    });
    this.#panel.querySelector('.close')?.addEventListener('click', () => this.close(true));
  }

  /** Puts the panel away. `back`: whether the focus returns to its button. */
  close(back = false): void {
    if (!this.#isOpen) return;
    this.#toggle(false);
    if (back) this.#show.focus();
  }

  get #isOpen(): boolean {
    return this.#panel.classList.contains('open');
  }

  #toggle(open: boolean): void {
    this.#panel.classList.toggle('open', open);
    this.#show.setAttribute('aria-expanded', String(open));
    this.#shade.hidden = !open;
    if (open) this.#panel.querySelector<HTMLElement>('button, input')?.focus();
  }
}
