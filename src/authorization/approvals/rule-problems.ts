// The names of actions in the rules of `approvals`: a rule with a misspelt name would hold nothing.
import type { ApprovalRule } from '../../config/config.ts';
import { type Problem, problemPath } from '../../config/problem.ts';
import { nearestName } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/operations.ts';

export function ruleProblems(rules: readonly ApprovalRule[]): readonly Problem[] {
  const names = rules.length === 0 ? [] : collectActions(OPERATIONS).map(({ name }) => name);
  return rules.flatMap((rule, at) =>
    rule.actions.flatMap((name, index) => {
      if (names.includes(name)) return [];
      const nearest = nearestName(name, names);
      const remedy = nearest === undefined ? 'docs/reference/rights.md lists the actions.' : `Did you mean ${nearest}?`;
      return [{ path: problemPath(['approvals', at, 'actions', index]), message: `${name} is not an action`, remedy }];
    }),
  );
}

/** Throws LictorError `config-invalid` with the first problem. */
export function assertRules(rules: readonly ApprovalRule[]): void {
  const [problem] = ruleProblems(rules);
  if (problem !== undefined) throw new LictorError('config-invalid', `${problem.path}: ${problem.message}. ${problem.remedy}`);
}
