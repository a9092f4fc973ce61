// services[].retries.budget: the share of a service's calls that may be repeated, so that many failures do not cause many more calls.
import type { SteadyClock } from '../../../contract/clock.ts';

export interface RetryBudget {
  /** Counts another call of the service. */
  count(): void;
  /** True: takes one repeat from the budget. */
  take(): boolean;
}

/** A minute, in steps. */
const STEP_MS = 10_000;
const STEPS = 6;

interface Step {
  readonly begunMs: number;
  calls: number;
  repeats: number;
}

/** `share` of the calls of the last minute may be repeats: 0.1 is one in ten. Null: no bound. */
export function createRetryBudget(share: number | null, steady: SteadyClock): RetryBudget {
  if (share === null) return { count: () => undefined, take: () => true };
  let steps: Step[] = [];
  const now = (): Step => {
    steps = currentSteps(steps, steady());
    return steps.at(-1) as Step;
  };
  return {
    count() {
      now().calls += 1;
    },
    take() {
      const step = now();
      const sum = (what: 'calls' | 'repeats'): number => steps.reduce((all, one) => all + one[what], 0);
      if (sum('repeats') + 1 > sum('calls') * share) return false;
      step.repeats += 1;
      return true;
    },
  };
}

/** The last one is the present step. */
function currentSteps(steps: readonly Step[], nowMs: number): Step[] {
  const recent = steps.filter(({ begunMs }) => nowMs - begunMs < STEP_MS * STEPS);
  const last = recent.at(-1);
  return last !== undefined && nowMs - last.begunMs < STEP_MS ? recent : [...recent, { begunMs: nowMs, calls: 0, repeats: 0 }];
}
