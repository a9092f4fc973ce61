// How much of the logs is read at once: everything where cores are free, as little as keeps up where others wait for them.
import type { Crowding } from './crowding.ts';

/** What stands after a batch. */
export interface Batch {
  /** There may be further lines. */
  readonly more: boolean;
  /** How old the last line of the batch is. */
  readonly lagMs: number;
  /** Lines that the log has had so far, read or not. */
  readonly lines: number;
}

export interface Pace {
  /** Once at each look at the logs; false: this one is left out. `nowMs`: of a clock that only goes on. */
  begin(nowMs: number): boolean;
  /** After a batch: whether another one follows at once. */
  goesOn(batch: Batch): boolean;
}

/**
 * So far behind the records may fall while others wait for the cores, before the ledger takes more of them: below the two seconds that are promised
 * for 2,000 requests a second, and longer than a burst.
 */
export const LAG_MS = 800;
/** Batches a look for that promise, with room to spare: 3,750 lines a second, a sixth of a core. */
const CALM = 3;
/**
 * More lines a second than twice that rate are a flood: no batch more keeps up with it, and each takes from those who answer requests. So there is one a second,
 * which sees whether it goes on; what the four others would read of it is an eighth at most.
 */
const FLOOD_PER_SECOND = 7_500;
const LOOKS_LEFT_OUT = 4;
/** What comes faster for longer than this is no burst any more: then the records take what they need, and those who answer requests get less. */
export const FLOOD_LAG_MS = 30_000;
/** So many looks after one that found a crowd there is still one: a batch that ran undisturbed may as well have disturbed others. */
const LOOKS_CROWDED = 5;
/** Over so long, at least, it is counted how much comes. */
const WINDOW_MS = 1_000;
/** Looks between two steps. */
const LOOKS_TO_STEP = 5;

interface Look {
  readonly atMs: number;
  readonly lagMs: number;
  readonly lines: number;
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
  let leaveOut = 0;
  let beganMs = 0;
  let looks: readonly Look[] = [];

  function isCrowded(): boolean {
    if (crowding.look()) looksCrowded = LOOKS_CROWDED;
    return looksCrowded > 0;
  }

  function adapt(lagMs: number, lines: number): void {
    const isGrowing = lagMs >= (looks.at(-1)?.lagMs ?? 0);
    const now = { atMs: beganMs, lagMs, lines };
    looks = [...since(looks, beganMs - WINDOW_MS), now];
    const isFlood = comePerSecond(looks[0] ?? now, now) > FLOOD_PER_SECOND;
    // Where the last batch was undisturbed the crowd may have gone, and the next look sees.
    const isDisturbed = looksCrowded === LOOKS_CROWDED;
    if (isFlood && isDisturbed && quota === 1 && isBetween(lagMs, LAG_MS, FLOOD_LAG_MS)) leaveOut = LOOKS_LEFT_OUT;
    const bound = quota < CALM && !isFlood ? LAG_MS : FLOOD_LAG_MS;
    if (lagMs > bound && isGrowing) step(1);
    else if (lagMs < LAG_MS / 2 && quota > 1) step(-1);
  }

  function step(by: number): void {
    if (looksSinceStep < LOOKS_TO_STEP) return;
    quota += by;
    looksSinceStep = 0;
  }

  return {
    begin(nowMs) {
      if (leaveOut > 0) {
        leaveOut -= 1;
        return false;
      }
      taken = 0;
      beganMs = nowMs;
      looksSinceStep += 1;
      looksCrowded = Math.max(0, looksCrowded - 1);
      return true;
    },
    goesOn({ more, lagMs, lines }) {
      taken += 1;
      if (more && !isCrowded()) return true;
      if (more && taken < quota) return true;
      adapt(more ? lagMs : 0, lines);
      return false;
    },
  };
}

/** Those from then on and the one before, so that there is always one to compare with: in a crowd looks are late. */
function since(looks: readonly Look[], fromMs: number): readonly Look[] {
  return looks.slice(
    Math.max(
      0,
      looks.findLastIndex(({ atMs }) => atMs < fromMs),
    ),
  );
}

function isBetween(value: number, low: number, high: number): boolean {
  return value > low && value < high;
}

function comePerSecond(before: Look, now: Look): number {
  return ((now.lines - before.lines) / Math.max(1, now.atMs - before.atMs)) * 1000;
}
