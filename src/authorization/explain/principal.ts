// `alice@local`, `token:etl-worker`, `agent:copilot`, `run:ID` or `role:viewer` -> the principal of such a request, and the sources of its roles.

import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { nearestName } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import type { Identity } from '../../contract/identity.ts';
import { type Lock, lockText } from '../../contract/lock.ts';
import { agentId, agentName, type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { runOfPrincipal, runPrincipalId } from '../../contract/run-token.ts';
import { everywhere, roleNames } from '../../contract/scope.ts';
import { idpOfAccount, userPrincipal } from '../../identity/authn/accounts/principal.ts';
import { createAgentCredentials } from '../../identity/authn/agent/credentials.ts';
import { identityPrincipal } from '../../identity/authn/identity/principal.ts';
import { type LocksUnder, lockOnPrincipal } from '../../identity/authn/locks.ts';
import { accountHolder, identityHolder, type RoleOrigin, roleOrigins, tokenHolder } from '../../identity/authn/role-origins.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import type { Store } from '../../store/store.ts';
import type { StoredToken } from '../../store/tokens.ts';
import { actingFor, namedAgent } from './agent.ts';
import { findRun } from './run.ts';
import { isWorkloadProvider, workloadPrincipal } from './workload.ts';

export interface ResolvedPrincipal {
  readonly principal: Principal;
  /** `role:...`, `group:...`: no existing principal. */
  readonly hypothetical: boolean;
  readonly roles: readonly RoleOrigin[];
  /** Set when Lictor refuses every request of this principal before the policies decide. */
  readonly refusedAs: ReasonCode | null;
  readonly notes: readonly string[];
}

export type PrincipalStore = Pick<Store, 'tokens' | 'accounts' | 'identities' | 'locks' | 'accessTokens'> & Partial<Pick<Store, 'runTokens'>>;

export interface PrincipalParts {
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'agents'>;
  /** Not opened for `role:...`: such a question needs no store. */
  readonly store: () => Promise<PrincipalStore>;
  readonly nowMs: number;
  /** True for a worker role. Left out: Lictor does not read the tokens of runs and their workers. */
  readonly mayPoll?: (role: string) => boolean;
}

/** Throws LictorError `principal-unknown` with a suggestion. */
export async function findPrincipal(text: string, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  if (isOfKind('role', text)) return hypothetical(text);
  const run = runOfPrincipal(text);
  if (run !== null && parts.mayPoll === undefined) return unresolvedRun(run);
  const store = await parts.store();
  const under = { locks: store.locks, config: parts.config };
  // A lock on a service token or a workload also holds on the agent that it is.
  const found = await withLock(await existing(text, store, parts), under);
  return withLock(await actingFor(found, store, parts), under);
}

export async function withLock(found: ResolvedPrincipal, under: LocksUnder): Promise<ResolvedPrincipal> {
  const lock = await lockOnPrincipal(under, found.principal);
  return lock === undefined || found.refusedAs === 'locked'
    ? found
    : { ...found, refusedAs: found.refusedAs ?? 'locked', notes: [...found.notes, lockNote(lock)] };
}

/** A text with an `@` is the full name of a person: a provider may have a user `role:viewer`. */
function isOfKind(kind: 'role' | 'token', text: string): boolean {
  return text.startsWith(`${kind}:`) && !text.includes('@');
}

async function existing(text: string, store: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const run = runOfPrincipal(text);
  if (run !== null) return tokenRun(run, store, parts);
  const agent = agentName(text);
  if (agent !== undefined) return existingAgent(agent, store, parts);
  if (isOfKind('token', text)) return tokenPrincipal(text.slice('token:'.length), store, parts);
  const at = text.lastIndexOf('@');
  const [name, idp] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && isWorkloadProvider(idp, parts.config)) return workloadPrincipal({ name, idp }, store.accessTokens, parts.config);
  if (at > 0) return accountPrincipal({ name, idp }, store, parts);
  throw unknown(text, await knownIds(store, parts));
}

function lockNote(lock: Lock): string {
  const until = lock.expiresMs === null ? '' : `, until ${new Date(lock.expiresMs).toISOString()}`;
  const remedy = lock.kind === 'scim' ? 'Activate them at the identity provider.' : `lictor unlock ${lockText(lock)} ends it.`;
  return `Locked (${lockText(lock)}) by ${lock.by}${until}${lock.why === '' ? '' : `: ${lock.why}`}. ${remedy}`;
}

