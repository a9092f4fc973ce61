// How much of the logs is read at once: everything where cores are free, as little as keeps up where others wait for them.
import type { Crowding } from './crowding.ts';

export interface Pace {
  /** Once at the beginning of each look at the logs. `nowMs`: of a clock that only goes on. */
  begin(nowMs: number): void;
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
/** What comes at more than so many times that rate is a flood: no batch more keeps up with it, and each takes from those who answer requests. */
const FLOOD = 2;
/** What comes faster for longer than this is no burst any more: then the records take what they need, and those who answer requests get less. */
export const FLOOD_LAG_MS = 30_000;
/** So many looks after one that found a crowd there is still one: a batch that ran undisturbed may as well have disturbed others. */
const LOOKS_CROWDED = 5;
/** Looks between two steps, and those over which the lag is seen to grow. */
const LOOKS_TO_STEP = 5;

interface Look {
  readonly atMs: number;
  readonly lagMs: number;
}

/**
 * Where others wait for a core, or did a moment ago, so many batches a look: one, and one more each second for as long as the lag is above the bound and does not shrink;
 * up to three by the first bound, unless it is a flood, and more by the second. So the lag ends to grow at every rate that the machine can record at all, and what is
 * taken for it is no more than that rate needs.
 */
export function createPace(crowding: Crowding): Pace {
  let quota = 1;
  let taken = 0;
  let looksSinceStep = LOOKS_TO_STEP;
  let looksCrowded = 0;
  let beganMs = 0;
  let looks: readonly Look[] = [];

  function isCrowded(): boolean {
    if (crowding.look()) looksCrowded = LOOKS_CROWDED;
    return looksCrowded > 0;
  }

  function adapt(lagMs: number): void {
    const [oldest, last] = [looks[0], looks.at(-1)];
    const isGrowing = lagMs >= (last?.lagMs ?? 0);
    const now = { atMs: beganMs, lagMs };
    const bound = quota < CALM && !isFlood(oldest ?? now, now, quota) ? LAG_MS : FLOOD_LAG_MS;
    looks = [...looks, now].slice(-LOOKS_TO_STEP);
    const step = lagMs > bound && isGrowing ? 1 : lagMs < LAG_MS / 2 && quota > 1 ? -1 : 0;
    if (step === 0 || looksSinceStep < LOOKS_TO_STEP) return;
    quota += step;
    looksSinceStep = 0;
  }

  return {
    begin(nowMs) {
      taken = 0;
      beganMs = nowMs;
      looksSinceStep += 1;
      looksCrowded = Math.max(0, looksCrowded - 1);
    },
    goesOn({ more, lagMs }) {
      taken += 1;
      if (more && !isCrowded()) return true;
      if (more && taken < quota) return true;
      adapt(more ? lagMs : 0);
      return false;
    },
  };
}

/** The lag grows by what is left unread: at `1 - read / come` of the time, where `read` is `quota` batches a look. */
function isFlood(before: Look, now: Look, quota: number): boolean {
  const growth = (now.lagMs - before.lagMs) / Math.max(1, now.atMs - before.atMs);
  return growth > 1 - quota / (FLOOD * CALM);
}
