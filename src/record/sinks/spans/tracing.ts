// The control plane's side of the thread that sends spans.
import { Worker } from 'node:worker_threads';
import type { Traces } from '../../../config/config.ts';
import { endThread } from '../../end-thread.ts';
import { endOfLog } from '../../ledger/tail.ts';
import type { TracingSetup } from './worker.ts';

export interface SpanStatus {
  readonly sent: number;
  readonly dropped: number;
  readonly problem: string | null;
}

export interface Tracing {
  /** Applies a configuration. Null: no traces. */
  use(traces: Traces | null): Promise<void>;
  status(): SpanStatus;
  close(): Promise<void>;
}

export interface TracingParts {
  readonly accessLog: string;
  readonly basePath: string;
  readonly log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>;
}

const NOTHING: SpanStatus = { sent: 0, dropped: 0, problem: null };

export function createTracing({ accessLog, basePath, log }: TracingParts): Tracing {
  let current: Traces | null = null;
  let worker: Worker | undefined;
  let status = NOTHING;
  let turn: Promise<void> = Promise.resolve();

  function spawn(traces: Traces): void {
    // The position is read here, so that requests during the start of the thread have their spans.
    const setup: TracingSetup = { accessLog, begin: endOfLog(accessLog), basePath, traces };
    worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: setup, name: 'traces', resourceLimits: { maxOldGenerationSizeMb: 64 } });
    worker.on('message', (next: SpanStatus) => {
      if (next.problem !== null && next.problem !== status.problem) log.warn({ problem: next.problem }, 'traces cannot be sent: they are left out');
      if (next.problem === null && status.problem !== null) log.info({ dropped: next.dropped }, 'traces are sent again');
      status = next;
    });
    worker.on('error', fail);
  }

  /** Traces are no evidence: the gateway continues without them. */
  function fail(error: unknown): void {
    current = null;
    log.warn({ err: error }, 'traces cannot be made: there are none until the next reload');
  }

  async function stop(): Promise<void> {
    const thread = worker;
    worker = undefined;
    await endThread(thread, 'close');
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    turn = turn.then(work, work);
    return turn;
  }

  return {
    use: (traces) =>
      inTurn(async () => {
        if (JSON.stringify(traces) === JSON.stringify(current)) return;
        await stop();
        current = traces;
        status = NOTHING;
        if (traces === null) return;
        try {
          spawn(traces);
        } catch (error) {
          fail(error);
        }
      }),
    status: () => status,
    close: () => inTurn(stop),
  };
}
