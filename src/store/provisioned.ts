// What the users of SCIM mean for the people who log in: which user is which identity, its groups, and the lock of an inactive one.
import { type Kysely, sql } from 'kysely';
import type { Identity } from '../contract/identity.ts';
import { raiseChangeNumber } from './changes.ts';
import { endClientGrants } from './ended-client-grants.ts';
import { removeSessions } from './ended-sessions.ts';
import { namesOfSame } from './former-names.ts';
import { toColumn } from './lists.ts';
import type { Tables } from './tables.ts';

export interface Provisioned {
  readonly isActive: boolean;
  /** Names of its groups, sorted. */
  readonly groups: readonly string[];
}

interface LinkedUser extends Provisioned {
  readonly id: string;
}

/** SCIM compares names of users and groups without case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

export async function provisionedFor(db: Kysely<Tables>, identity: Identity): Promise<Provisioned | undefined> {
  return await userFor(db, identity);
}

/**
 * The user of the identity: the linked one, else one with its subject or object id as `externalId`, else one with its name. A user that is linked to another
 * identity is never taken: two spellings of a name must not share rights. A deleted user counts only if there is no other.
 */
export async function userFor(db: Kysely<Tables>, identity: Identity): Promise<LinkedUser | undefined> {
  const { idp, subject, name, claims } = identity;
  const known = await db.selectFrom('identities').select(['id', 'scim_user']).where('idp', '=', idp).where('subject', '=', subject).executeTakeFirst();
  const ids = [subject, ...(claims['oid'] === undefined ? [] : [claims['oid']])];
  const users = await db
    .selectFrom('scim_users')
    .leftJoin('identities', 'identities.scim_user', 'scim_users.id')
    .select(['scim_users.id', 'external_id', 'active', 'deleted_ms', 'identities.id as linked'])
    .where('scim_users.idp', '=', idp)
    .where((where) => where.or([where('scim_users.id', '=', known?.scim_user ?? ''), where('external_id', 'in', ids), where('user_key', '=', nameKey(name))]))
    .orderBy('scim_users.created_ms', 'desc')
    .execute();
  const free = users.filter(({ linked }) => linked === null || linked === known?.id);
  const live = free.filter(({ deleted_ms: deletedMs }) => deletedMs === null);
  const best = (list: typeof free) =>
    list.find(({ linked }) => linked !== null) ?? list.find(({ external_id: id }) => id !== null && ids.includes(id)) ?? list[0];
  const found = best(live) ?? best(free);
  if (found === undefined) return undefined;
  return { id: found.id, isActive: found.deleted_ms === null && found.active === 1, groups: await groupsOf(db, found.id) };
}

async function groupsOf(db: Kysely<Tables>, userId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select('display_name')
    .where('user_id', '=', userId)
    .execute();
  return rows.map((row) => row.display_name).sort();
}

/** Links the identities that the user is about and that have no other user. */
export async function linkUser(
  db: Kysely<Tables>,
  user: { readonly id: string; readonly idp: string; readonly userName: string; readonly externalId: string | null },
): Promise<void> {
  const { id, idp, userName, externalId } = user;
  const taken = await db.selectFrom('identities').select('id').where('scim_user', '=', id).executeTakeFirst();
  if (taken !== undefined) return;
  const live = db.selectFrom('scim_users').select('id').where('deleted_ms', 'is', null);
  const candidates = await db
    .selectFrom('identities')
    .select(['id', 'subject'])
    .where('idp', '=', idp)
    .where((where) => where.or([where('scim_user', 'is', null), where.not(where('scim_user', 'in', live))]))
    .where((where) => where.or([where('subject', '=', externalId ?? ''), where('name', '=', userName), where(sql`lower(name)`, '=', nameKey(userName))]))
    .orderBy('seen_ms', 'desc')
    .execute();
  const found = candidates.find(({ subject }) => subject === externalId) ?? candidates[0];
  if (found !== undefined) await db.updateTable('identities').set({ scim_user: id }).where('id', '=', found.id).execute();
}

/**
 * Gives the identities the groups of their users. An inactive or deleted user locks its person and ends sessions and logins; an active one lifts this lock
 * alone. Raises the change number if something changed.
 */
export async function applyProvisioned(db: Kysely<Tables>, { ids, nowMs }: { readonly ids: readonly string[]; readonly nowMs: number }): Promise<void> {
  const rows = await db
    .selectFrom('identities')
    .innerJoin('scim_users', 'scim_users.id', 'identities.scim_user')
    .select(['identities.id', 'identities.idp', 'name', 'groups', 'scim_user', 'active', 'deleted_ms'])
    .where('identities.id', 'in', ids)
    .execute();
  for (const { id, idp, name, groups: before, scim_user: userId, active, deleted_ms: deletedMs } of rows) {
    const groups = toColumn(await groupsOf(db, userId ?? ''));
    if (groups !== before) {
      await db.updateTable('identities').set({ groups }).where('id', '=', id).execute();
      await raiseChangeNumber(db, 'groups of an identity changed');
    }
    if (deletedMs === null && active === 1) await freeLocks(db, { idp, name });
    else await shutOut(db, { id, idp, name, nowMs });
  }
}

interface Person {
  readonly idp: string;
  readonly name: string;
}

async function shutOut(db: Kysely<Tables>, { id, idp, name, nowMs }: Person & { readonly id: string; readonly nowMs: number }): Promise<void> {
  await endAllOf(db, id, nowMs);
  const row = { kind: 'scim', why: 'the identity provider has deactivated or deleted this person', locked_by: `scim:${idp}`, created_ms: nowMs } as const;
  const added = await db
    .insertInto('locks')
    .values((await lockValues(db, { idp, name })).map((value) => ({ ...row, value, expires_ms: null, of_accounts: 0 })))
    .onConflict((conflict) => conflict.doNothing())
    .returning('value')
    .execute();
  if (added.length > 0) await raiseChangeNumber(db, 'deactivated by SCIM');
}

/** Removes the lock that SCIM set, and no other. */
export async function freeLocks(db: Kysely<Tables>, person: Person): Promise<void> {
  const those = db
    .deleteFrom('locks')
    .where('kind', '=', 'scim')
    .where('value', 'in', await lockValues(db, person));
  if ((await those.returning('value').execute()).length > 0) await raiseChangeNumber(db, 'reactivated by SCIM');
}

/** A run stores the name that the person had at its start. */
async function lockValues(db: Kysely<Tables>, { idp, name }: Person): Promise<readonly string[]> {
  const names = new Set([name, ...(await namesOfSame(db, { idp, name }))]);
  return [...names].map((one) => `${one}@${idp}`);
}

/** The sessions and command line logins of an identity. */
export async function endAllOf(db: Kysely<Tables>, identityId: string, nowMs: number): Promise<void> {
  const ofIdentity = sql<boolean>`identity_id = ${identityId}`;
  if ((await removeSessions(db, ofIdentity)) > 0) await raiseChangeNumber(db, 'sessions of an identity ended');
  await endClientGrants(db, nowMs, ofIdentity);
}
