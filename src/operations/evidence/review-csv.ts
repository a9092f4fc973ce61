// The access review as CSV (RFC 4180): one row for each right, with an empty decision.
import type { EvidenceData, PrincipalRow, RoleRow } from './data.ts';
import { NOT_IN_PERIOD } from './sections/access.ts';

const HEAD = [
  ...['principal', 'kind', 'identity_provider', 'state', 'role', 'on', 'from', 'since', 'last_request', 'requests', 'denials'],
  ...['actions_used', 'actions_of_role'],
  ...['kinds_of_rights_never_used', 'role_that_would_have_been_enough', 'credential_age_days', 'credential_expires', 'remarks', 'decision', 'reviewer', 'date'],
];

export function renderReviewCsv({ principals, tokens }: Pick<EvidenceData, 'principals' | 'tokens'>): string {
  const rows = principals.flatMap((principal) => {
    const token = tokens.find(({ name, status }) => `token:${name}` === principal.id && status === 'live');
    const credential = [
      token?.secret_age_days,
      token === undefined ? undefined : (token.expires ?? 'never'),
      [...(principal.existed_in_period ? [] : [NOT_IN_PERIOD]), ...principal.notes, ...(token?.remarks ?? [])].join('; '),
    ];
    const roles: readonly (RoleRow | undefined)[] = principal.roles.length === 0 ? [undefined] : principal.roles;
    return roles.map((role) => [...of(principal), ...held(role), ...used(principal, role), ...credential, '', '', '']);
  });
  return [HEAD, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

type Value = string | number | null | undefined;

function of({ id, kind, idp, status }: PrincipalRow): readonly Value[] {
  return [id, kind, idp, status];
}

function held(role: RoleRow | undefined): readonly Value[] {
  return [role?.role ?? 'none', role === undefined ? '' : (role.scope ?? 'everything'), role?.from.join('; ')];
}

function used({ since, last_request: last, requests, denials, would_suffice: enough }: PrincipalRow, role: RoleRow | undefined): readonly Value[] {
  return [since, last, requests, denials, role?.used.join(' '), role?.actions, role?.unused_groups.join(' '), enough];
}

/** An apostrophe protects text that a spreadsheet would run as a formula (OWASP, CSV injection). Control characters become spaces. */
function field(value: Value): string {
  if (typeof value === 'number') return String(value);
  const text = (value ?? '').replace(/\p{Cc}/gu, ' ');
  const safe = /^\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
