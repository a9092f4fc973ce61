// Starts the sample flow as alice and follows it to its end and onto the ledger's timeline.
import { LictorError } from '../src/contract/error.ts';
import { waitFor } from '../src/operations/supervise/processes/wait-for.ts';
import { lictor } from './lictor.ts';
import { logIn } from './log-in.ts';
import type { Person } from './people.ts';
import type { DemoPlaces } from './places.ts';
import { callerWith, createRun, type FlowRun, readRun } from './prefect-api.ts';

const ENDED = new Set(['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED']);
const RUN_TIMEOUT_MS = 120_000;

export interface SampleRun {
  readonly run: FlowRun;
  readonly completed: boolean;
}

/** Creates the run with the person's own session and waits for its terminal state. */
export async function runSample(url: string, person: Person, deploymentId: string, onState: (state: string) => void): Promise<SampleRun> {
  const call = callerWith(url, await logIn(url, person));
  const { id } = await createRun(call, deploymentId);
  let shown = '';
  const run = await waitFor(
    async () => {
      const now = await readRun(call, id);
      const state = now.state_name ?? now.state_type ?? 'unknown';
      if (state !== shown) onState(state);
      shown = state;
      return ENDED.has(now.state_type ?? '') ? now : undefined;
    },
    { what: `the sample run ${id} to end`, timeoutMs: RUN_TIMEOUT_MS, everyMs: 500 },
  );
  if (run === undefined) throw new LictorError('demo-step-failed', `the sample run ${id} did not end`);
  return { run, completed: run.state_type === 'COMPLETED' };
}

/** The run's timeline as text, as soon as it names the person; the last text when it never does. */
export async function timelineNaming(places: DemoPlaces, runId: string, person: Person): Promise<{ readonly text: string; readonly named: boolean }> {
  let text = '';
  try {
    await waitFor(
      async () => {
        text = await lictor(places, 'timeline', runId);
        return text.includes(person.name);
      },
      { what: `the timeline to name ${person.name}`, timeoutMs: 15_000, everyMs: 250 },
    );
    return { text, named: true };
  } catch {
    // The caller says what is missing; the demo then fails.
    return { text, named: false };
  }
}
