// How much of the logs the ledger reads at each look, so that a flood of requests leaves the CPU to those who answer it.

export const LOOK_MS = 200;

/** 5,000 lines a second: a sixth of a core, and more than twice the rate at which records must be complete within two seconds. */
const BATCHES_A_LOOK = 4;

/** A longer lag is no burst: then the ledger reads as fast as lines arrive. */
export const LONGEST_LAG_MS = 30_000;

/** Whether another batch follows at once. `batches`: read at this look; `lagMs`: the age of the last line of them. */
export function readsOn(batches: number, lagMs: number): boolean {
  return batches < BATCHES_A_LOOK || lagMs > LONGEST_LAG_MS;
}
