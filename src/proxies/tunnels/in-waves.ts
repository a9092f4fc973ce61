// Ends open connections in waves: their clients connect again at once, and each costs a handshake and a decision.
import { setTimeout as delay } from 'node:timers/promises';

const WAVES = 20;
const EVERY_MS = 100;
/** Fewer are no burst. */
const SMALLEST = 50;

/** At most 2 s. `end` must ignore a connection that has ended meanwhile. */
export async function inWaves<Connection>(
  connections: Iterable<Connection>,
  end: (connection: Connection) => void,
  pause: (ms: number) => Promise<unknown> = delay,
): Promise<void> {
  const all = [...connections];
  const size = Math.max(SMALLEST, Math.ceil(all.length / WAVES));
  for (let at = 0; at < all.length; at += size) {
    if (at > 0) await pause(EVERY_MS);
    for (const connection of all.slice(at, at + size)) end(connection);
  }
}
