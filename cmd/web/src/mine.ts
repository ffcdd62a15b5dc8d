// What this person is called and has said, kept by the browser: by the tab,
// and the name that was typed last also for new tabs.

import { madeUpName, nameChars } from './names.js';

const idsMax = 500;

/** What the browser may not keep, for as long as the page lasts. */
const unkept = new Map<string, string>();

/** Reads what is kept; '' where nothing is. */
export function kept(where: 'localStorage' | 'sessionStorage', key: string): string {
  try {
    return unkept.get(where + key) ?? window[where].getItem(`callboard.${key}`) ?? '';
  } catch {
    return '';
  }
}

/** Has the browser keep something; where it does not, this page does. */
export function keep(where: 'localStorage' | 'sessionStorage', key: string, value: string): void {
  try {
    window[where].setItem(`callboard.${key}`, value);
    unkept.delete(where + key);
  } catch { // where cookies are blocked, nothing is kept, not even a token
    unkept.set(where + key, value);
  }
}

export class Mine {
  name = kept('sessionStorage', 'name') || kept('localStorage', 'name') || madeUpName();
  readonly #ids = new Set(kept('sessionStorage', 'said').split(' ').filter(Boolean));

  constructor() {
    keep('sessionStorage', 'name', this.name);
  }

  /** Takes another name. Returns whether it is one. */
  rename(name: string): boolean {
    const next = name.trim().slice(0, nameChars);
    if (!next || next === this.name) return false;
    this.name = next;
    keep('sessionStorage', 'name', next);
    keep('localStorage', 'name', next);
    return true;
  }

  /** Goes by the name that somebody is logged in with. */
  actAs(user: string): void {
    this.name = user.slice(0, nameChars);
  }

  /** Takes note of the id of something said. */
  remember(id: string): void {
    this.#ids.add(id);
    keep('sessionStorage', 'said', [...this.#ids].slice(-idsMax).join(' '));
  }

  said(id: string): boolean {
    return this.#ids.has(id);
  }
}
