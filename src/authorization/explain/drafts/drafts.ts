// Work on drafts of own policies, in threads with a time limit: Cedar's validator and a simulation take seconds, and no decision may wait for them.

import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { heapMib } from '../../../config/machine.ts';
import { LictorError } from '../../../contract/error.ts';
import type { FilePatch, LabelledFiles } from '../../policy/own/patches.ts';
import type { CheckedDraft, CheckJob, SimulateJob, SimulationStep, ThreadData, ThreadMessage } from './protocol.ts';

export interface Drafts {
  /** Throws LictorError `draft-busy` or `draft-too-long`. */
  check(question: Omit<CheckJob, 'job'>): Promise<CheckedDraft>;
  compare(from: LabelledFiles, to: LabelledFiles): Promise<readonly FilePatch[]>;
  /** One at a time. It stops when the consumer stops. */
  simulate(question: Omit<SimulateJob, 'job'>): AsyncGenerator<SimulationStep, void>;
  /** Stops all work. */
  close(): Promise<void>;
}

export interface DraftParts extends Omit<ThreadData, 'job'> {
  /** Default: 20 s for a check, 10 minutes for a simulation. */
  readonly atMostMs?: number;
}

const CHECK_MS = 20_000;
const SIMULATE_MS = 600_000;
/** Above this number of waiting checks, a caller must retry. */
const MOST_WAITING = 8;

export function createDrafts({ atMostMs, ...data }: DraftParts): Drafts {
  const threads = new Set<Worker>();
  const oneByOne = createQueue();
  let isSimulating = false;
  async function* run(job: ThreadData['job'], limitMs: number): AsyncGenerator<ThreadMessage, void> {
    const workerData: ThreadData = { ...data, job };
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      name: 'drafts',
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMib(512) },
    });
    threads.add(thread);
    const timer = setTimeout(() => void thread.terminate(), atMostMs ?? limitMs);
    try {
      for await (const [message] of on(thread, 'message', { close: ['exit'] })) yield message;
    } finally {
      clearTimeout(timer);
      threads.delete(thread);
      await thread.terminate();
    }
  }
  const answer = async (job: ThreadData['job']): Promise<ThreadMessage> => {
    for await (const message of run(job, CHECK_MS)) return message;
    throw unfinished();
  };
  return {
    check: (question) => oneByOne(async () => parseAnswer(await answer({ job: 'check', ...question }), 'checked').checked),
    compare: (from, to) => oneByOne(async () => parseAnswer(await answer({ job: 'compare', from, to }), 'compared').patches),
    async *simulate(question) {
      if (isSimulating) throw new LictorError('draft-busy', 'Another simulation runs.');
      isSimulating = true;
      try {
        for await (const message of run({ job: 'simulate', ...question }, SIMULATE_MS)) {
          if (message.type === 'checked' || message.type === 'compared') throw new TypeError(`a simulation answered ${message.type}`);
          yield message;
          if (message.type === 'simulated' || message.type === 'invalid') return;
        }
        throw unfinished();
      } finally {
        isSimulating = false;
      }
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}

function unfinished(): LictorError {
  return new LictorError('draft-too-long', 'The work on the draft did not end in time.');
}

function parseAnswer<T extends ThreadMessage['type']>(message: ThreadMessage, type: T): Extract<ThreadMessage, { readonly type: T }> {
  if (!isOf(message, type)) throw new TypeError(`the thread of drafts answered ${message.type}`);
  return message;
}

function isOf<T extends ThreadMessage['type']>(message: ThreadMessage, type: T): message is Extract<ThreadMessage, { readonly type: T }> {
  return message.type === type;
}

function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (work) => {
    if (waiting >= MOST_WAITING) return Promise.reject(new LictorError('draft-busy', 'Too many drafts wait for their check.'));
    waiting += 1;
    const done = last.then(work).finally(() => {
      waiting -= 1;
    });
    last = done.catch(() => undefined); // Each caller gets its own rejection.
    return done;
  };
}
