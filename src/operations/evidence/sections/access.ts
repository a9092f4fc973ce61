// The rights of each principal, and the unused ones.
import { SUPPORTS } from '../controls.ts';
import type { EvidenceData, PrincipalRow, RoleRow } from '../data.ts';
import { count, day, minute, note, type Section, several, table } from '../document.ts';

export function accessSection({ principals, bindings, agents }: EvidenceData): Section {
  const rows = principals.flatMap((principal) =>
    principal.roles.length === 0 ? [rowOf(principal, undefined)] : principal.roles.map((role) => rowOf(principal, role)),
  );
  return {
    id: 'access',
    title: 'Principals and their rights',
    supports: SUPPORTS.access,
    lead: 'Every principal that has rights now or made a request in the period: its roles, their scope, and their origin. The table shows the rights of roles. Own policies may add or remove rights (section 6).',
    blocks: [
      ...table(['Principal', 'Kind', 'State', 'Role', 'On', 'From', 'Since', 'Last request'], rows, { empty: 'The gateway knows no principal.' }),
      { kind: 'text', text: 'Roles that lictor.yaml binds to people, groups, claims and tokens, whether or not a known principal has them:' },
      ...table(
        ['Role', 'Member', 'On', 'Principals known'],
        bindings.map((binding) => [binding.role, binding.member, binding.scope ?? 'everything', count(binding.holders)]),
        {
          empty: 'lictor.yaml binds no roles: every right comes from a token or an account above.',
          numbers: [3],
        },
      ),
      { kind: 'text', text: 'AI agents. Each has only the rights that its sponsor has too, and ends with the sponsor:' },
      ...table(
        ['Agent', 'Sponsor', 'Credential', 'Roles', 'State'],
        agents.map(({ id, sponsor, credential, roles, status }) => [id, sponsor, credential, roles.join('; '), status]),
        { empty: 'lictor.yaml has no agents.' },
      ),
    ],
  };
}

function rowOf(principal: PrincipalRow, role: RoleRow | undefined): readonly string[] {
  return [
    principal.id,
    principal.kind,
    `${principal.status === 'unknown' ? 'gone' : principal.status}${principal.existed_in_period ? '' : `; ${NOT_IN_PERIOD}`}`,
    role?.role ?? 'none',
    role === undefined ? '-' : (role.scope ?? 'everything'),
    role?.from.join('; ') ?? '-',
    day(principal.since),
    minute(principal.last_request),
  ];
}

export const NOT_IN_PERIOD = 'did not exist in the period';

export function isIdle({ requests, existed_in_period: existed }: PrincipalRow): boolean {
  return requests === 0 && existed;
}

export function unusedSection({ principals, activity, policies }: EvidenceData): Section {
  const live = principals.filter(({ status, roles }) => status === 'live' && roles.length > 0);
  const idle = live.filter(isIdle);
  const later = live.filter(({ existed_in_period: existed }) => !existed);
  const used = live.filter(({ requests }) => requests > 0);
  return {
    id: 'unused',
    title: 'Rights that were not used',
    supports: SUPPORTS.unused,
    lead: 'The ledger has every request of the period, also those with a cached decision. Compared with the roles, it shows which rights no request used. An unused right may still be needed: a reviewer decides that. access-review.csv has a row and an empty decision for each right.',
    blocks: [
      ...(activity.records === 0 ? [note('warn', 'The ledger has no records of this period: every right counts as unused.')] : []),
      ...(idle.length === 0
        ? [note('good', 'Every principal that had rights in the period made at least one request in it.')]
        : [note('warn', `${several(idle.length, 'principal')} with rights made no request: ${names(idle)}`)]),
      ...(later.length === 0 ? [] : [note('plain', `${several(later.length, 'principal')} with rights ${NOT_IN_PERIOD}: ${names(later)}`)]),
      ...table(
        ['Principal', 'Role', 'On', 'Actions used', 'Kinds of rights never used', 'Sufficient role'],
        used.flatMap((principal) => principal.roles.map((role) => unusedRow(principal, role))),
        { empty: 'No principal with rights made a request in the period.' },
      ),
      ...beyondBlocks(live, policies.in_force !== null || policies.changes.length > 0),
    ],
  };
}

/** The table counts the actions of roles. The rights of own policies are not known by action, so this part lists their use. */
function beyondBlocks(live: readonly PrincipalRow[], hasPolicies: boolean): Section['blocks'] {
  const beyond = live.filter(({ beyond_roles: actions }) => actions.length > 0);
  if (!hasPolicies && beyond.length === 0) return [];
  return [
    note(
      'warn',
      'The table covers only built-in roles. Own policies were in force in the period (section 6). A right that a policy gives has no row above, and a right that a policy removes counts as held. These allowed actions come from no role of their principal:',
    ),
    ...table(
      ['Principal', 'Actions by own policies, or by a removed role'],
      beyond.map(({ id, beyond_roles: actions }) => [id, actions.join(', ')]),
      { empty: 'None: a role of the principal gives every allowed action.' },
    ),
  ];
}

const MOST_NAMES = 40;

function names(principals: readonly PrincipalRow[]): string {
  const first = principals.slice(0, MOST_NAMES).map(({ id, roles }) => `${id} (${roles.map(({ role }) => role).join(', ')})`);
  const more = principals.length > MOST_NAMES ? `, and ${count(principals.length - MOST_NAMES)} more` : '';
  return `${first.join(', ')}${more}.`;
}

function unusedRow(principal: PrincipalRow, role: RoleRow): readonly string[] {
  const enough = principal.would_suffice;
  return [
    principal.id,
    role.role,
    role.scope ?? 'everything',
    `${role.used.length} of ${role.actions}`,
    role.unused_groups.length === 0 ? 'none' : role.unused_groups.join(', '),
    enoughWords(enough, role.role, role.used.length),
  ];
}

function enoughWords(enough: string | null, role: string, used: number): string {
  if (used === 0) return 'no role: none of its rights was used';
  if (enough === null) return 'no single built-in role';
  return enough === role ? 'this one' : enough;
}
