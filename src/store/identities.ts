// Identities of providers by (idp, subject). A name belongs to one subject, so that a reused name never gets the rights of the former person.
import { randomBytes } from 'node:crypto';
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Identity } from '../contract/identity.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { freeFormerName, isNameOfAnother, keepFormerName, namesOfSame } from './former-names.ts';
import { fromColumn, toColumn } from './lists.ts';
import { prepareRead } from './prepared-read.ts';
import { applyProvisioned, endAllOf, freeLocks, type Provisioned, provisionedFor, userFor } from './provisioned.ts';
import type { Tables } from './tables.ts';

export interface Identities {
  /**
   * Stores the identity as the provider asserts it now. A change of name, groups or claims raises the change number. Answers the id, or
   * undefined if another subject of the provider has or had the name: an administrator decides (`forget`). `word` identifies the provider: sessions
   * of another provider with the same id end. A lock on one name of a person covers all names. The groups of SCIM, if the provider has
   * provisioned the person, replace those of the identity.
   */
  put(identity: Identity, word: string): Promise<string | undefined>;
  /** True if the identity is stored, under any name. */
  isKnown(identity: Pick<Identity, 'idp' | 'subject'>): Promise<boolean>;
  /** What SCIM says about the person. Undefined: the provider has not provisioned this person. */
  provisioned(identity: Identity): Promise<Provisioned | undefined>;
  byId(id: string): Promise<Identity | undefined>;
  byName(idp: string, name: string): Promise<Identity | undefined>;
  /** With the last answer of the provider about the person. */
  standingOf(idp: string, name: string): Promise<IdentityStanding | undefined>;
  /** The provider refuses to confirm the person. Holds until the next `put`. */
  setRefused(id: string): Promise<void>;
  /** All names of the person with this present or former name, the present one first. Empty: no such person. */
  namesOf(idp: string, name: string): Promise<readonly string[]>;
  list(): Promise<readonly StoredIdentity[]>;
  /** In the order of the bytes of `NAME@IDP`, after that text. */
  page(query: IdentityQuery): Promise<readonly ListedIdentity[]>;
  /** The people of each set of groups. */
  groupSets(): Promise<readonly GroupSet[]>;
  /** Removes it and its sessions, and raises the change number. Also releases a former name. False: no such identity. */
  forget(idp: string, name: string): Promise<boolean>;
}

export interface StoredIdentity extends Identity {
  readonly id: string;
  readonly createdMs: number;
  readonly seenMs: number;
}

export interface IdentityQuery {
  readonly after: string;
  /** A part of `NAME@IDP`, or of the groups, without case. Empty: all. */
  readonly text: string;
  readonly most: number;
}

export interface ListedIdentity extends StoredIdentity {
  /** The provider refuses to confirm the person. */
  readonly isRefused: boolean;
  /** The provider has provisioned the person (SCIM). */
  readonly isProvisioned: boolean;
}

export interface GroupSet {
  readonly idp: string;
  readonly groups: readonly string[];
  readonly isProvisioned: boolean;
  readonly people: number;
}

export interface IdentityStanding {
  readonly identityId: string;
  readonly identity: Identity;
  /** The provider that asserted it; null: stored before this column. */
  readonly word: string | null;
  /** When the provider last asserted it. */
  readonly seenMs: number;
  /** Since then, the provider refused to confirm the person. */
  readonly isRefused: boolean;
}

interface IdentityColumns {
  readonly idp: string;
  readonly subject: string;
  readonly name: string;
  readonly kind: 'user' | 'service';
  readonly groups: string;
  readonly claims: string;
}

export function createIdentities(database: Database, clock: Clock): Identities {
  const select = () => database.read.selectFrom('identities').selectAll();
  const byName = prepareRead(database, select().where('idp', '=', '').where('name', '=', ''));
  return {
    put: (identity, word) => database.write((transaction) => putIdentity(transaction, { identity, word, nowMs: clock() })),
    isKnown: async ({ idp, subject }) =>
      (await database.read.selectFrom('identities').select('id').where('idp', '=', idp).where('subject', '=', subject).executeTakeFirst()) !== undefined,
    provisioned: (identity) => provisionedFor(database.read, identity),
    async byId(id) {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toIdentity(row);
    },
    async byName(idp, name) {
      const row = await select().where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
      return row === undefined ? undefined : toIdentity(row);
    },
    async standingOf(idp, name) {
      const [row] = await byName(idp, name);
      if (row === undefined) return undefined;
      return { identityId: row.id, identity: toIdentity(row), word: row.word, seenMs: row.seen_ms, isRefused: row.refused_ms !== null };
    },
    setRefused: (id) =>
      database.write(async (transaction) => {
        await transaction.updateTable('identities').set({ refused_ms: clock() }).where('id', '=', id).execute();
        await raiseChangeNumber(transaction, 'identity refused');
      }),
    namesOf: (idp, name) => namesOfSame(database.read, { idp, name }),
    async list() {
      const rows = await select().orderBy('idp').orderBy('name').execute();
      return rows.map(toStored);
    },
    page: (query) => pageOf(database.read, query),
    groupSets: () => groupSetsOf(database.read),
    forget: (idp, name) => database.durably((transaction) => forgetIdentity(transaction, { idp, name, nowMs: clock() })),
  };
}

