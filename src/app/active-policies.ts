// The own policies in force: loads them at a start, stores each set that comes into force, applies new ones at run time.

import { type CheckedPolicies, checkPolicyFiles, loadOwnPolicies, type OwnPolicies } from '../authorization/policy/own/check.ts';
import { checkByThread } from '../authorization/policy/own/check-by-thread.ts';
import type { PolicyTexts } from '../authorization/policy/policies.ts';
import type { Config } from '../config/config.ts';
import { renderProblem } from '../config/problem.ts';
import { byWhom } from '../contract/chain-words.ts';
import { LictorError } from '../contract/error.ts';
import { POLICY_CHANGE, type PolicyChange, type PolicyOutcome, type PolicyRequest } from '../contract/policy-outcome.ts';
import { boundGrants } from '../identity/authn/recorded-grants.ts';
import { type ActionEntry, collectActions } from '../prefect/catalog/actions.ts';
import type { PolicySets } from '../store/policy-sets.ts';
import type { CurrentRuntime } from './current-runtime.ts';
import type { ProcessServices } from './process-services.ts';
import { localUser, syncOrLog } from './reload-report.ts';
import { buildRuntime, type Runtime } from './runtime.ts';

export interface StartingPolicies {
  readonly actions: readonly ActionEntry[];
  readonly config: Config;
  readonly policySets: PolicySets;
  /** Started again after a crash: the stored set stays in force, whatever the files say now. */
  readonly inUse: boolean;
  /** Several nodes share the store: none of them is without the set of the others, whatever its configuration names. */
  readonly several: boolean;
}

/** Throws LictorError `policies-invalid` with every problem. */
export async function loadActivePolicies({ inUse, ...parts }: StartingPolicies): Promise<OwnPolicies> {
  const checked = inUse ? await storedPolicies(parts) : loadOwnPolicies(parts.actions, parts.config.policies);
  if (checked.problems.length > 0) throw new LictorError('policies-invalid', problemsText(checked));
  return checked.policies;
}

/** The set in the store, or the files if there is none yet. A configuration without a directory has no own policies. */
export async function storedPolicies({ actions, config, policySets, several }: Omit<StartingPolicies, 'inUse'>): Promise<CheckedPolicies> {
  const last = several || config.policies !== null ? await policySets.latest() : undefined;
  return last === undefined ? loadOwnPolicies(actions, config.policies) : checkPolicyFiles(actions, last.files);
}

