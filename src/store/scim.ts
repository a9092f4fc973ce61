// Users and groups that an identity provider provisions (SCIM). Each provider sees its own alone.

import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { ExpressionBuilder, Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { parseColumn } from './json-column.ts';
import { applyProvisioned, linkUser, nameKey } from './provisioned.ts';
import type { Tables } from './tables.ts';

export interface ScimUser {
  readonly userName: string;
  readonly externalId: string | null;
  /** Null: the provider removed the attribute, which counts as inactive. */
  readonly active: boolean | null;
  /** The other attributes, as JSON. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ScimGroup {
  readonly displayName: string;
  readonly externalId: string | null;
}

export interface Times {
  readonly id: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** All conditions must hold. `name`: userName or displayName, compared without case. */
export interface ScimQuery {
  readonly equals: readonly { readonly field: 'id' | 'name' | 'externalId'; readonly value: string }[];
  /** From 0. */
  readonly offset: number;
  readonly most: number;
}

export interface Page<T> {
  readonly total: number;
  readonly resources: readonly T[];
}

export interface ScimReads {
  user(id: string): Promise<(ScimUser & Times) | undefined>;
  users(query: ScimQuery): Promise<Page<ScimUser & Times>>;
  group(id: string): Promise<(ScimGroup & Times) | undefined>;
  groups(query: ScimQuery): Promise<Page<ScimGroup & Times>>;
  /** Ids of users. */
  members(groupId: string): Promise<readonly string[]>;
  countMembers(groupId: string): Promise<number>;
}

export interface ScimChanges extends ScimReads {
  /** Undefined: another user has the name. */
  createUser(user: ScimUser): Promise<string | undefined>;
  /** False: another user has the name. */
  updateUser(id: string, user: ScimUser): Promise<boolean>;
  deleteUser(id: string): Promise<void>;
  createGroup(group: ScimGroup): Promise<string | undefined>;
  updateGroup(id: string, group: ScimGroup): Promise<boolean>;
  deleteGroup(id: string): Promise<void>;
  /** False: one of them is no user of the provider. */
  addMembers(groupId: string, users: readonly string[]): Promise<boolean>;
  /** Null: all. */
  removeMembers(groupId: string, users: readonly string[] | null): Promise<void>;
}

export interface Scim {
  read(idp: string): ScimReads;
  /** One transaction: if `work` throws, nothing changes. People lose or get their rights in the same transaction. */
  change<T>(idp: string, work: (changes: ScimChanges) => Promise<T>): Promise<T>;
  /** Deletes what other providers have sent: `scim` in lictor.yaml no longer names them, and the claims of a login decide again. */
  keepOnly(idps: readonly string[]): Promise<void>;
}

/** Rows a statement. Between two statements, other requests get their turn. */
const ROWS = 500;

export function createScim(database: Database, clock: Clock): Scim {
  return {
    read: (idp) => readsOf(database.read, idp),
    change: (idp, work) =>
      database.durably(async (db) => {
        const touched = new Set<string>();
        const answer = await work({ ...readsOf(db, idp), ...changesOf({ db, idp, nowMs: clock(), touched }) });
        await applyTo(db, [...touched], clock());
        return answer;
      }),
    async keepOnly(idps) {
      const stored = await database.read.selectFrom('scim_users').select('idp').union(database.read.selectFrom('scim_groups').select('idp')).execute();
      const others = stored.map(({ idp }) => idp).filter((idp) => !idps.includes(idp));
      if (others.length > 0) await database.durably((db) => forgetProviders(db, others));
    },
  };
}

async function forgetProviders(db: Kysely<Tables>, idps: readonly string[]): Promise<void> {
  const groups = db.selectFrom('scim_groups').select('id').where('idp', 'in', idps);
  await db.deleteFrom('scim_members').where('group_id', 'in', groups).execute();
  await db.deleteFrom('scim_groups').where('idp', 'in', idps).execute();
  await db.deleteFrom('scim_users').where('idp', 'in', idps).execute();
  await db.updateTable('identities').set({ scim_user: null }).where('idp', 'in', idps).execute();
  const locks = idps.map((idp) => `scim:${idp}`);
  await db.deleteFrom('locks').where('kind', '=', 'scim').where('locked_by', 'in', locks).execute();
  await raiseChangeNumber(db, 'SCIM of a provider removed');
}

/** The identities of these users. */
async function applyTo(db: Kysely<Tables>, users: readonly string[], nowMs: number): Promise<void> {
  for (const some of chunks(users)) {
    const rows = await db.selectFrom('identities').select('id').where('scim_user', 'in', some).execute();
    await applyProvisioned(db, { ids: rows.map(({ id }) => id), nowMs });
    await turn();
  }
}

function readsOf(db: Kysely<Tables>, idp: string): ScimReads {
  const users = () => db.selectFrom('scim_users').where('idp', '=', idp).where('deleted_ms', 'is', null);
  const groups = () => db.selectFrom('scim_groups').where('idp', '=', idp);
  const members = (groupId: string) => db.selectFrom('scim_members').where('group_id', '=', groupId);
  return {
    async user(id) {
      const row = await users().selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toUser(row);
    },
    async users({ equals, offset, most }) {
      const found = users().where((where) => where.and(equals.map((one) => matches(where, one, 'user_key'))));
      const count = await found.select((count) => count.fn.countAll<number>().as('n')).executeTakeFirstOrThrow();
      const rows = await found.selectAll().orderBy('created_ms').orderBy('id').limit(most).offset(offset).execute();
      return { total: Number(count.n), resources: rows.map(toUser) };
    },
    async group(id) {
      const row = await groups().selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toGroup(row);
    },
    async groups({ equals, offset, most }) {
      const found = groups().where((where) => where.and(equals.map((one) => matches(where, one, 'name_key'))));
      const count = await found.select((count) => count.fn.countAll<number>().as('n')).executeTakeFirstOrThrow();
      const rows = await found.selectAll().orderBy('created_ms').orderBy('id').limit(most).offset(offset).execute();
      return { total: Number(count.n), resources: rows.map(toGroup) };
    },
    members: async (groupId) => (await members(groupId).select('user_id').orderBy('user_id').execute()).map((row) => row.user_id),
    countMembers: async (groupId) =>
      Number(
        (
          await members(groupId)
            .select((count) => count.fn.countAll<number>().as('n'))
            .executeTakeFirstOrThrow()
        ).n,
      ),
  };
}

type Equal = ScimQuery['equals'][number];

function matches<T extends 'scim_users' | 'scim_groups'>(where: ExpressionBuilder<Tables, T>, { field, value }: Equal, key: 'user_key' | 'name_key') {
  if (field === 'name') return where.eb(where.ref(key as never), '=', nameKey(value) as never);
  return where.eb(where.ref((field === 'id' ? 'id' : 'external_id') as never), '=', value as never);
}

interface Changing {
  readonly db: Kysely<Tables>;
  readonly idp: string;
  readonly nowMs: number;
  /** Users whose standing or groups may have changed. */
  readonly touched: Set<string>;
}

function changesOf(changing: Changing): Omit<ScimChanges, keyof ScimReads> {
  const { db, idp, nowMs, touched } = changing;
  const touch = (modified: string) => db.updateTable('scim_groups').set({ modified_ms: nowMs }).where('id', '=', modified).execute();
  return {
    async createUser(user) {
      const id = randomUUID();
      if (await isTaken(db, idp, { userName: user.userName, id })) return undefined;
      await db
        .insertInto('scim_users')
        .values({ id, idp, ...userColumns(user), created_ms: nowMs, modified_ms: nowMs, deleted_ms: null })
        .execute();
      await linkUser(db, { id, idp, ...user });
      touched.add(id);
      return id;
    },
    async updateUser(id, user) {
      if (await isTaken(db, idp, { userName: user.userName, id })) return false;
      await db
        .updateTable('scim_users')
        .set({ ...userColumns(user), modified_ms: nowMs })
        .where('id', '=', id)
        .execute();
      await linkUser(db, { id, idp, ...user });
      touched.add(id);
      return true;
    },
    async deleteUser(id) {
      await db.deleteFrom('scim_members').where('user_id', '=', id).execute();
      await db.updateTable('scim_users').set({ active: 0, attributes: '{}', deleted_ms: nowMs }).where('id', '=', id).execute();
      touched.add(id);
    },
    async createGroup(group) {
      const id = randomUUID();
      if (await isGroupTaken(db, idp, { ...group, id })) return undefined;
      await db
        .insertInto('scim_groups')
        .values({ id, idp, ...groupColumns(group), created_ms: nowMs, modified_ms: nowMs })
        .execute();
      return id;
    },
    async updateGroup(id, group) {
      if (await isGroupTaken(db, idp, { ...group, id })) return false;
      await db
        .updateTable('scim_groups')
        .set({ ...groupColumns(group), modified_ms: nowMs })
        .where('id', '=', id)
        .execute();
      for (const member of await membersOf(db, id)) touched.add(member);
      return true;
    },
    async deleteGroup(id) {
      for (const member of await membersOf(db, id)) touched.add(member);
      await db.deleteFrom('scim_members').where('group_id', '=', id).execute();
      await db.deleteFrom('scim_groups').where('id', '=', id).execute();
    },
    async addMembers(groupId, users) {
      for (const some of chunks([...new Set(users)])) {
        const known = await db.selectFrom('scim_users').select('id').where('idp', '=', idp).where('deleted_ms', 'is', null).where('id', 'in', some).execute();
        if (known.length < some.length) return false;
        const rows = some.map((user) => ({ group_id: groupId, user_id: user }));
        await db
          .insertInto('scim_members')
          .values(rows)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        for (const user of some) touched.add(user);
        await turn();
      }
      await touch(groupId);
      return true;
    },
    async removeMembers(groupId, users) {
      for (const some of chunks(users ?? (await membersOf(db, groupId)))) {
        await db.deleteFrom('scim_members').where('group_id', '=', groupId).where('user_id', 'in', some).execute();
        for (const user of some) touched.add(user);
        await turn();
      }
      await touch(groupId);
    },
  };
}

async function membersOf(db: Kysely<Tables>, groupId: string): Promise<readonly string[]> {
  return (await db.selectFrom('scim_members').select('user_id').where('group_id', '=', groupId).execute()).map((row) => row.user_id);
}

async function isTaken(db: Kysely<Tables>, idp: string, { userName, id }: { readonly userName: string; readonly id: string }): Promise<boolean> {
  const live = db.selectFrom('scim_users').select('id').where('idp', '=', idp).where('deleted_ms', 'is', null);
  return (await live.where('user_key', '=', nameKey(userName)).where('id', '<>', id).executeTakeFirst()) !== undefined;
}

async function isGroupTaken(db: Kysely<Tables>, idp: string, { displayName, id }: { readonly displayName: string; readonly id: string }): Promise<boolean> {
  const others = db.selectFrom('scim_groups').select('id').where('idp', '=', idp).where('id', '<>', id);
  return (await others.where('name_key', '=', nameKey(displayName)).executeTakeFirst()) !== undefined;
}

function userColumns({ userName, externalId, active, attributes }: ScimUser) {
  const state = active === null ? null : Number(active);
  return { user_name: userName, user_key: nameKey(userName), external_id: externalId, active: state, attributes: JSON.stringify(attributes) };
}

function groupColumns({ displayName, externalId }: ScimGroup) {
  return { display_name: displayName, name_key: nameKey(displayName), external_id: externalId };
}

function toUser(row: Tables['scim_users']): ScimUser & Times {
  const attributes = Object.fromEntries(Object.entries(Object(parseColumn(row.attributes, 'object'))));
  const active = row.active === null ? null : row.active === 1;
  return { id: row.id, userName: row.user_name, externalId: row.external_id, active, attributes, createdMs: row.created_ms, modifiedMs: row.modified_ms };
}

function toGroup(row: Tables['scim_groups']): ScimGroup & Times {
  return { id: row.id, displayName: row.display_name, externalId: row.external_id, createdMs: row.created_ms, modifiedMs: row.modified_ms };
}

function chunks<T>(list: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / ROWS) }, (_, index) => list.slice(index * ROWS, (index + 1) * ROWS));
}
