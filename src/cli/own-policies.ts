// The own policies for commands: those on the disk, checked, and those in force.
import { join, relative } from 'node:path';
import { type CheckedPolicies, checkPolicyFiles, loadOwnPolicies, NO_POLICIES, type OwnPolicies } from '../authorization/policy/own/check.ts';
import { problemsOf, withVectors } from '../authorization/policy/own/tested.ts';
import type { Config } from '../config/config.ts';
import { type Problem, renderProblem } from '../config/problem.ts';
import { systemClock } from '../contract/clock.ts';
import type { PolicyFiles } from '../contract/policy-files.ts';
import type { StoreAddress } from '../contract/store-address.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { OPERATIONS } from '../prefect/catalog/catalogue.ts';
import { storeExists } from '../store/rows.ts';
import { openStore } from '../store/store.ts';
import { CommandFailed } from './errors.ts';

/** Problems name files relative to the working directory. */
export function checkedPolicies({ policies }: Pick<Config, 'policies'>): CheckedPolicies {
  const checked = loadOwnPolicies(collectActions(OPERATIONS), policies);
  return { ...checked, problems: checked.problems.map(shown), warnings: checked.warnings.map(shown) };
}

/** Also runs the decision vectors: policies with another decision than their vectors are invalid. */
export function testedPolicies({ policies: directory }: Pick<Config, 'policies'>): CheckedPolicies & { readonly vectors: number } {
  const { vectors, ...checked } = withVectors(collectActions(OPERATIONS), checkedPolicies({ policies: directory }));
  if (vectors === undefined) return { ...checked, vectors: 0 };
  const placed = vectors.problems.map((problem) => (problem.file === undefined ? problem : { ...problem, file: join(directory ?? '', problem.file) }));
  return { ...checked, problems: placed.map(shown), vectors: vectors.count };
}

/** Policies and vectors of the set that is in force. Problems name files without a directory. */
export function problemsInForce(files: PolicyFiles): readonly Problem[] {
  const actions = collectActions(OPERATIONS);
  return problemsOf(withVectors(actions, checkPolicyFiles(actions, files)));
}

/** `file`: the configuration, for problems without a policy file. */
export function renderProblems(file: string, problems: readonly Problem[]): string {
  return problems.map((problem) => renderProblem(file, problem)).join('');
}

/** Throws CommandFailed with every problem. */
export function soundPolicies(config: Pick<Config, 'policies'>, file: string): OwnPolicies {
  return sound(checkedPolicies(config), file);
}

function sound({ policies, problems }: CheckedPolicies, file: string): OwnPolicies {
  if (problems.length > 0) throw new CommandFailed(renderProblems(file, problems).trimEnd());
  return policies;
}

/** The last applied set. Before the first start, the set on the disk. Throws as `soundPolicies`. */
export async function policiesInForce(config: Pick<Config, 'policies' | 'storeAt'>, file: string): Promise<OwnPolicies> {
  if (config.policies === null) return NO_POLICIES;
  const last = storeExists(config.storeAt) ? await latestSet(config.storeAt) : undefined;
  return last === undefined ? soundPolicies(config, file) : sound(checkPolicyFiles(collectActions(OPERATIONS), last), file);
}

async function latestSet(storeAt: StoreAddress): Promise<OwnPolicies['files'] | undefined> {
  const store = await openStore({ at: storeAt, clock: systemClock });
  try {
    return (await store.policySets.latest())?.files;
  } finally {
    await store.close();
  }
}

/** The problem with a file relative to the working directory. */
function shown(problem: Problem): Problem {
  if (problem.file === undefined) return problem;
  const near = relative(process.cwd(), problem.file);
  return { ...problem, file: near.startsWith('..') ? problem.file : near };
}
