// `lictor observe report`: what enforcement would deny, who has no credential of Lictor, and the smallest roles that fit.
import type { RoleBinding } from '../../config/config.ts';
import { createDoctorRecords } from '../../contract/doctor-records.ts';
import { RESOURCE_TYPES, type ResourceType } from '../../contract/operation.ts';
import { isSharedPassword, type Principal, SHARED_PASSWORD } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';
import { everywhere, SCOPE_KEYS, type Scope } from '../../contract/scope.ts';
import { isMember } from '../../identity/authn/roles.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { createRunWorkers, type RunWorkers } from './run-workers.ts';

/** One line of --json. */
export interface WouldBe {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly count: number;
  /** The reason of the denial. */
  readonly would_be: string;
}

/** A client without a credential of Lictor. */
export interface UnprovenClient {
  readonly address: string;
  readonly userAgent: string;
  readonly reason: string;
  readonly count: number;
}

export interface Proposal {
  /** As in `roles` of lictor.yaml; `shared-password:ADDRESS` needs a token. */
  readonly member: string;
  /** Null: no built-in role permits all of these actions. */
  readonly role: string | null;
  /** False: its claims are not known, and so neither are the member and the scope to give the role to. */
  readonly claimsKnown: boolean;
  readonly scope: Scope | null;
  readonly actions: readonly string[];
}

export interface Readiness {
  /** For `lictor enforce`. */
  readonly subject: string;
  readonly requests: number;
  readonly denials: number;
}

export interface ObserveReport {
  readonly denials: readonly WouldBe[];
  readonly clients: readonly UnprovenClient[];
  readonly proposals: readonly Proposal[];
  readonly readiness: readonly Readiness[];
}

export interface ReportParts {
  readonly policy: Pick<PolicyEngine, 'evaluate'>;
  readonly actions: readonly ActionEntry[];
  readonly roles: readonly RoleBinding[];
  /** The ids of requests that `lictor doctor` sent without a credential. */
  readonly probes: ReadonlySet<string>;
  /** With its present roles. Undefined: the principal no longer exists. */
  readonly find: (principal: string) => Promise<Principal | undefined>;
}

export interface ReportCollector {
  add(record: LedgerRecord): void;
  whole(): Promise<ObserveReport>;
}

export function createReportCollector(parts: ReportParts): ReportCollector {
  const denials = new Map<string, WouldBe>();
  const clients = new Map<string, UnprovenClient>();
  const uses = new Map<string, Use>();
  const doctors = createDoctorRecords();
  const workers = createRunWorkers();
  return {
    add(record) {
      if (doctors.has(record)) return;
      workers.add(record);
      if (isUnproven(record) && !parts.probes.has(record.request_id ?? '')) count(clients, clientOf(record));
      if (record.mode !== 'observe' || record.principal === null) return;
      const use = uses.get(record.principal) ?? { requests: 0, denials: 0, used: new Set(), denied: new Set() };
      uses.set(record.principal, use);
      addUse(use, record);
      if (wouldChange(record)) count(denials, denialOf(record));
    },
    async whole() {
      const found = await Promise.all([...uses].map(async ([id, use]) => (await membersOf(parts, workers, id, use)).map((member) => ({ use, ...member }))));
      const members = found.flat();
      return {
        denials: [...denials.values()].sort((a, b) => b.count - a.count),
        clients: [...clients.values()].sort((a, b) => b.count - a.count),
        proposals: proposalsOf(parts, members),
        readiness: readinessOf(members),
      };
    },
  };
}

interface Use {
  requests: number;
  denials: number;
  readonly used: Set<string>;
  /** Because no role permits them. */
  readonly denied: Set<string>;
}

function addUse(use: Use, record: LedgerRecord): void {
  const { action, reason } = record;
  use.requests += 1;
  if (action !== null) use.used.add(action);
  if (!wouldChange(record)) return;
  use.denials += 1;
  if (reason === 'policy-default-deny' && action !== null) use.denied.add(action);
}

