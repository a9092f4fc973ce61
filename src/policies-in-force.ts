// Own policies of the running gateway: which are in force at a start, and what is kept of those that came into force.
import { boundGrants } from './authn/recorded-grants.ts';
import { type ActionEntry, collectActions } from './catalog/actions.ts';
import type { Config } from './config/config.ts';
import { renderProblem } from './config/problem.ts';
import { byWhom } from './contract/asserted.ts';
import { LictorError } from './contract/error.ts';
import type { PolicyOutcome, PolicyRequest } from './contract/policy-outcome.ts';
import type { NewRecord } from './contract/record.ts';
import type { Current } from './current.ts';
import { type CheckedPolicies, checkPolicyFiles, loadOwnPolicies, type OwnPolicies } from './policy/own/check.ts';
import { checkByThread } from './policy/own/check-by-thread.ts';
import type { PolicyTexts } from './policy/policies.ts';
import { syncOrLog } from './reload-told.ts';
import { buildRooms, type House, type Rooms } from './rooms.ts';
import type { PolicySets } from './store/policy-sets.ts';

export interface StartingPolicies {
  readonly actions: readonly ActionEntry[];
  readonly config: Config;
  readonly kept: PolicySets;
  /** Started again after a death: what was in force is used on, whatever the files say by now. */
  readonly inUse: boolean;
}

/** Throws LictorError `policies-invalid` with every problem. */
export async function policiesAtStart({ actions, config, kept, inUse }: StartingPolicies): Promise<OwnPolicies> {
  const last = inUse && config.policies !== null ? await kept.latest() : undefined;
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

/** Before the rooms are used: a set that could not be kept does not come into force. Answers how to take that back; nothing is kept of a set that is in force already. */
export async function keepPolicySet(
  kept: PolicySets,
  { policies, revision }: Pick<Rooms, 'policies' | 'revision'>,
  applied: PolicyRequest,
): Promise<() => Promise<void>> {
  const last = await kept.latest();
  if (JSON.stringify(last?.files ?? {}) === JSON.stringify(policies.files)) return async () => undefined;
  const { by, why, onBehalfOf } = applied;
  await kept.put({ revision, files: policies.files, by: byWhom(by, onBehalfOf), why });
  return () => kept.forget(revision);
}

export interface ApplyParts {
  readonly house: House;
  readonly current: Current;
  /** The rooms that were in use have no part in anything new. */
  readonly retire: (former: Rooms) => void;
}

/** The files as they are now, all or none; nginx has no part in it. From the swap on every new decision carries the new revision. */
export async function applyPolicies({ house, current, retire }: ApplyParts, request: PolicyRequest): Promise<PolicyOutcome> {
  const { config, revision, policies } = current.get();
  const refuse = async (why: string): Promise<PolicyOutcome> => {
    house.log.error({ by: request.by }, `policies refused: ${why}`);
    await recordPolicies(house, request, { reason: 'policies-refused', decision: 'deny', revision, resource_id: `${revision} -> ${revision}` });
    return { applied: false, revision, why };
  };
  if (config.policies === null) return refuse('The configuration in use names no directory: add policies: DIRECTORY to it and reload (SIGHUP).');
  if (config.ledger.failClosed && !house.ledger.healthy()) return refuse('The ledger cannot be written, so changes are refused.');
  const checked = await checkByThread(collectActions(house.catalogue.operations), config.policies);
  if (checked.problems.length > 0) return refuse(problemsText(checked));
  if (JSON.stringify(checked.policies.files) === JSON.stringify(policies.files)) return { applied: true, from: revision, to: revision };
  const rooms = await buildRooms(house, config, checked.policies);
  try {
    await keepPolicySet(house.store.policySets, rooms, request);
  } catch (error) {
    await rooms.retire();
    throw error;
  }
  const former = current.swap(rooms);
  // The command line looks itself whether it holds.
  await syncOrLog(house);
  retire(former);
  house.log.info({ from: revision, to: rooms.revision, by: request.by }, 'policies applied');
  await recordPolicies(house, request, {
    reason: 'policies-applied',
    decision: 'allow',
    revision: rooms.revision,
    resource_id: `${revision} -> ${rooms.revision}`,
    grants: boundGrants(config.roles),
    policies: changedPolicies(policies.texts, rooms.policies.texts),
  });
  return { applied: true, from: revision, to: rooms.revision };
}

/** `+ID`, `-ID` and `~ID`: added, removed and changed. */
function changedPolicies(former: PolicyTexts, next: PolicyTexts): readonly string[] {
  const ids = [...new Set([...Object.keys(former), ...Object.keys(next)])].filter((id) => former[id] !== next[id]).sort();
  return ids.map((id) => `${former[id] === undefined ? '+' : next[id] === undefined ? '-' : '~'}${id}`);
}

/** What is done is never undone because it could not be recorded: the ledger's own health says so. */
async function recordPolicies({ ledger, clock, log }: House, { by, onBehalfOf }: PolicyRequest, change: Omit<NewRecord, 'time'>): Promise<void> {
  const who = { principal: by, principal_kind: 'user', on_behalf_of: onBehalfOf, action: 'policy.apply', resource_type: 'PolicySet', mode: 'enforce' } as const;
  await ledger
    .append({ time: new Date(clock()).toISOString(), ...who, ...change })
    .catch((error: unknown) => log.error({ err: error }, 'a change of policies could not be recorded'));
}
