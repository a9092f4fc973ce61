// The refusals of budgets: they name agent, budget, number, and when to retry.
import type { Refusal } from '../mediate/handler.ts';

export interface OverBudget {
  readonly agent: string;
  /** The key in lictor.yaml. */
  readonly budget: 'calls' | 'runs' | 'bytes' | 'concurrent_runs';
  readonly most: number;
  /** How many the request asks for. */
  readonly asked: number;
  readonly waitMs: number;
}

const UNITS: Readonly<Record<OverBudget['budget'], string>> = { calls: '/min', runs: '/h', bytes: ' bytes/h', concurrent_runs: '' };

export function overBudget({ agent, budget, most, asked, waitMs }: OverBudget): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  const many = asked > most ? `The request asks for ${asked} at once.` : `Retry in ${retryAfterSeconds} s.`;
  return { code: 'budget-exceeded', detail: `The agent ${agent} has used its budget ${budget}: ${most}${UNITS[budget]}. ${many}`, retryAfterSeconds };
}
