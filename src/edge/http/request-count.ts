// Counts open requests, so that a runtime closes only after the last one.
import type { ServerResponse } from 'node:http';

export interface RequestCount {
  add(response: ServerResponse): void;
  /** Resolves when no request is open. */
  none(): Promise<void>;
}

export function createRequestCount(): RequestCount {
  let open = 0;
  let waiting: (() => void)[] = [];
  const end = (): void => {
    open -= 1;
    if (open > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    add(response: ServerResponse): void {
      open += 1;
      response.once('close', end);
    },
    none: (): Promise<void> => (open === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
