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
  return {
    add(record) {
      if (doctors.has(record)) return;
      if (isUnproven(record)) count(clients, clientOf(record));
      if (record.mode !== 'observe' || record.principal === null) return;
      const use = uses.get(record.principal) ?? { requests: 0, denials: 0, used: new Set(), denied: new Set() };
      uses.set(record.principal, use);
      use.requests += 1;
      if (record.action !== null) use.used.add(record.action);
      if (!wouldChange(record)) return;
      use.denials += 1;
      if (record.reason === 'policy-default-deny' && record.action !== null) use.denied.add(record.action);
      count(denials, denialOf(record));
    },
    async whole() {
      const members = await Promise.all([...uses].map(async ([id, use]) => ({ use, ...(await memberOf(parts, id, use)) })));
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

/** A refused credential proves nothing, also where its owner is known. A flow run that has ended needs no other one. */
function isUnproven({ principal, principal_kind, status, decision, mode, request_id }: LedgerRecord): boolean {
  if (principal !== null && isSharedPassword({ id: principal })) return true;
  return principal_kind !== 'run' && status === 401 && decision === 'deny' && mode !== 'observe' && request_id !== null;
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
}

async function memberOf(parts: ReportParts, id: string, { used, denied }: Use): Promise<Member> {
  if (isSharedPassword({ id })) return { member: id, scope: null, missing: [...used] };
  // All runs together: their rights are those of the role run, which no proposal widens.
  if (runOfPrincipal(id) !== null) return { member: 'run', scope: null, missing: [] };
  const principal = await parts.find(id);
  if (principal === undefined) return { member: id, scope: null, missing: [...denied] };
  const held = principal.grants.map(({ role }) => role);
  // An action that a role permits elsewhere was denied because the object is foreign.
  const missing = [...denied].filter((action) => !permits(parts, held, action));
  const bindings = parts.roles.flatMap(({ members, scope }) => members.filter((member) => isMember(principal, member)).map((member) => ({ member, scope })));
  const [first] = bindings.sort((a, b) => rank(a) - rank(b));
  const ownScope = principal.grants.find(({ scope }) => scope !== null)?.scope ?? null;
  if (first === undefined || first.member.startsWith('*')) return { member: memberText(principal), scope: ownScope, missing };
  return { member: first.member, scope: first.scope, missing };
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
    return [{ member: first.member, scope: first.scope, role: fitting?.role ?? null, actions }];
  });
}

function readinessOf(members: readonly Used[]): readonly Readiness[] {
  const groups = Map.groupBy(members, ({ member }) => (isSharedPassword({ id: member }) ? SHARED_PASSWORD : member));
  const sum = (some: readonly Used[], key: 'requests' | 'denials') => some.reduce((total, { use }) => total + use[key], 0);
  return [...groups].map(([subject, some]) => ({ subject, requests: sum(some, 'requests'), denials: sum(some, 'denials') }));
}

/** The line of `roles` in lictor.yaml, or the command for a client that has only the shared password. */
export function proposalText({ member, role, scope, actions }: Proposal): string {
  if (role === null) return `# ${member}: no built-in role permits ${actions.join(', ')}`;
  if (isSharedPassword({ id: member })) return `# ${member}: lictor token create NAME --role ${role}`;
  const within = scope === null ? '' : `, scope: { ${scopeKeys(scope).join(', ')} }`;
  return `- { role: ${role}, members: [${JSON.stringify(member)}]${within} }`;
}

function scopeKeys(scope: Scope): readonly string[] {
  const lists = Object.entries(SCOPE_KEYS).flatMap(([key, name]) => (scope[name] === null ? [] : [`${key}: ${JSON.stringify(scope[name])}`]));
  return [...lists, ...(scope.own ? ['own: true'] : [])];
}
