// How much of the logs is read at once: everything where cores are free, as little as keeps up where others wait for them.
import type { Crowding } from './crowding.ts';

export interface Pace {
  /** Once at the beginning of each look at the logs. */
  begin(): void;
  /** After a batch: whether another one follows at once. `lagMs`: how old the last line of the batch is; `more`: there may be further ones. */
  goesOn(batch: { readonly more: boolean; readonly lagMs: number }): boolean;
}

/**
 * So far behind the records may fall while others wait for the cores, before the ledger takes more of them: below the two seconds that are promised
 * for 2,000 requests a second, and longer than a burst.
 */
export const LAG_MS = 800;
/** Batches a look for that promise, with room to spare: 3,750 lines a second, a sixth of a core. */
const CALM = 3;
/** What comes faster for longer than this is no burst any more: then the records take what they need, and those who answer requests get less. */
export const FLOOD_LAG_MS = 30_000;
/** Looks between two steps: a flood of seconds costs those who answer requests next to nothing, one that lasts is kept up with. */
const LOOKS_TO_STEP = 5;

/**
 * Where others wait for a core, so many batches a look: one, and one more each second for as long as the lag is above the bound and does not shrink; up to three by the
 * first bound, more by the second. So the lag ends to grow at every rate that the machine can record at all, and what is taken for it is no more than that rate needs.
 */
export function createPace(crowding: Crowding): Pace {
  let quota = 1;
  let taken = 0;
  let looksSinceStep = LOOKS_TO_STEP;
  let lastLagMs = 0;

  function adapt(lagMs: number): void {
    const isGrowing = lagMs >= lastLagMs;
    lastLagMs = lagMs;
    const bound = quota < CALM ? LAG_MS : FLOOD_LAG_MS;
    const step = lagMs > bound && isGrowing ? 1 : lagMs < LAG_MS / 2 && quota > 1 ? -1 : 0;
    if (step === 0 || looksSinceStep < LOOKS_TO_STEP) return;
    quota += step;
    looksSinceStep = 0;
  }

  return {
    begin() {
      taken = 0;
      looksSinceStep += 1;
    },
    goesOn({ more, lagMs }) {
      taken += 1;
      if (more && !crowding.look()) return true;
      if (more && taken < quota) return true;
      adapt(more ? lagMs : 0);
      return false;
    },
  };
}