async function pageOf(db: Kysely<Tables>, { after, text, most }: IdentityQuery): Promise<readonly ListedIdentity[]> {
  const id = sql<string>`name || '@' || idp`;
  const rows = db.selectFrom('identities').selectAll().where(id, '>', after).where(has(text)).orderBy(id).limit(most);
  return (await rows.execute()).map((row) => ({ ...toStored(row), isRefused: row.refused_ms !== null, isProvisioned: row.scim_user !== null }));
}

async function groupSetsOf(db: Kysely<Tables>): Promise<readonly GroupSet[]> {
  const provisioned = sql<number>`scim_user is not null`.as('provisioned');
  const rows = await db
    .selectFrom('identities')
    .select((select) => ['idp', 'groups', provisioned, select.fn.countAll<number>().as('people')])
    .groupBy(['idp', 'groups', 'provisioned'])
    .execute();
  return rows.map((row) => ({ idp: row.idp, groups: fromColumn(row.groups), isProvisioned: row.provisioned === 1, people: row.people }));
}

function has(text: string) {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const isIn = (column: RawBuilder<string>) => sql<boolean>`lower(${column}) like lower(${pattern}) escape '\\'`;
  return sql<boolean>`(${isIn(sql`name || '@' || idp`)} or ${isIn(sql`"groups"`)})`;
}

function toStored(row: Selectable<Tables['identities']>): StoredIdentity {
  return { ...toIdentity(row), id: row.id, createdMs: row.created_ms, seenMs: row.seen_ms };
}

export function toIdentity(row: IdentityColumns): Identity {
  return { idp: row.idp, subject: row.subject, name: row.name, kind: row.kind, groups: fromColumn(row.groups), claims: fromClaims(row.claims) };
}

interface Put {
  readonly identity: Identity;
  readonly word: string;
  readonly nowMs: number;
}

async function putIdentity(db: Kysely<Tables>, { identity, word, nowMs }: Put): Promise<string | undefined> {
  const { idp, subject, name, kind } = identity;
  if (await isNameOfAnother(db, identity)) return undefined;
  const user = await userFor(db, identity);
  const groups = toColumn(user?.groups ?? identity.groups);
  const columns = { name, kind, word, groups, claims: toClaims(identity.claims), scim_user: user?.id ?? null };
  const known = await db.selectFrom('identities').selectAll().where('idp', '=', idp).where('subject', '=', subject).executeTakeFirst();
  if (known === undefined) {
    const id = randomBytes(16).toString('base64url');
    await db
      .insertInto('identities')
      .values({ id, idp, subject, ...columns, created_ms: nowMs, seen_ms: nowMs })
      .execute();
    await applyProvisioned(db, { ids: [id], nowMs });
    return id;
  }
  if (known.word !== null && known.word !== word) await endAllOf(db, known.id, nowMs);
  if (known.name !== name) await keepFormerName(db, known, name);
  await db
    .updateTable('identities')
    .set({ ...columns, seen_ms: nowMs, refused_ms: null })
    .where('id', '=', known.id)
    .execute();
  const changed =
    known.refused_ms !== null || known.name !== columns.name || known.kind !== kind || known.groups !== columns.groups || known.claims !== columns.claims;
  if (changed) await raiseChangeNumber(db, 'identity changed');
  await applyProvisioned(db, { ids: [known.id], nowMs });
  return known.id;
}

async function forgetIdentity(
  db: Kysely<Tables>,
  { idp, name, nowMs }: { readonly idp: string; readonly name: string; readonly nowMs: number },
): Promise<boolean> {
  const freed = await freeFormerName(db, { idp, name });
  const row = await db.selectFrom('identities').select('id').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  if (row === undefined) return freed;
  await endAllOf(db, row.id, nowMs);
  await freeLocks(db, { idp, name });
  await db.deleteFrom('identities').where('id', '=', row.id).execute();
  await raiseChangeNumber(db, 'identity forgotten');
  return true;
}

/** Sorted, so that equal claims give equal texts. */
export function toClaims(claims: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function fromClaims(column: string): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(column);
  if (typeof value !== 'object' || value === null) throw new TypeError('the store holds claims that are no object');
  return Object.fromEntries(Object.entries(value).map(([key, claim]) => [key, String(claim)]));
}
