// What the parts of this view show.
import type { Report } from './shapes.ts';
import type { PolicyDraft } from './use-policy-draft.ts';
import type { SimulationControl } from './use-simulation.ts';

export interface Shown {
  readonly draft: PolicyDraft;
  readonly simulation: SimulationControl;
  /** Undefined: the first check has not ended. */
  readonly report: Report | undefined;
  /** The report is of an older text. */
  readonly isChecking: boolean;
}

/** Why the draft cannot be applied now: the first reason that counts, as the others do not matter before it. Undefined: it can. */
export function obstacleToApply(
  { draft, report, isChecking }: Omit<Shown, 'simulation'>,
  right: { readonly allowed: boolean; readonly why: string },
): string | undefined {
  const { apply } = draft.inForce;
  if (!right.allowed) return right.why;
  if (!apply.possible) return [apply.detail ?? 'No set can be applied now.', apply.hint ?? ''].join(' ').trim();
  if (draft.draft === undefined) return 'Nothing is changed.';
  if (isChecking || report === undefined) return 'The gateway checks the text.';
  const { length } = report.problems;
  if (length > 0) return length === 1 ? 'One problem is to be corrected first.' : `${length} problems are to be corrected first.`;
  return report.patches.length === 0 ? 'The text is the same as the one in force.' : undefined;
}
