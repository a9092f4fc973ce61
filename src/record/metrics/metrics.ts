// Metrics for Prometheus: a thread counts from the ledger, and the control plane adds its own at each scrape. Off by default.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MetricsListen } from '../../config/config.ts';
import { endThread } from '../end-thread.ts';
import { type Family, renderFamilies } from './exposition.ts';
import { createHistogram, DECISION_SECONDS } from './histogram.ts';
import { listenForScrapes } from './server.ts';
import type { ReaderFiles } from './watch.ts';

export interface Metrics {
  close(): Promise<void>;
}

export interface MetricsParts {
  readonly listen: MetricsListen;
  /** The control plane before this one listens there. */
  readonly isPassed?: boolean;
  readonly files: ReaderFiles;
  /** The metrics of the control plane's parts. */
  readonly gather: () => readonly Family[];
}

/** A busy database must not delay a scrape for long. */
const ANSWER_MS = 3_000;

export async function startMetrics({ listen, isPassed = false, files, gather }: MetricsParts): Promise<Metrics> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: files, name: 'metrics', resourceLimits: { maxOldGenerationSizeMb: 64 } });
  // A scrape then lacks the numbers of the ledger.
  worker.on('error', () => undefined);
  let asking: Promise<readonly Family[]> | undefined;
  const fromLedger = (): Promise<readonly Family[]> => {
    asking ??= ask(worker).finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const scrape = async (): Promise<string> => renderFamilies([...gather(), ...processFamilies(), ...(await fromLedger())]);
  const server = await listenForScrapes(listen, isPassed, scrape).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  return {
    async close() {
      const late = setTimeout(() => server.closeAllConnections(), ANSWER_MS);
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
      clearTimeout(late);
      await endThread(worker, 'close');
    },
  };
}

async function ask(worker: Worker): Promise<readonly Family[]> {
  if (worker.threadId === -1) return [];
  worker.postMessage('collect');
  const answer = once(worker, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.then(([families]) => families as readonly Family[]).catch(() => []); // Too late, or the thread has ended.
}

/** Of the process that runs this. */
export function processFamilies(): readonly Family[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const started = Date.now() / 1000 - process.uptime();
  return [
    { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Memory of the control plane.', samples: [{ value: rss }] },
    { name: 'process_heap_bytes', type: 'gauge', help: 'Heap of its main thread that is in use.', samples: [{ value: heapUsed }] },
    { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time of the control plane.', samples: [{ value: (user + system) / 1e6 }] },
    { name: 'process_start_time_seconds', type: 'gauge', help: 'When it was started.', samples: [{ value: Math.round(started) }] },
  ];
}

export interface DecisionWatch {
  /** Runs `decide` and measures it. */
  watch<T extends { readonly status: number }>(decide: () => Promise<T>): Promise<T>;
  families(): readonly Family[];
}

/** Measures the decisions of Node. nginx's cache answers the others. */
export function watchDecisions(): DecisionWatch {
  const kinds = { allow: createHistogram(DECISION_SECONDS), deny: createHistogram(DECISION_SECONDS), error: createHistogram(DECISION_SECONDS) };
  return {
    async watch(decide) {
      const startedMs = performance.now();
      let outcome: keyof typeof kinds = 'error';
      try {
        const answer = await decide();
        outcome = answer.status === 200 ? 'allow' : 'deny';
        return answer;
      } finally {
        kinds[outcome].observe((performance.now() - startedMs) / 1000);
      }
    },
    families: () => [
      {
        name: 'decision_duration_seconds',
        type: 'histogram',
        help: 'Decisions that the control plane made, by outcome; of the other requests the edge remembered the decision.',
        samples: Object.entries(kinds).map(([decision, histogram]) => ({ labels: { decision }, histogram: histogram.state() })),
      },
    ],
  };
}
