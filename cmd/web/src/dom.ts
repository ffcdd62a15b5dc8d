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
    const focused = document.activeElement;
    const before = this.#drawn;
    this.#drawn = new Map(rows.map((row) => [row.key, drawnOf(row, before.get(row.key))]));
    const kept = new Set<Element>([...this.#drawn.values()].map(({ element }) => element));
    for (const child of [...this.list.children]) {
      if (!kept.has(child)) child.remove();
    }
    let next = this.list.firstElementChild;
    for (const element of kept) {
      if (element === next) next = next.nextElementSibling;
      else this.list.insertBefore(element, next);
    }
    if (focused && !focused.isConnected) this.#giveFocus(before, focused);
  }

  /** To what stands in the place of an element that had it. */
  #giveFocus(before: Map<string, Drawn>, focused: Element): void {
    for (const [key, { element }] of before) {
      if (element.contains(focused)) this.#drawn.get(key)?.element.querySelector('button')?.focus();
    }
  }
}

/** Returns a row's element: the old one, if it shows what the row says. */
function drawnOf({ state, make }: Row, old: Drawn | undefined): Drawn {
  if (old?.state === state) return old;
  const made = make();
  // What was there before has no entrance.
  made.classList.toggle('still', old !== undefined);
  return { state, element: made };
}