function hypothetical(text: string): ResolvedPrincipal {
  const roles = text.slice('role:'.length).split(',');
  for (const role of roles) {
    if (BUILT_IN_ROLES.some((known) => known === role)) continue;
    throw unknownIn(`There is no role ${JSON.stringify(role)}`, role, BUILT_IN_ROLES, `Roles: ${BUILT_IN_ROLES.join(', ')}.`);
  }
  const kind = roles.length === 1 && roles[0] === 'worker' ? 'worker' : 'service';
  const principal: Principal = { id: text, kind, idp: null, roles, grants: everywhere(roles), groups: [], attributes: {}, onBehalfOf: [] };
  return { principal, hypothetical: true, roles: roles.map((role) => ({ role, scope: null, from: ['as asked'] })), refusedAs: null, notes: [] };
}

async function tokenRun(run: string, { runTokens }: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const { mayPoll, nowMs } = parts;
  if (mayPoll === undefined || runTokens === undefined) return unresolvedRun(run);
  return (await findRun(run, { runTokens, nowMs, mayPoll, workerOf: (id) => findPrincipal(id, parts) })) ?? unresolvedRun(run, NO_TOKEN);
}

const NO_TOKEN =
  'No token was made for this run, or its end is more than a day ago (docs/how-to/workers.md says which runs get one): this is what a run could do whose worker holds its role on everything.';

/** A run with the rights of runs, without the scopes and the state of its worker. */
function unresolvedRun(flowRunId: string, note = NOT_LOOKED): ResolvedPrincipal {
  const attributes = { [RUN_ATTRIBUTE]: flowRunId };
  const principal: Principal = {
    id: runPrincipalId(flowRunId),
    kind: 'run',
    idp: null,
    roles: ['run'],
    grants: everywhere(['run']),
    groups: [],
    attributes,
    onBehalfOf: [],
  };
  return { principal, hypothetical: false, roles: [{ role: 'run', scope: null, from: ['its token'] }], refusedAs: null, notes: [note] };
}

const NOT_LOOKED = 'As a run whose worker holds its role on everything; who has started it, and whether its token still holds, are not looked at.';

/** With the state of its service token, if it has one. */
async function existingAgent(name: string, store: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const agent = parts.config.agents.find((each) => each.name === name);
  if (agent === undefined) throw unknown(agentId(name), await knownIds(store, parts));
  const hasToken = agent.credential.kind === 'token' && (await store.tokens.list()).some((token) => token.name === name);
  return hasToken ? tokenPrincipal(name, store, parts) : namedAgent(agent, store, parts);
}

async function tokenPrincipal(name: string, store: PrincipalStore, parts: PrincipalParts): Promise<ResolvedPrincipal> {
  const all = await store.tokens.list();
  const token = all.find((candidate) => candidate.name === name && candidate.revokedMs === null) ?? all.findLast((candidate) => candidate.name === name);
  if (token === undefined) throw unknown(`token:${name}`, await knownIds(store, parts));
  const grants = createRoleBook(parts.config.roles).ofToken(token);
  const roles = roleNames(grants);
  const kind = roles.length === 1 && roles[0] === 'worker' ? 'worker' : 'service';
  return {
    principal: { id: `token:${name}`, kind, idp: null, roles, grants, groups: [], attributes: {}, onBehalfOf: [] },
    hypothetical: false,
    roles: roleOrigins(tokenHolder(token), parts.config.roles),
    refusedAs: tokenProblem(token, parts.nowMs),
    notes:
      token.cidrs.length === 0 ? [] : [`The token is accepted from ${token.cidrs.join(', ')} only; from elsewhere it is refused (401 credential-address).`],
  };
}

function tokenProblem(token: StoredToken, nowMs: number): ReasonCode | null {
  if (token.revokedMs !== null) return 'credential-revoked';
  if (token.secrets.every(({ expiresMs }) => expiresMs !== null && expiresMs <= nowMs)) return 'credential-expired';
  return token.heldMs === null ? null : 'credential-unconfirmed';
}

