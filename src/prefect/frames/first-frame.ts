// Bounds for a socket that nobody has vouched for yet: time, bytes, and how long its end may take.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const END_MS = 2000;

/** What the promise answers, or undefined when `timeoutMs` are over first. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

export interface BoundReading {
  /** Resolves (with nothing) when more than the bound has arrived. */
  readonly full: Promise<undefined>;
  release(): void;
}

/** Stops reading after `maxBytes` on the wire, whatever frames they are part of: ws itself would collect up to its largest message. */
export function boundReading(client: WebSocket, raw: Duplex, maxBytes: number): BoundReading {
  let bytes = 0;
  let report: () => void = () => undefined;
  const full = new Promise<undefined>((resolve) => {
    report = () => resolve(undefined);
  });
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    client.pause();
    report();
  };
  raw.on('data', count);
  return { full, release: () => raw.removeListener('data', count) };
}

/** Closes, and does not wait long for the other side's agreement. */
export function closeSoon(client: WebSocket, code: number, reason: string): void {
  client.close(code, reason);
  const timer = setTimeout(() => client.terminate(), END_MS);
  client.once('close', () => clearTimeout(timer));
}
