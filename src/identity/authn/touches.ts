// "Last used" and "last seen": written at most once a minute each, without delaying the answer.

export const TOUCH_EVERY_MS = 60_000;

export interface Touch {
  readonly key: string;
  /** The time of the last write. Null: never. */
  readonly lastMs: number | null;
  readonly nowMs: number;
  /** The longest age of the last write. A minute when left out. */
  readonly everyMs?: number;
  readonly write: () => Promise<void>;
}

export interface Touches {
  /** Starts a write unless the last one is recent or one runs. Its failure is reported and not thrown, since no decision depends on it. */
  touch(touch: Touch): void;
  /** Resolves when no write runs. */
  idle(): Promise<void>;
}

export function createTouches(onError: (error: unknown) => void): Touches {
  const running = new Map<string, Promise<void>>();
  return {
    touch({ key, lastMs, nowMs, everyMs = TOUCH_EVERY_MS, write }) {
      if (running.has(key) || (lastMs !== null && nowMs - lastMs < everyMs)) return;
      const started = afterAnswer()
        .then(write)
        .catch(onError)
        .finally(() => running.delete(key));
      running.set(key, started);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

function afterAnswer(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
