// Stored access tokens: short-lived, issued by Lictor for another proof, each with the proven identity.
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Identity } from '../contract/identity.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { toClaims, toIdentity } from './identities.ts';
import { toColumn } from './lists.ts';
import { endRunTokensOf } from './run-tokens.ts';
import type { Tables } from './tables.ts';

export interface NewAccessToken {
  readonly id: string;
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly identity: Identity;
  /** The trusted settings of the provider at the time. If they change, the token is invalid. */
  readonly trust: string;
  /** Credential id of the proof. */
  readonly proof: string;
  readonly expiresMs: number;
}

export interface StoredAccessToken extends NewAccessToken {
  readonly createdMs: number;
  readonly revokedMs: number | null;
}

export interface AccessTokens {
  /** Also forgets those that ended more than an hour ago. */
  create(token: NewAccessToken): Promise<void>;
  /** Ended ones too, for a while. */
  byId(id: string): Promise<StoredAccessToken | undefined>;
  /** Those that are neither ended nor revoked, oldest first. */
  live(): Promise<readonly StoredAccessToken[]>;
  /** Raises the change number, and ends the tokens of the runs that it began. False: unknown, ended or revoked already. */
  revoke(id: string): Promise<boolean>;
  /** Every live one of an identity, and the tokens of all of its runs; answers how many of each ended. */
  revokeOf(idp: string, name: string): Promise<{ readonly tokens: number; readonly runs: number }>;
}

/** How long Lictor reports an ended token as expired instead of unknown. */
const KEPT_MS = 3_600_000;

export function createAccessTokens(database: Database, clock: Clock): AccessTokens {
  return {
    create: (token) => database.durably((transaction) => insert(transaction, token, clock())),
    async byId(id) {
      const row = await database.read.selectFrom('access_tokens').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toStored(row);
    },
    async live() {
      const rows = database.read.selectFrom('access_tokens').selectAll().where('revoked_ms', 'is', null).where('expires_ms', '>', clock());
      return (await rows.orderBy('created_ms').orderBy('id').execute()).map(toStored);
    },
    revoke: (id) =>
      database.durably(async (transaction) => {
        if ((await revokeWhere(transaction, clock(), sql`id = ${id}`)) === 0) return false;
        await endRunTokensOf(transaction, { credentialId: id });
        return true;
      }),
    revokeOf: (idp, name) =>
      database.durably(async (transaction) => {
        // Its worker may hold a later one, or none just now.
        const runs = await endRunTokensOf(transaction, { worker: `${name}@${idp}` });
        return { tokens: await revokeWhere(transaction, clock(), sql`idp = ${idp} and name = ${name}`), runs };
      }),
  };
}

async function insert(db: Kysely<Tables>, token: NewAccessToken, nowMs: number): Promise<void> {
  const { id, hash, identity, trust, proof, expiresMs } = token;
  const { idp, subject, name, kind } = identity;
  await db
    .deleteFrom('access_tokens')
    .where('expires_ms', '<', nowMs - KEPT_MS)
    .execute();
  await db
    .insertInto('access_tokens')
    .values({
      id,
      hash,
      idp,
      subject,
      name,
      kind,
      groups: toColumn(identity.groups),
      claims: toClaims(identity.claims),
      trust,
      proof,
      created_ms: nowMs,
      expires_ms: expiresMs,
      revoked_ms: null,
    })
    .execute();
}

async function revokeWhere(db: Kysely<Tables>, nowMs: number, which: ReturnType<typeof sql>): Promise<number> {
  const revoked = await db
    .updateTable('access_tokens')
    .set({ revoked_ms: nowMs })
    .where('revoked_ms', 'is', null)
    .where('expires_ms', '>', nowMs)
    .where(sql<boolean>`${which}`)
    .returning('id')
    .execute();
  if (revoked.length > 0) await raiseChangeNumber(db, 'access token revoked');
  return revoked.length;
}

function toStored(row: Selectable<Tables['access_tokens']>): StoredAccessToken {
  const { id, hash, trust, proof } = row;
  return { id, hash, trust, proof, identity: toIdentity(row), createdMs: row.created_ms, expiresMs: row.expires_ms, revokedMs: row.revoked_ms };
}
