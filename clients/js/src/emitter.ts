import type { Emitter as Face } from './types.js';

type Listener = (value: never) => void;

/** Listeners by the names of events. */
export class Emitter<Events> implements Face<Events> {
  #listeners = new Map<keyof Events, Set<Listener>>();

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => this.off(name, listener);
  }

  once<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    const off = this.on(name, (value) => {
      off();
      listener(value);
    });
    return off;
  }

  off<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Says whether anybody listens. */
  protected has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]) {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        (listener as (value: Events[Name]) => void)(value);
      } catch (error) {
        console.error(`callboard: a listener to '${String(name)}' threw`, error);
      }
    }
  }
}
