// Whether others want the core that this thread runs on: what the scheduler itself has counted.
import { readFileSync } from 'node:fs';

export interface Crowding {
  /** True when the thread had to wait for a core for a noticeable part of the time since the last look. */
  look(): boolean;
}

/** Waiting for longer than this part of the time that it ran. A machine with time to spare lets it wait for next to nothing. */
const NOTICEABLE = 1 / 4;

/** Linux: `ran waited slices`, the first two in nanoseconds (Documentation/scheduler/sched-stats). Not by wall time: a slow disk is no crowd. */
const SCHEDSTAT = '/proc/thread-self/schedstat';

export function createCrowding(read: () => string = () => readFileSync(SCHEDSTAT, 'latin1')): Crowding {
  let last = parse(read);
  return {
    look() {
      const now = parse(read);
      const ran = now.ran - last.ran;
      const waited = now.waited - last.waited;
      last = now;
      return waited > ran * NOTICEABLE;
    },
  };
}

/** A kernel that does not count says nothing: then nobody is seen to wait. */
function parse(read: () => string): { readonly ran: number; readonly waited: number } {
  try {
    const [ran = 0, waited = 0] = read().split(' ').map(Number);
    return Number.isFinite(ran) && Number.isFinite(waited) ? { ran, waited } : { ran: 0, waited: 0 };
  } catch {
    return { ran: 0, waited: 0 };
  }
}
