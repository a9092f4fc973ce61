// One simulation at a time: started, followed and stopped by a person.
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client.ts';
import { jsonLines } from '../../api/json-lines.ts';
import { NO_ANSWER, Problem, problemOf } from '../../api/problem.ts';
import type { Files } from './draft.ts';
import type { Simulation } from './shapes.ts';
import { type Progress, parseLine } from './simulation.ts';

export type SimulationState =
  | { readonly status: 'none' }
  | { readonly status: 'running'; readonly progress: Progress }
  | { readonly status: 'done'; readonly simulation: Simulation; readonly files: Files; readonly since: string }
  | { readonly status: 'failed'; readonly problem: Problem };

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
    const report = (next: SimulationState) => !control.signal.aborted && setState(next);
    report({ status: 'running', progress: { records: 0, fraction: 0 } });
    simulate(files, since, { signal: control.signal, onProgress: (progress) => report({ status: 'running', progress }) }).then(
      (simulation) => report({ status: 'done', simulation, files, since }),
      (error: unknown) => report({ status: 'failed', problem: error instanceof Problem ? error : new Problem(NO_ANSWER) }),
    );
  };
  return { state, start, stop };
}

interface Following {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
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
