// Observe mode: which principals are observed, until when, and which callers send Prefect's own credential instead of one of Lictor.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config, RoleBinding } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ActionGroup } from '../../contract/operation.ts';
import { agentName, type Carrier, chainOf, isSharedPassword, type Principal, SHARED_PASSWORD, sharedPasswordId } from '../../contract/principal.ts';
import { presentedCredentials } from '../../identity/authn/carriers.ts';
import { listedOnce, lockOnAddress, lockOnPrincipal } from '../../identity/authn/locks.ts';
import { isMember } from '../../identity/authn/roles.ts';
import { type Authentication, refuse } from '../../identity/authn/verdict.ts';
import { credentialsOf } from '../../prefect/client/members.ts';
import type { Locks } from '../../store/locks.ts';
import type { Observations } from '../../store/observations.ts';

export interface Observation {
  /** The end in epoch milliseconds. Undefined: every decision about this principal is enforced. */
  until(principal: Principal): Promise<number | undefined>;
  /** Whether decisions on actions of this group are observed. Undefined: the action is unknown. */
  concerns(group: ActionGroup | undefined): boolean;
  /** The caller that sends Prefect's own credential, while everyone is observed. Undefined: another caller. */
  sharedCaller(inputs: EdgeInputs, frameToken?: string): Promise<Authentication | undefined>;
}

export interface ObservationParts {
  readonly config: Pick<Config, 'mode' | 'roles' | 'observe' | 'prefect' | 'identityProviders'>;
  readonly store: { readonly observations: Pick<Observations, 'begun' | 'enforced'>; readonly locks: Pick<Locks, 'list'> };
  readonly clock: Clock;
}

export const OBSERVED_DAYS = 30;
const OBSERVED_MS = OBSERVED_DAYS * 24 * 3_600_000;

/** The name of the observation of everyone; the others have the name of their role. */
export const EVERYONE = '*';

/** The observations that a configuration asks for. */
export function observationsIn({ mode, roles }: Pick<Config, 'mode' | 'roles'>): readonly string[] {
  const observed = roles.filter((binding) => binding.mode === 'observe').map(({ role }) => role);
  return [...new Set([...(mode === 'observe' ? [EVERYONE] : []), ...observed])];
}

/** The end of an observation that began then. */
export function endOfObservation(begunMs: number): number {
  return begunMs + OBSERVED_MS;
}

/** True when `lictor enforce` with this subject concerns the principal. */
export function isSubject(principal: Principal, subject: string): boolean {
  if (isSharedPassword(principal)) return subject === SHARED_PASSWORD;
  return principal.grants.some(({ role }) => role === subject) || isMember(principal, subject);
}

/** Undefined: the configuration observes nobody. Begins no observation: `Observations.keep` does, once the configuration is in use. */
export async function openObservation({ config, store, clock }: ObservationParts): Promise<Observation | undefined> {
  const names = observationsIn(config);
  if (names.length === 0) return undefined;
  const begun = await store.observations.begun();
  const ends = new Map(names.map((name) => [name, endOfObservation(begun.get(name) ?? clock())]));
  const endOf = (name: string): number | undefined => {
    const end = ends.get(name);
    return end !== undefined && clock() < end ? end : undefined;
  };
  const until = async (principal: Principal): Promise<number | undefined> => {
    const chain = chainOf(principal);
    if (chain.some((each) => isOfAgent(each) || isStranger(each))) return undefined;
    const enforced = await store.observations.enforced();
    const isEnforced = (each: Principal) => enforced.some(({ subject }) => isSubject(each, subject)) || bindingsOf(config, each, 'enforce').length > 0;
    if (chain.some(isEnforced)) return undefined;
    const ends = [EVERYONE, ...bindingsOf(config, principal, 'observe').map(({ role }) => role)].flatMap((name) => endOf(name) ?? []);
    return ends.length === 0 ? undefined : Math.max(...ends);
  };
  return {
    until,
    concerns: (group) => config.observe === undefined || (group !== undefined && config.observe.includes(group)),
    async sharedCaller(inputs, frameToken) {
      const carrier = inputs.audience === undefined ? sharedCarrier(config, inputs, frameToken) : undefined;
      if (carrier === undefined) return undefined;
      const principal = sharedPrincipal(inputs.address);
      const locks = listedOnce(store.locks);
      if ((await lockOnAddress(locks, inputs.address)) !== undefined) return refuse('locked');
      if ((await lockOnPrincipal({ locks, config }, principal)) !== undefined) return refuse('locked');
      const expiresAtMs = await until(principal);
      if (expiresAtMs === undefined) return undefined;
      return { ok: true, principal, credential: { id: SHARED_PASSWORD, carrier, expiresAtMs, sessionId: null, alsoPresented: [] } };
    },
  };
}

/** An agent, or a run that an agent started. */
function isOfAgent({ id, kind, onBehalfOf }: Principal): boolean {
  return kind === 'agent' || [id, ...onBehalfOf].some((each) => agentName(each) !== undefined);
}

/** Without any role, it has an account at a provider, and nothing in Prefect. */
function isStranger(principal: Principal): boolean {
  return principal.grants.length === 0 && !isSharedPassword(principal);
}

function bindingsOf({ roles }: Pick<Config, 'roles'>, principal: Principal, mode: NonNullable<RoleBinding['mode']>): readonly RoleBinding[] {
  return roles.filter((binding) => binding.mode === mode && binding.members.some((member) => isMember(principal, member)));
}

/** The first credential of the request, as always, is exactly Prefect's own. */
function sharedCarrier({ prefect }: Pick<Config, 'prefect'>, inputs: EdgeInputs, frameToken?: string): Carrier | undefined {
  const [first] = presentedCredentials(inputs, frameToken ?? null);
  const known = credentialsOf(prefect);
  if (first?.carrier === 'authorization') return known.some(({ authorization }) => isSame(inputs.authorization, authorization)) ? first.carrier : undefined;
  if (first?.carrier === 'frame') return known.some(({ token }) => isSame(frameToken ?? '', token)) ? first.carrier : undefined;
  return undefined;
}

/** In constant time. Null: Prefect has no credential, so no text is the same. */
function isSame(given: string, known: string | null): boolean {
  return known !== null && timingSafeEqual(digest(given), digest(known));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** One for each address: each has its own limits, and the record shows which. */
function sharedPrincipal(address: string): Principal {
  return { id: sharedPasswordId(address), kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] };
}