export function problemsText({ problems }: Pick<CheckedPolicies, 'problems'>): string {
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

/**
 * For a start or a reload. A set that several nodes share stays as it is: another node may have stored a newer one meanwhile, and this node may be unable
 * to use it.
 */
export async function storeLoadedSet({ store, membership }: Pick<ProcessServices, 'store' | 'membership'>, runtime: Runtime): Promise<() => Promise<void>> {
  if (membership !== null && (await store.policySets.latest()) !== undefined) return async () => undefined;
  return storePolicySet(store.policySets, runtime, { by: localUser().principal, onBehalfOf: [], why: '' });
}

export interface ApplyParts {
  readonly shared: ProcessServices;
  readonly current: CurrentRuntime;
  readonly retire: (former: Runtime) => void;
}

/** Applies the files as they are now, all or none; nginx needs no reload. Every decision after the swap carries the new revision. */
export async function applyPolicies(parts: ApplyParts, request: PolicyRequest): Promise<PolicyOutcome> {
  const { shared, current } = parts;
  const { config, revision, policies } = current.get();
  const record = (change: PolicyChange) => recordPolicies(shared, config, { request, change });
  const refuse = async (why: string): Promise<PolicyOutcome> => {
    shared.log.error({ by: request.by }, `policies refused: ${why}`);
    await record(refusedChange(revision));
    return { applied: false, revision, why };
  };
  if (config.policies === null) return refuse('The configuration in use names no directory: add policies: DIRECTORY to it and reload (SIGHUP).');
  if (config.ledger.failClosed && !shared.ledger.healthy()) return refuse(NO_LEDGER);
  const checked = await checkByThread(collectActions(shared.catalogue.operations), config.policies);
  if (checked.problems.length > 0) return refuse(problemsText(checked));
  if (JSON.stringify(checked.policies.files) === JSON.stringify(policies.files)) return { applied: true, from: revision, to: revision };
  const to = await bringIntoForce(parts, { policies: checked.policies, request, record });
  return to === null ? { applied: false, revision, why: NO_LEDGER } : { applied: true, from: revision, to };
}

const NO_LEDGER = 'The ledger cannot be written, so changes are refused.';

export interface NextPolicies {
  readonly policies: OwnPolicies;
  readonly request: PolicyRequest;
  /** False: the change must not happen without its record. */
  readonly record: (change: PolicyChange) => Promise<boolean>;
  /** Texts that are not on the disk yet. They are written after the record, and restored if the set does not come into force. */
  readonly files?: { readonly write: () => void; readonly restore: () => void };
}

/** The record comes first. Returns the new revision; null: it could not be recorded, and nothing has changed. */
export async function bringIntoForce({ shared, current, retire }: ApplyParts, { policies, request, record, files }: NextPolicies): Promise<number | null> {
  const former = current.get();
  const runtime = await buildRuntime(shared, former.config, policies);
  const change = appliedChange(former, runtime);
  if (!(await record(change))) {
    await runtime.retire();
    return null;
  }
  try {
    files?.write();
    await storePolicySet(shared.store.policySets, runtime, request);
  } catch (error) {
    restore(files, shared);
    await record(refusedChange(former.revision));
    await runtime.retire();
    throw error;
  }
  current.swap(runtime);
  // The command line checks by itself that the change has taken effect.
  await syncOrLog(shared);
  retire(former);
  shared.log.info({ from: former.revision, to: runtime.revision, by: request.by }, 'policies applied');
  return runtime.revision;
}

/** Where the disk cannot be written, the files differ from the policies in force: `lictor policy diff` and the console show that. */
function restore(files: NextPolicies['files'], { log }: ProcessServices): void {
  try {
    files?.restore();
  } catch (error) {
    log.error({ err: error }, 'the files of the policies in force could not be restored');
  }
}

/**
 * Another node has recorded the change. With a set that this node cannot use, its own one stays in force. `seen` remembers the compared set: after any
 * other error, the next call tries again.
 */
export async function adoptPolicies({ shared, current, retire }: ApplyParts, seen: { policiesMs: number }): Promise<void> {
  const { policySets } = shared.store;
  const [newest] = await policySets.heads({ limit: 1, before: undefined });
  if (newest === undefined || newest.createdMs === seen.policiesMs) return;
  const former = current.get();
  const checked = await storedPolicies({ actions: collectActions(shared.catalogue.operations), config: former.config, policySets, several: true });
  const isSame = JSON.stringify(checked.policies.files) === JSON.stringify(former.policies.files);
  if (isSame || checked.problems.length > 0) seen.policiesMs = newest.createdMs;
  if (isSame) return;
  if (checked.problems.length > 0) throw new LictorError('policies-invalid', problemsText(checked));
  const runtime = await buildRuntime(shared, former.config, checked.policies);
  current.swap(runtime);
  seen.policiesMs = newest.createdMs;
  await syncOrLog(shared);
  retire(former);
  shared.log.info({ from: former.revision, to: runtime.revision }, 'policies of another node applied');
}

function appliedChange(former: Runtime, next: Runtime): PolicyChange {
  return {
    reason: 'policies-applied',
    decision: 'allow',
    revision: next.revision,
    resource_id: `${former.revision} -> ${next.revision}`,
    grants: boundGrants(next.config),
    policies: changedPolicies(former.policies.texts, next.policies.texts),
  };
}

function refusedChange(revision: number): PolicyChange {
  return { reason: 'policies-refused', decision: 'deny', revision, resource_id: `${revision} -> ${revision}` };
}

/** `+ID`, `-ID` and `~ID`: added, removed and changed. */
function changedPolicies(former: PolicyTexts, next: PolicyTexts): readonly string[] {
  const ids = [...new Set([...Object.keys(former), ...Object.keys(next)])].filter((id) => former[id] !== next[id]).sort();
  return ids.map((id) => `${former[id] === undefined ? '+' : next[id] === undefined ? '-' : '~'}${id}`);
}

interface Recorded {
  readonly request: PolicyRequest;
  readonly change: PolicyChange;
}

async function recordPolicies({ ledger, clock, log }: ProcessServices, config: Config, { request, change }: Recorded): Promise<boolean> {
  const who = { principal: request.by, principal_kind: 'user', on_behalf_of: request.onBehalfOf } as const;
  try {
    await ledger.append({ time: new Date(clock()).toISOString(), ...who, ...POLICY_CHANGE, mode: 'enforce', ...change });
    return true;
  } catch (error) {
    log.error({ err: error }, 'a change of policies could not be recorded');
    return !config.ledger.failClosed;
  }
}