/** A refused credential proves nothing, also where its owner is known. A flow run that has ended needs no other one. */
function isUnproven({ principal, principal_kind, status, decision, mode, request_id }: LedgerRecord): boolean {
  if (request_id === null) return false;
  if (principal !== null && isSharedPassword({ id: principal })) return true;
  return principal_kind !== 'run' && status === 401 && decision === 'deny' && mode !== 'observe';
}

/** Prefect has no such object: enforcement gives the same answer. */
function wouldChange({ decision, reason, status }: LedgerRecord): boolean {
  return decision === 'deny' && !(reason === 'object-foreign' && status === 404);
}

function count<T extends { readonly count: number }>(all: Map<string, T>, one: T): void {
  const key = JSON.stringify({ ...one, count: 0 });
  const known = all.get(key);
  all.set(key, known === undefined ? one : { ...known, count: known.count + 1 });
}

function clientOf({ source_ip, user_agent, reason }: LedgerRecord): UnprovenClient {
  return { address: source_ip ?? '-', userAgent: user_agent ?? '-', reason: reason ?? '-', count: 1 };
}

function denialOf({ principal, action, resource_type, resource_id, reason }: LedgerRecord): WouldBe {
  const resource = resource_id === null ? (resource_type ?? '-') : `${resource_type ?? ''}:${resource_id}`;
  return { principal: principal ?? '-', action: action ?? '-', resource, count: 1, would_be: reason ?? '-' };
}

interface Member {
  readonly member: string;
  readonly scope: Scope | null;
  /** The actions that its present roles permit on no object. */
  readonly missing: readonly string[];
  /** Left out: they are, or it needs none. */
  readonly claimsKnown?: false;
}

/** A run counts among all runs, and to its worker, whose scope decides what the run may do. No proposal widens the role run. */
async function membersOf(parts: ReportParts, workers: RunWorkers, id: string, use: Use): Promise<readonly Member[]> {
  const run = runOfPrincipal(id);
  if (run === null) return [await memberOf(parts, id, use)];
  const worker = workers.of(run) ?? (await parts.find(id))?.attributes['worker'];
  const ofWorker = worker === undefined ? [] : [{ ...(await memberOf(parts, worker, use)), missing: [] }];
  return [...ofWorker, { member: 'run', scope: null, missing: [] }];
}

async function memberOf(parts: ReportParts, id: string, { used, denied }: Use): Promise<Member> {
  if (isSharedPassword({ id })) return { member: id, scope: null, missing: [...used] };
  const principal = await parts.find(id);
  if (principal === undefined) return { member: id, scope: null, missing: [...denied] };
  // An action that a role permits elsewhere was denied because the object is foreign.
  const missingTo = (held: readonly string[]) => [...denied].filter((action) => !permits(parts, held, action));
  if (principal.grants.length === 0 && principal.idp !== null) return byClaims(parts, principal, missingTo);
  const missing = missingTo(principal.grants.map(({ role }) => role));
  const bindings = parts.roles.flatMap(({ members, scope }) => members.filter((member) => isMember(principal, member)).map((member) => ({ member, scope })));
  const [first] = bindings.sort((a, b) => rank(a) - rank(b));
  const ownScope = principal.grants.find(({ scope }) => scope !== null)?.scope ?? null;
  if (first === undefined || first.member.startsWith('*')) return { member: memberText(principal), scope: ownScope, missing };
  return { member: first.member, scope: first.scope, missing };
}

/** Lictor stores no claims of a workload. It observes only who has a role: if one member can have given it, it is that one. */
function byClaims({ roles }: ReportParts, principal: Principal, missingTo: (held: readonly string[]) => readonly string[]): Member {
  const possible = roles.flatMap(({ role, members, scope }) =>
    members.filter((member) => /^(?:claim|group):/.test(member) && member.endsWith(`@${principal.idp}`)).map((member) => ({ role, member, scope })),
  );
  const [[first, ...others] = [], ...more] = Map.groupBy(possible, ({ member, scope }) => JSON.stringify([member, scope])).values();
  if (first === undefined || more.length > 0) return { member: memberText(principal), scope: null, missing: missingTo([]), claimsKnown: false };
  return { member: first.member, scope: first.scope, missing: missingTo([first, ...others].map(({ role }) => role)) };
}

