// Stored access tokens: short-lived, issued by Lictor for another proof. Each has the proven identity, or an actor and the subject that it acts for.
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { type Chain, chainFromColumn, chainToColumn, type ProvenIdentity } from './access-token-chain.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { toClaims, toIdentity } from './identities.ts';
import { corruptColumn } from './json-column.ts';
import { toColumn } from './lists.ts';
import { endRunTokensOf } from './run-tokens.ts';
import type { Tables } from './tables.ts';

interface Common {
  readonly id: string;
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  /** The only part of the gateway where it is valid; null: all parts. */
  readonly audience: string | null;
  readonly expiresMs: number;
}

export type NewAccessToken = Common & ((ProvenIdentity & { readonly chain: null }) | { readonly chain: Chain });

export type StoredAccessToken = NewAccessToken & { readonly createdMs: number; readonly revokedMs: number | null };

export interface AccessTokens {
  /** Also forgets those that ended more than an hour ago. */
  create(token: NewAccessToken): Promise<void>;
  /** Ended ones too, for a while. */
  byId(id: string): Promise<StoredAccessToken | undefined>;
  /** Those that are neither ended nor revoked, oldest first. */
  live(): Promise<readonly StoredAccessToken[]>;
  /** Raises the change number, and ends the tokens of the runs that it began. False: unknown, ended or revoked already. */
  revoke(id: string): Promise<boolean>;
  /** Every live one of an identity, or with it in the chain, and the tokens of all of its runs; answers how many of each ended. */
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
        const own = await revokeWhere(transaction, clock(), sql`idp = ${idp} and name = ${name}`);
        return { tokens: own + (await revokeChainsWith(transaction, clock(), `${name}@${idp}`)), runs };
      }),
  };
}

async function insert(db: Kysely<Tables>, token: NewAccessToken, nowMs: number): Promise<void> {
  const { id, hash, audience, expiresMs } = token;
  await db
    .deleteFrom('access_tokens')
    .where('expires_ms', '<', nowMs - KEPT_MS)
    .execute();
  await db
    .insertInto('access_tokens')
    .values({
      id,
      hash,
      audience,
      ...(token.chain === null ? { ...identityColumns(token), chain: null } : { ...NO_IDENTITY, chain: chainToColumn(token.chain) }),
      created_ms: nowMs,
      expires_ms: expiresMs,
      revoked_ms: null,
    })
    .execute();
}

function identityColumns({ identity, trust, proof }: ProvenIdentity) {
  const { idp, subject, name, kind, groups, claims } = identity;
  return { idp, subject, name, kind, groups: toColumn(groups), claims: toClaims(claims), trust, proof };
}

const NO_IDENTITY = { idp: null, subject: null, name: null, kind: null, groups: null, claims: null, trust: null, proof: null } as const;

/** Few tokens have a chain, and they are short-lived. */
async function revokeChainsWith(db: Kysely<Tables>, nowMs: number, principal: string): Promise<number> {
  const rows = await db.selectFrom('access_tokens').select(['id', 'chain']).where('chain', 'is not', null).where('expires_ms', '>', nowMs).execute();
  let revoked = 0;
  for (const { id, chain } of rows) {
    if (chainFromColumn(chain)?.principals.includes(principal) === true) revoked += await revokeWhere(db, nowMs, sql`id = ${id}`);
  }
  return revoked;
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
  const { id, hash, audience } = row;
  const common = { id, hash, audience, createdMs: row.created_ms, expiresMs: row.expires_ms, revokedMs: row.revoked_ms };
  const chain = chainFromColumn(row.chain);
  if (chain !== null) return { ...common, chain };
  const { idp, subject, name, kind, groups, claims, trust, proof } = row;
  if (idp === null || subject === null || name === null || kind === null || groups === null || claims === null || trust === null || proof === null)
    throw corruptColumn('holder of an access token');
  return { ...common, chain: null, identity: toIdentity({ idp, subject, name, kind, groups, claims }), trust, proof };
}
