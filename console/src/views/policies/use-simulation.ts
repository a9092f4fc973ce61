// One simulation at a time: started, followed and stopped by a person.
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client.ts';
import { jsonLines } from '../../api/json-lines.ts';
import { NO_ANSWER, Problem, problemOf, waitMs } from '../../api/problem.ts';
import type { Files } from './draft.ts';
import type { Simulation } from './shapes.ts';
import { type Progress, parseLine, questionOf } from './simulation.ts';

export type SimulationState =
  | { readonly status: 'none' }
  /** `question`: see questionOf. */
  | { readonly status: 'running'; readonly question: string; readonly progress: Progress }
  | { readonly status: 'done'; readonly question: string; readonly simulation: Simulation; readonly files: Files }
  | { readonly status: 'failed'; readonly question: string; readonly problem: Problem };

export interface SimulationControl {
  readonly state: SimulationState;
  start(files: Files, since: string): void;
  stop(): void;
}

export function useSimulation(): SimulationControl {
  const [state, setState] = useState<SimulationState>({ status: 'none' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const stop = () => {
    running.current?.abort();
    setState({ status: 'none' });
  };
  const start = (files: Files, since: string) => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    const question = questionOf(files, since);
    const report = (next: SimulationState) => !control.signal.aborted && setState(next);
    report({ status: 'running', question, progress: { records: 0, fraction: 0 } });
    const following = { signal: control.signal, onProgress: (progress: Progress) => report({ status: 'running', question, progress }) };
    simulateWhenFree(files, since, following).then(
      (simulation) => report({ status: 'done', question, simulation, files }),
      (error: unknown) => report({ status: 'failed', question, problem: error instanceof Problem ? error : new Problem(NO_ANSWER) }),
    );
  };
  return { state, start, stop };
}

interface Following {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

const MOST_TRIES = 15;

/** The gateway runs one simulation at a time: that of another person, or the one that this person has just left. */
async function simulateWhenFree(files: Files, since: string, following: Following): Promise<Simulation> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await simulate(files, since, following);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'draft-busy') || attempt === MOST_TRIES || following.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs(attempt, error)));
    }
  }
}

async function simulate(files: Files, since: string, { signal, onProgress }: Following): Promise<Simulation> {
  const { data, error, response } = await api.POST('/policies/simulate', { body: { files: { ...files }, since }, parseAs: 'stream', signal });
  if (!response.ok || data == null) throw problemOf(response, error);
  for await (const line of jsonLines(data)) {
    const known = parseLine(line);
    if (known?.kind === 'progress') onProgress(known.progress);
    if (known?.kind === 'done') return known.simulation;
    if (known?.kind === 'refused') throw problemOf({ status: 503, headers: new Headers() }, known.refusal);
  }
  throw new Problem(NO_ANSWER);
}
