// How much of its memory the control plane uses: of the heap that V8 gives it, and of the memory of the machine or container.
import { getHeapStatistics } from 'node:v8';
import type { SteadyClock } from '../contract/clock.ts';

export interface MemoryFacts {
  readonly heapUsed: number;
  readonly heapLimit: number;
  readonly resident: number;
  /** Of the machine. */
  readonly limit: number;
}

/** A share from 0 to 1, or a little more. */
export type MemoryUse = () => number;

/** Reading costs some microseconds, and a body takes longer to fill the memory than this. */
const FRESH_MS = 250;
/** nginx and the supervisor need the rest. */
const OWN_SHARE = 0.8;

export function createMemoryUse(limit: number, steady: SteadyClock, read: () => Omit<MemoryFacts, 'limit'> = readFacts): MemoryUse {
  let known = { share: 0, atMs: Number.NEGATIVE_INFINITY };
  return () => {
    if (steady() - known.atMs >= FRESH_MS) known = { share: shareOf({ ...read(), limit }), atMs: steady() };
    return known.share;
  };
}

/** Caches of files count as used in a container, although the kernel frees them, so only the own resident memory counts. */
function shareOf({ heapUsed, heapLimit, resident, limit }: MemoryFacts): number {
  return Math.max(heapUsed / heapLimit, resident / (limit * OWN_SHARE));
}

function readFacts(): Omit<MemoryFacts, 'limit'> {
  const { used_heap_size: heapUsed, heap_size_limit: heapLimit } = getHeapStatistics();
  return { heapUsed, heapLimit, resident: process.memoryUsage.rss() };
}