/** A role with a scope, and a group, come first: a proposal for all people of a provider would be the widest. */
function rank({ member, scope }: { readonly member: string; readonly scope: Scope | null }): number {
  return (member.startsWith('*') ? 4 : 0) + (scope === null ? 2 : 0) + (member.startsWith('group:') ? 0 : 1);
}

function memberText({ id, idp }: Principal): string {
  return idp === null ? id : `user:${id}`;
}

function permits({ policy, actions }: ReportParts, roles: readonly string[], name: string): boolean {
  const action = actions.find((entry) => entry.name === name);
  const type: ResourceType | undefined = RESOURCE_TYPES.find((known) => action?.resources.includes(known));
  if (action === undefined || type === undefined) return false;
  const principal: Principal = { id: 'proposal', kind: 'service', idp: null, roles, grants: everywhere(roles), groups: [], attributes: {}, onBehalfOf: [] };
  const context = { address: '', carrier: 'authorization', facts: {} };
  return policy.evaluate({ principal, action: action.name, resource: { type, id: null }, context, atMost: true }).enforced === 'allow';
}

type Used = Member & { readonly use: Use };

/** The smallest role for everyone who has the same scope by the same member. */
function proposalsOf(parts: ReportParts, members: readonly Used[]): readonly Proposal[] {
  const roles = BUILT_IN_ROLES.filter((role) => role !== 'run' && role !== 'agent');
  const rights = (role: string) => parts.actions.filter(({ name }) => permits(parts, [role], name)).length;
  const bySize = roles.map((role) => ({ role, size: rights(role) })).sort((a, b) => a.size - b.size);
  const groups = Map.groupBy(members, ({ member, scope }) => JSON.stringify([member, scope]));
  return [...groups.values()].flatMap((same) => {
    const actions = [...new Set(same.flatMap(({ missing }) => missing))].sort();
    const [first] = same;
    if (first === undefined || actions.length === 0) return [];
    const fitting = bySize.find(({ role }) => actions.every((action) => permits(parts, [role], action)));
    return [{ member: first.member, scope: first.scope, role: fitting?.role ?? null, claimsKnown: first.claimsKnown !== false, actions }];
  });
}

function readinessOf(members: readonly Used[]): readonly Readiness[] {
  const groups = Map.groupBy(members, ({ member }) => (isSharedPassword({ id: member }) ? SHARED_PASSWORD : member));
  const sum = (some: readonly Used[], key: 'requests' | 'denials') => some.reduce((total, { use }) => total + use[key], 0);
  return [...groups].map(([subject, some]) => ({ subject, requests: sum(some, 'requests'), denials: sum(some, 'denials') }));
}

/** The line of `roles` in lictor.yaml, or the command for a client that has only the shared password. */
export function proposalText({ member, role, scope, claimsKnown, actions }: Proposal): string {
  if (role === null) return `# ${member}: no built-in role permits ${actions.join(', ')}`;
  if (!claimsKnown)
    return `# ${member}: role ${role} permits ${actions.join(', ')}. Its claims are not stored: give the role to one of them, within its scope.`;
  if (isSharedPassword({ id: member })) return `# ${member}: lictor token create NAME --role ${role}`;
  const within = scope === null ? '' : `, scope: { ${scopeKeys(scope).join(', ')} }`;
  return `- { role: ${role}, members: [${JSON.stringify(member)}]${within} }`;
}

function scopeKeys(scope: Scope): readonly string[] {
  const lists = Object.entries(SCOPE_KEYS).flatMap(([key, name]) => (scope[name] === null ? [] : [`${key}: ${JSON.stringify(scope[name])}`]));
  return [...lists, ...(scope.own ? ['own: true'] : [])];
}
