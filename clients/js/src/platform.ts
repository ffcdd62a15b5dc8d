// What a browser knows of the network and of the page. Elsewhere there is
// none of it, and then nothing is ever heard from here.

interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

interface Surroundings extends Target {
  navigator?: { onLine?: boolean };
  document?: Target & { visibilityState?: string };
}

const surroundings = globalThis as unknown as Surroundings;

/** Says whether there is certainly no network. */
export const isOffline = () => surroundings.navigator?.onLine === false;

export interface PlatformListeners {
  online(): void;
  offline(): void;
  /** The page can be seen again. */
  visible(): void;
}

/** Listens; what is returned ends that. */
export function watchPlatform({ online, offline, visible }: PlatformListeners): () => void {
  const { document } = surroundings;
  const changed = () => {
    if (document?.visibilityState === 'visible') visible();
  };
  const all: [Target | undefined, string, () => void][] = [
    [surroundings, 'online', online],
    [surroundings, 'offline', offline],
    [document, 'visibilitychange', changed],
  ];
  for (const [target, type, listener] of all) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of all) target?.removeEventListener?.(type, listener);
  };
}
