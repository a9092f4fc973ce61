// The own policies in force: loads them at a start, stores each set that comes into force, applies new ones at run time.

import { type CheckedPolicies, checkPolicyFiles, loadOwnPolicies, type OwnPolicies } from '../authorization/policy/own/check.ts';
import { checkByThread } from '../authorization/policy/own/check-by-thread.ts';
import type { PolicyTexts } from '../authorization/policy/policies.ts';
import type { Config } from '../config/config.ts';
import { renderProblem } from '../config/problem.ts';
import { byWhom } from '../contract/chain-words.ts';
import { LictorError } from '../contract/error.ts';
import type { PolicyOutcome, PolicyRequest } from '../contract/policy-outcome.ts';
import type { NewRecord } from '../contract/record.ts';
import { boundGrants } from '../identity/authn/recorded-grants.ts';
import { type ActionEntry, collectActions } from '../prefect/catalog/actions.ts';
import type { PolicySets } from '../store/policy-sets.ts';
import type { CurrentRuntime } from './current-runtime.ts';
import type { ProcessServices } from './process-services.ts';
import { syncOrLog } from './reload-report.ts';
import { buildRuntime, type Runtime } from './runtime.ts';

export interface StartingPolicies {
  readonly actions: readonly ActionEntry[];
  readonly config: Config;
  readonly policySets: PolicySets;
  /** Started again after a crash: the stored set stays in force, whatever the files say now. */
  readonly inUse: boolean;
}

/** Throws LictorError `policies-invalid` with every problem. */
export async function loadActivePolicies({ actions, config, policySets, inUse }: StartingPolicies): Promise<OwnPolicies> {
  const last = inUse && config.policies !== null ? await policySets.latest() : undefined;
  const checked = last === undefined ? loadOwnPolicies(actions, config.policies) : checkPolicyFiles(actions, last.files);
  if (checked.problems.length > 0) throw new LictorError('policies-invalid', problemsText(checked));
  return checked.policies;
}

function problemsText({ problems }: CheckedPolicies): string {
  return problems
    .map((problem) => renderProblem('policies', problem))
    .join('')
    .trimEnd();
}

/** Call it before the runtime is used: a set that cannot be stored does not come into force. Returns how to undo it. Skips a set that is stored already. */
export async function storePolicySet(
  policySets: PolicySets,
  { policies, revision }: Pick<Runtime, 'policies' | 'revision'>,
  applied: PolicyRequest,
): Promise<() => Promise<void>> {
  const last = await policySets.latest();
  if (JSON.stringify(last?.files ?? {}) === JSON.stringify(policies.files)) return async () => undefined;
  const { by, why, onBehalfOf } = applied;
  await policySets.put({ revision, files: policies.files, by: byWhom(by, onBehalfOf), why });
  return () => policySets.forget(revision);
}

export interface ApplyParts {
  readonly shared: ProcessServices;
  readonly current: CurrentRuntime;
  readonly retire: (former: Runtime) => void;
}

/** Applies the files as they are now, all or none; nginx needs no reload. Every decision after the swap carries the new revision. */
export async function applyPolicies({ shared, current, retire }: ApplyParts, request: PolicyRequest): Promise<PolicyOutcome> {
  const { config, revision, policies } = current.get();
  const refuse = async (why: string): Promise<PolicyOutcome> => {
    shared.log.error({ by: request.by }, `policies refused: ${why}`);
    await recordPolicies(shared, request, { reason: 'policies-refused', decision: 'deny', revision, resource_id: `${revision} -> ${revision}` });
    return { applied: false, revision, why };
  };
  if (config.policies === null) return refuse('The configuration in use names no directory: add policies: DIRECTORY to it and reload (SIGHUP).');
  if (config.ledger.failClosed && !shared.ledger.healthy()) return refuse('The ledger cannot be written, so changes are refused.');
  const checked = await checkByThread(collectActions(shared.catalogue.operations), config.policies);
  if (checked.problems.length > 0) return refuse(problemsText(checked));
  if (JSON.stringify(checked.policies.files) === JSON.stringify(policies.files)) return { applied: true, from: revision, to: revision };
  const runtime = await buildRuntime(shared, config, checked.policies);
  try {
    await storePolicySet(shared.store.policySets, runtime, request);
  } catch (error) {
    await runtime.retire();
    throw error;
  }
  const former = current.swap(runtime);
  // The command line checks by itself that the change has taken effect.
  await syncOrLog(shared);
  retire(former);
  shared.log.info({ from: revision, to: runtime.revision, by: request.by }, 'policies applied');
  await recordPolicies(shared, request, {
    reason: 'policies-applied',
    decision: 'allow',
    revision: runtime.revision,
    resource_id: `${revision} -> ${runtime.revision}`,
    grants: boundGrants(config),
    policies: changedPolicies(policies.texts, runtime.policies.texts),
  });
  return { applied: true, from: revision, to: runtime.revision };
}

/** `+ID`, `-ID` and `~ID`: added, removed and changed. */
function changedPolicies(former: PolicyTexts, next: PolicyTexts): readonly string[] {
  const ids = [...new Set([...Object.keys(former), ...Object.keys(next)])].filter((id) => former[id] !== next[id]).sort();
  return ids.map((id) => `${former[id] === undefined ? '+' : next[id] === undefined ? '-' : '~'}${id}`);
}

/** A change is not rolled back when it cannot be recorded: the ledger's health reports that. */
async function recordPolicies({ ledger, clock, log }: ProcessServices, { by, onBehalfOf }: PolicyRequest, change: Omit<NewRecord, 'time'>): Promise<void> {
  const who = { principal: by, principal_kind: 'user', on_behalf_of: onBehalfOf, action: 'policy.apply', resource_type: 'PolicySet', mode: 'enforce' } as const;
  await ledger
    .append({ time: new Date(clock()).toISOString(), ...who, ...change })
    .catch((error: unknown) => log.error({ err: error }, 'a change of policies could not be recorded'));
}
