// Test projects: unit beside the code; integration, e2e and endurance under test/, one file at a time because they own real processes.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ByTime } from './test/runner/shares.ts';

/** Starts what the tests need (a real Prefect, nginx); written by test/env. */
const GLOBAL_SETUP = 'test/env/global-setup.ts';

/** A condition is waited for as long as a busy machine may need; of itself vitest gives up after a second. */
const PATIENT = { expect: { poll: { timeout: 10_000 } } } as const;

/** As `./lictor` does: what tests start compiles the same files each time. */
process.env['NODE_COMPILE_CACHE'] ??= resolve(import.meta.dirname, process.env['LICTOR_CACHE'] ?? '.lictor', 'compile-cache');

interface Timeouts {
  readonly testTimeout: number;
  readonly hookTimeout: number;
}

function realProject(name: string, timeouts: Timeouts) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      pool: 'forks' as const,
      fileParallelism: false,
      // One process for all files: to start one and to import anew costs half a second. What a file has noted ends with it (show-logs.ts).
      isolate: false,
      globalSetup: existsSync(GLOBAL_SETUP) ? [GLOBAL_SETUP] : [],
      setupFiles: ['test/env/show-logs.ts'],
      ...timeouts,
      ...PATIENT,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: ByTime },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,build,bench,demo,console/src}/**/*.test.ts', 'test/runner/**/*.test.ts'],
          pool: 'forks',
          // A process for many files: a third of their time was that of starting and importing anew. Three of them use two cores: tests wait for threads, programs and timers.
          isolate: false,
          maxWorkers: 3,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          ...PATIENT,
        },
      },
      realProject('integration', { testTimeout: 240_000, hookTimeout: 300_000 }),
      realProject('e2e', { testTimeout: 600_000, hookTimeout: 300_000 }),
      realProject('endurance', { testTimeout: 3_600_000, hookTimeout: 600_000 }),
    ],
  },
});
