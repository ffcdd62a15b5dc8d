// Small things about elements. Texts are always set as text, never as HTML.

/** Returns the element of index.html with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as T;
}

/** Makes an element with a class and a text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, className = '', text?: string,
): HTMLElementTagNameMap[Tag] {
  const result = document.createElement(tag);
  if (className) result.className = className;
  if (text !== undefined) result.textContent = text;
  return result;
}

/** Makes a button that does something. */
export function button(className: string, text: string, click: () => void): HTMLButtonElement {
  const result = element('button', className, text);
  result.type = 'button';
  result.addEventListener('click', click);
  return result;
}

/** Sets an attribute, or a text, only where it differs: some are read aloud. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** One child of a list: `key` finds it again, `state` is all that it shows. */
export interface Row {
  readonly key: string;
  readonly state: string;
  readonly make: () => HTMLElement;
}

interface Drawn {
  readonly state: string;
  readonly element: HTMLElement;
}

/** Keeps a list's children as the rows say, and those as they are that can stay. */
export class Rows {
  #drawn = new Map<string, Drawn>();

  constructor(private readonly list: HTMLElement) {}

  show(rows: readonly Row[]): void {
    const before = this.#drawn;
    this.#drawn = new Map();
    let next = this.list.firstElementChild;
    for (const { key, state, make } of rows) {
      const old = before.get(key);
      const stays = old?.state === state;
      const drawn = stays ? old : { state, element: make() };
      this.#drawn.set(key, drawn);
      if (drawn.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(drawn.element, next);
    }
    while (next) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
  }
}
