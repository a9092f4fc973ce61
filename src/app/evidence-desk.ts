// Makes evidence in a thread, one at a time and within a time limit: it reads every record, and no decision may wait for it.

import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { heapMib } from '../config/machine.ts';
import { LictorError } from '../contract/error.ts';
import type { EvidenceDesk, EvidencePlaces, EvidenceStep } from '../edge/http/api/evidence/protocol.ts';

const AT_MOST_MS = 600_000;

/** `atMostMs`: another limit for tests. */
export function createEvidenceDesk(places: EvidencePlaces, atMostMs = AT_MOST_MS): EvidenceDesk {
  let running: Worker | undefined;
  return {
    async *run(job) {
      if (running !== undefined) throw new LictorError('evidence-busy', 'Another report or verification runs.');
      const thread = new Worker(new URL('../operations/evidence/thread.ts', import.meta.url), {
        name: 'evidence',
        workerData: { ...places, job },
        resourceLimits: { maxOldGenerationSizeMb: heapMib(512) },
      });
      running = thread;
      const timer = setTimeout(() => void thread.terminate(), atMostMs);
      try {
        for await (const [step] of on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[EvidenceStep]>) {
          yield step;
          if (step.type !== 'progress') return;
        }
        throw new LictorError('evidence-too-long', 'The work did not end in time.');
      } finally {
        clearTimeout(timer);
        running = undefined;
        await thread.terminate();
      }
    },
    async close() {
      await running?.terminate();
    },
  };
}
