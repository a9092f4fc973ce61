// Pads the answer for a foreign object and for one that does not exist to the same interval, so that its duration does not reveal which it is.
//
// The gateway caches a foreign object for a moment and reads the objects that it names; it asks for an absent one each time. Many
// measurements can still reveal it where only one of the two takes longer than an interval: a busy server, a flow with hundreds of deployments.
import { setTimeout as wait } from 'node:timers/promises';

/** Prefect answers the look-ups of a decision in 5 to 50 ms, with its server and the gateway on two busy cores. */
const INTERVAL_MS = 100;

/** Resolves at the end of the interval that `elapsedMs` is in. */
export async function padToInterval(elapsedMs: number, pause: (ms: number) => Promise<unknown> = wait): Promise<void> {
  await pause(INTERVAL_MS - (Math.max(0, elapsedMs) % INTERVAL_MS));
}
