import { useEffect, useRef, useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { jsonLines } from '../../api/json-lines.ts';
import { NO_ANSWER, Problem } from '../../api/problem.ts';
import { afterLine, type Outcome, type Period } from './steps.ts';

interface Running {
  readonly what: 'report' | 'verification';
  readonly outcome: Outcome;
  readonly isRunning: boolean;
  readonly error: Error | null;
}

export interface Evidence {
  /** Undefined: nothing was asked for. */
  readonly current: Running | undefined;
  report(period: Period): void;
  verify(): void;
}

type Streamed = Promise<{ readonly data?: ReadableStream<Uint8Array> | null; readonly error?: unknown; readonly response: Response }>;

/** One at a time: a new question ends the one before, and so does leaving the view. */
export function useEvidence(): Evidence {
  const [current, setCurrent] = useState<Running>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const run = async (what: Running['what'], ask: (signal: AbortSignal) => Streamed): Promise<void> => {
    stop.current.abort();
    const own = new AbortController();
    stop.current = own;
    let outcome: Outcome = {};
    const show = (more: Partial<Running>): void => {
      if (!own.signal.aborted) setCurrent({ what, outcome, isRunning: true, error: null, ...more });
    };
    show({});
    try {
      for await (const line of jsonLines((await answerOf(ask(own.signal))) ?? new ReadableStream())) {
        outcome = afterLine(outcome, line as Parameters<typeof afterLine>[1]);
        show({});
      }
      const isCut = outcome.verification === undefined && outcome.refusal === undefined;
      show({ isRunning: false, error: isCut ? new Problem(NO_ANSWER) : null });
    } catch (error) {
      show({ isRunning: false, error: error instanceof Error ? error : new Problem(NO_ANSWER) });
    }
  };
  return {
    current,
    report: (period) => void run('report', (signal) => api.POST('/evidence', { body: period, parseAs: 'stream', signal }) as Streamed),
    verify: () => void run('verification', (signal) => api.POST('/evidence/verification', { parseAs: 'stream', signal }) as Streamed),
  };
}
