// The check of own policies together with their decision vectors: policies with another decision than their vectors are invalid.
import type { Problem } from '../../../config/problem.ts';
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import { type CheckedPolicies, checkPolicyFiles } from './check.ts';
import { limitProblems } from './directory.ts';
import { runVectors, type VectorResults } from './run-vectors.ts';

export interface TestedPolicies extends CheckedPolicies {
  /** Undefined: the policies are invalid, so no vector ran. Its problems are not in `problems`. */
  readonly vectors: VectorResults | undefined;
}

export function withVectors(actions: readonly ActionEntry[], checked: CheckedPolicies): TestedPolicies {
  return { ...checked, vectors: checked.problems.length > 0 ? undefined : runVectors(actions, checked.policies) };
}

/** Texts that are in no directory yet: Lictor will read exactly these if they are written there. */
export function testPolicyFiles(actions: readonly ActionEntry[], files: PolicyFiles): TestedPolicies {
  const checked = checkPolicyFiles(actions, files);
  return withVectors(actions, { ...checked, problems: [...limitProblems(files), ...checked.problems] });
}

/** Every problem for which Lictor rejects the set. */
export function problemsOf({ problems, vectors }: TestedPolicies): readonly Problem[] {
  return [...problems, ...(vectors?.problems ?? [])];
}
