import type { Emitter as Face } from './types.js';

type Listener = (value: never) => void;

/** Listeners by the names of events. */
export class Emitter<Events> implements Face<Events> {
  /** What is called, by what was added. */
  #listeners = new Map<keyof Events, Map<Listener, Listener>>();

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    return this.#add(name, listener, listener);
  }

  once<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    const off = this.#add(name, listener, (value: Events[Name]) => {
      off();
      listener(value);
    });
    return off;
  }

  #add(name: keyof Events, listener: Listener, called: Listener) {
    const listeners = this.#listeners.get(name) ?? new Map<Listener, Listener>();
    this.#listeners.set(name, listeners);
    if (!listeners.has(listener)) listeners.set(listener, called);
    return () => { if (listeners.get(listener) === called) listeners.delete(listener); };
  }

  off<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void) {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Says whether anybody listens. */
  protected has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]) {
    for (const listener of [...this.#listeners.get(name)?.values() ?? []]) {
      try {
        (listener as (value: Events[Name]) => void)(value);
      } catch (error) {
        console.error(`callboard: a listener to '${String(name)}' threw`, error);
      }
    }
  }
}
