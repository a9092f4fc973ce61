// Roles, scopes and names that the store has given, and that this Lictor or this configuration does not know any more. Reads only.
import type { Config } from '../../config/config.ts';
import { isClientScope } from '../../contract/client-scopes.ts';
import { LictorError } from '../../contract/error.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { fromColumn } from '../../store/lists.ts';
import { readRows } from '../../store/rows.ts';
import { scopeFromColumn } from '../../store/scopes.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';

const GIVEN = `SELECT 'token' AS kind, name, roles, scope FROM tokens WHERE revoked_ms IS NULL
UNION ALL SELECT 'account', name, roles, scope FROM accounts WHERE removed_ms IS NULL ORDER BY 1 DESC, 2`;
const LOGINS = `SELECT DISTINCT client_id AS name, scopes FROM client_grants WHERE ended_ms IS NULL ORDER BY 1`;

export async function checkGiven({ roles, storeAt }: Pick<Config, 'roles' | 'storeAt'>): Promise<readonly Verdict[]> {
  const given = (await readRows(storeAt, GIVEN)).map(({ kind, name, ...columns }) => ({ kind: String(kind), name: String(name), ...columns }));
  const lost = [...given.flatMap(lostRights), ...(await readRows(storeAt, LOGINS)).flatMap(lostScopes)];
  const tokens = new Set(given.filter(({ kind }) => kind === 'token').map(({ name }) => name));
  const missing = roles.flatMap(({ role, members }) =>
    members.filter((member) => member.startsWith('token:') && !tokens.has(member.slice('token:'.length))).map((member) => missingToken(member, role)),
  );
  const found = [...lost, ...missing];
  return found.length === 0 ? [ok('every role and scope that was given still exists')] : found;
}

interface Given {
  readonly kind: string;
  readonly name: string;
  readonly roles?: unknown;
  readonly scope?: unknown;
}

function lostRights({ kind, name, roles, scope }: Given): readonly Verdict[] {
  const again = kind === 'token' ? `lictor token revoke ${name}, then create it again` : `lictor account remove ${name}, then add it again`;
  const known: readonly string[] = BUILT_IN_ROLES;
  const gone = readable(() => fromColumn(String(roles)))?.filter((role) => !known.includes(role)) ?? ['(unreadable)'];
  const isScope = readable(() => scopeFromColumn(scope === null ? null : String(scope))) !== undefined;
  return [
    ...(gone.length === 0
      ? []
      : [fail(`the ${kind} ${name} has roles that do not exist: ${gone.join(', ')}`, `${again} with a role of docs/reference/roles.md.`)]),
    ...(isScope ? [] : [fail(`the ${kind} ${name} has a scope with keys that do not exist`, `${again} with keys of docs/reference/scopes.md.`)]),
  ];
}

function lostScopes({ name, scopes }: Readonly<Record<string, unknown>>): readonly Verdict[] {
  const gone = readable(() => fromColumn(String(scopes)))?.filter((scope) => !isClientScope(scope)) ?? ['(unreadable)'];
  return gone.length === 0 ? [] : [warn(`logins of ${String(name)} have client scopes that do not exist: ${gone.join(', ')}`, 'These people log in again.')];
}

function missingToken(member: string, role: string): Verdict {
  const name = member.slice('token:'.length);
  return warn(`roles gives ${role} to ${member}, and there is no such token`, `lictor token create ${name}, or remove the member.`);
}

/** Undefined: the column cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof LictorError) return undefined;
    throw error;
  }
}
