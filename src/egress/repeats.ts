// services[].retries.budget: how many of the calls of a service may be made again, so that a storm of failures is not a storm of repeats.
//
// Calls are counted when they have ended, out of the access log, repeats before they begin: what is not counted yet makes the budget
// smaller, never larger.
import type { Config } from '../config/config.ts';
import type { Clock } from '../contract/clock.ts';

export interface Repeats {
  /** Calls that have reached the service. */
  counted(service: string, calls: number): void;
  /** True: one more is taken from the budget. */
  take(service: string): boolean;
}

/** A minute, in steps. */
const STEP_MS = 10_000;
const STEPS = 6;

interface Step {
  readonly begunMs: number;
  calls: number;
  repeats: number;
}

export function createRepeats({ services }: Pick<Config, 'services'>, steady: Clock): Repeats {
  const budgets = new Map<string, Budget>();
  for (const { name, retries } of services) if (retries?.budget != null) budgets.set(name, { share: retries.budget, steps: [] });
  return {
    counted(service, calls) {
      const budget = budgets.get(service);
      if (budget !== undefined) stepNow(budget, steady()).calls += calls;
    },
    take(service) {
      const budget = budgets.get(service);
      if (budget === undefined) return false;
      const step = stepNow(budget, steady());
      const sum = (what: 'calls' | 'repeats'): number => budget.steps.reduce((all, one) => all + one[what], 0);
      if (sum('repeats') + 1 > sum('calls') * budget.share) return false;
      step.repeats += 1;
      return true;
    },
  };
}

interface Budget {
  /** 0.1: one in ten. */
  readonly share: number;
  steps: Step[];
}

function stepNow(budget: Budget, nowMs: number): Step {
  budget.steps = budget.steps.filter(({ begunMs }) => nowMs - begunMs < STEP_MS * STEPS);
  const last = budget.steps.at(-1);
  if (last !== undefined && nowMs - last.begunMs < STEP_MS) return last;
  const next: Step = { begunMs: nowMs, calls: 0, repeats: 0 };
  budget.steps.push(next);
  return next;
}