async function accountPrincipal(
  { name, idp }: { readonly name: string; readonly idp: string },
  store: PrincipalStore,
  parts: PrincipalParts,
): Promise<ResolvedPrincipal> {
  const account = await store.accounts.byName(name);
  if (account === undefined || idpOfAccount(account, parts.config) !== idp) return identityOrUnknown({ name, idp }, store, parts);
  return {
    principal: userPrincipal(account, idp, createRoleBook(parts.config.roles)),
    hypothetical: false,
    roles: roleOrigins(accountHolder(account, idp), parts.config.roles),
    refusedAs: account.heldMs === null ? null : 'credential-unconfirmed',
    notes: [],
  };
}

/** With the groups and claims of the last login or refresh. */
async function identityOrUnknown(
  { name, idp }: { readonly name: string; readonly idp: string },
  store: PrincipalStore,
  parts: PrincipalParts,
): Promise<ResolvedPrincipal> {
  const identity = await store.identities.byName(idp, name);
  if (identity !== undefined) return ofIdentity(identity, parts, [`Groups and claims are what ${idp} said at the last login or refresh.`]);
  const provisioned = await provisionedPerson({ name, idp }, store, parts);
  if (provisioned !== undefined) return provisioned;
  throw unknown(`${name}@${idp}`, await knownIds(store, parts), beforeLogin(idp, parts.config));
}

/** A person that SCIM has sent, and who has not logged in. */
async function provisionedPerson(
  { name, idp }: { readonly name: string; readonly idp: string },
  { identities }: PrincipalStore,
  parts: PrincipalParts,
): Promise<ResolvedPrincipal | undefined> {
  // The subject is unknown before the first login: SCIM finds the person by the name.
  const person: Identity = { idp, subject: randomUUID(), name, kind: 'user', groups: [], claims: {} };
  const user = await identities.provisioned(person);
  if (user === undefined) return undefined;
  const found = ofIdentity({ ...person, groups: user.groups }, parts, [`${idp} has sent this person by SCIM. There was no login yet, so there are no claims.`]);
  if (user.isActive) return found;
  return { ...found, refusedAs: 'locked', notes: [...found.notes, `${idp} has deactivated or deleted this person.`] };
}

function ofIdentity(identity: Identity, { config: { roles } }: PrincipalParts, notes: readonly string[]): ResolvedPrincipal {
  return {
    principal: identityPrincipal(identity, createRoleBook(roles)),
    hypothetical: false,
    roles: roleOrigins(identityHolder(identity, roles), roles),
    refusedAs: null,
    notes,
  };
}

function beforeLogin(idp: string, { identityProviders }: PrincipalParts['config']): string {
  const isOfPeople = identityProviders.some(({ id, type }) => id === idp && type !== 'accounts');
  return isOfPeople ? ` Lictor knows a person of ${idp} from the first login on, or from SCIM. Before it, ask for a group: group:NAME@${idp}.` : '';
}

/** Accounts that may log in, people of providers, tokens that are not revoked, and agents. */
export async function knownIds(store: PrincipalStore, { config }: PrincipalParts): Promise<readonly string[]> {
  const accounts = (await store.accounts.list()).flatMap((account) => {
    const idp = idpOfAccount(account, config);
    return idp === null ? [] : [`${account.name}@${idp}`];
  });
  const credentials = createAgentCredentials(config.agents);
  const tokens = (await store.tokens.list()).filter(({ name, revokedMs }) => revokedMs === null && credentials.ofToken(name) === undefined);
  const identities = (await store.identities.list()).map((identity) => `${identity.name}@${identity.idp}`);
  return [...accounts, ...identities, ...tokens.map(({ name }) => `token:${name}`), ...config.agents.map(({ name }) => agentId(name))];
}

const FORMS =
  'A principal is written alice@local, token:NAME, agent:NAME, run:UUID, group:NAME@PROVIDER for any principal with that group, or role:viewer for any with that role.';

function unknown(text: string, known: readonly string[], more = ''): LictorError {
  const bare = known.find((id) => id.startsWith(`${text}@`) || id === `token:${text}` || id === agentId(text));
  if (bare !== undefined) return new LictorError('principal-unknown', `Nobody is called ${JSON.stringify(text)}. Did you mean ${bare}?${more} ${FORMS}`);
  return unknownIn(`Nobody is called ${JSON.stringify(text)}`, text, known, `${FORMS}${more} lictor account list and lictor token list show who there is.`);
}

function unknownIn(what: string, given: string, known: readonly string[], more: string): LictorError {
  const near = nearestName(given, known);
  return new LictorError('principal-unknown', `${what}.${near === undefined ? '' : ` Did you mean ${near}?`} ${more}`);
}
