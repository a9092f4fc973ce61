// Bounds for a socket that is not authenticated yet: time, bytes, and the duration of its close.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const END_MS = 2000;

/** The value of the promise, or undefined after `timeoutMs`. */
export async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

export interface BoundReading {
  /** Resolves when more bytes than the bound have arrived. */
  readonly full: Promise<undefined>;
  release(): void;
}

/** Stops reading after `maxBytes` on the wire, in any frames: ws itself would buffer up to its largest message. */
export function boundReading(client: WebSocket, raw: Duplex, maxBytes: number): BoundReading {
  let bytes = 0;
  const { promise: full, resolve } = Promise.withResolvers<undefined>();
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    client.pause();
    resolve(undefined);
  };
  raw.on('data', count);
  return { full, release: () => raw.removeListener('data', count) };
}

/** Closes the socket, and terminates it if the other side does not answer soon. */
export function closeSoon(client: WebSocket, code: number, reason: string): void {
  client.close(code, reason);
  const timer = setTimeout(() => client.terminate(), END_MS);
  client.once('close', () => clearTimeout(timer));
}
