// Stored tokens of flow runs: only their hashes, with the run and the worker that each is bound to, and its validity.
import { type Kysely, type Selectable, sql } from 'kysely';
import { AT_ONCE, type Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import { byCame } from './columns.ts';
import type { Database } from './database.ts';
import { fromColumn, toColumn } from './lists.ts';
import { identityFromColumn, identityToColumn, type WorkerIdentity } from './run-token-identity.ts';
import type { Tables } from './tables.ts';

export interface NewRunToken {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly id: string;
  readonly flowRunId: string;
  readonly deploymentId: string | null;
  readonly pool: string;
  /** Id of the SCHEDULED state that the worker was given the run in. */
  readonly stateId: string;
  /** The worker's principal. */
  readonly worker: string;
  /** The part of the worker's identity that stays when its credentials are replaced. */
  readonly binding: string;
  /** The credential of the worker. */
  readonly credentialId: string;
  /** Null: Lictor looks up the binding each time. */
  readonly identity: WorkerIdentity | null;
  /** The initiators of the run, nearest first. */
  readonly onBehalfOf: readonly string[];
  readonly expiresMs: number;
}

export interface StoredRunToken extends NewRunToken {
  readonly mintedMs: number;
  /** Null: its worker has not begun the run. */
  readonly liveMs: number | null;
  /** The end of the token; may be in the future. `AT_ONCE`: it has ended, even if the clock is set back. */
  readonly endedMs: number | null;
}

export interface RunTokens {
  /** Does not change existing tokens. Also deletes those that ended long ago. */
  put(tokens: readonly NewRunToken[]): Promise<void>;
  byHash(hash: string): Promise<StoredRunToken | undefined>;
  /** The token that is or was valid last; otherwise the newest. */
  lastOf(flowRunId: string): Promise<StoredRunToken | undefined>;
  /** Activates the newest waiting token of this run and worker, and ends every other of the run. True: another was valid; raises the change number then. */
  goLive(run: Pick<NewRunToken, 'flowRunId' | 'binding' | 'credentialId' | 'identity' | 'expiresMs'>): Promise<boolean>;
  /** Ends the valid tokens then, or now (`AT_ONCE`). An earlier end stays. */
  endOf(flowRunId: string, endsMs: number): Promise<void>;
  /** Ends the valid tokens. True: there were any; raises the change number then. */
  endNow(flowRunId: string): Promise<boolean>;
  /** Renews no expired token. */
  renew(hash: string, expiresMs: number): Promise<void>;
}

/** How long Lictor stores an ended token, so that it is not reported as unknown, and a token that was never valid. A needed one is created again. */
const KEPT_MS = 24 * 3_600_000;

export function createRunTokens(database: Database, clock: Clock): RunTokens {
  return {
    async put(tokens) {
      const known = await knownOf(database.read, tokens);
      const fresh = tokens.filter(({ hash }) => !known.has(hash));
      if (fresh.length > 0) await database.durably((transaction) => insert(transaction, fresh, clock()));
    },
    async byHash(hash) {
      const row = await database.read.selectFrom('run_tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? undefined : toStored(row);
    },
    async lastOf(flowRunId) {
      const rows = database.read.selectFrom('run_tokens').selectAll().where('flow_run_id', '=', flowRunId);
      // One that never held comes behind those that did, and of these one that was replaced behind the one that did so.
      const ordered = rows.orderBy(sql`live_ms is null`).orderBy(sql`coalesce(ended_ms, 1) = ${AT_ONCE}`).orderBy(byCame, 'desc');
      const row = await ordered.limit(1).executeTakeFirst();
      return row === undefined ? undefined : toStored(row);
    },
    goLive: (run) => database.durably((transaction) => goLive(transaction, run, clock())),
    endOf: (flowRunId, endsMs) =>
      database.durably(async (transaction) => {
        await ofRun(transaction, flowRunId, endsMs).set({ ended_ms: endsMs }).execute();
      }),
    endNow: (flowRunId) =>
      database.durably(async (transaction) => {
        const any = await endAtOnce(transaction, flowRunId, clock());
        if (any) await raiseChangeNumber(transaction, 'run token ended');
        return any;
      }),
    renew: (hash, expiresMs) =>
      database.write(async (transaction) => {
        await transaction.updateTable('run_tokens').set({ expires_ms: expiresMs }).where('hash', '=', hash).where('expires_ms', '>', clock()).execute();
      }),
  };
}

/** Answers how many. Call it in the transaction that revokes the credential they depend on. */
export async function endRunTokensOf(db: Kysely<Tables>, by: { readonly worker: string } | { readonly credentialId: string }): Promise<number> {
  const update = db.updateTable('run_tokens').set({ ended_ms: AT_ONCE });
  const those = 'worker' in by ? update.where('worker', '=', by.worker) : update.where('credential_id', '=', by.credentialId);
  const ended = await those
    .where((where) => where.or([where('ended_ms', 'is', null), where('ended_ms', '>', AT_ONCE)]))
    .returning('hash')
    .execute();
  if (ended.length > 0) await raiseChangeNumber(db, 'run tokens of a worker ended');
  return ended.length;
}

async function knownOf(db: Kysely<Tables>, tokens: readonly NewRunToken[]): Promise<ReadonlySet<string>> {
  if (tokens.length === 0) return new Set();
  const hashes = tokens.map(({ hash }) => hash);
  return new Set((await db.selectFrom('run_tokens').select('hash').where('hash', 'in', hashes).execute()).map(({ hash }) => hash));
}

async function insert(db: Kysely<Tables>, tokens: readonly NewRunToken[], nowMs: number): Promise<void> {
  const beforeMs = nowMs - KEPT_MS;
  await db
    .deleteFrom('run_tokens')
    .where((where) =>
      where.or([
        where.and([where('live_ms', 'is', null), where('minted_ms', '<', beforeMs)]),
        // A token that was ended at once stays for the rest of its life: otherwise another poll for the same state would create it again.
        where.and([where('ended_ms', '>', AT_ONCE), where('ended_ms', '<', beforeMs)]),
        where('expires_ms', '<', beforeMs),
      ]),
    )
    .execute();
  const rows = tokens.map((token) => ({
    hash: token.hash,
    id: token.id,
    flow_run_id: token.flowRunId,
    deployment_id: token.deploymentId,
    pool: token.pool,
    state_id: token.stateId,
    worker: token.worker,
    binding: token.binding,
    credential_id: token.credentialId,
    identity: identityToColumn(token.identity),
    on_behalf_of: toColumn(token.onBehalfOf),
    minted_ms: nowMs,
    live_ms: null,
    ended_ms: null,
    expires_ms: token.expiresMs,
  }));
  await db
    .insertInto('run_tokens')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function goLive(
  db: Kysely<Tables>,
  { flowRunId, binding, credentialId, identity, expiresMs }: Parameters<RunTokens['goLive']>[0],
  nowMs: number,
): Promise<boolean> {
  const waiting = await db
    .selectFrom('run_tokens')
    .select('hash')
    .where('flow_run_id', '=', flowRunId)
    .where('binding', '=', binding)
    .where('live_ms', 'is', null)
    .where('ended_ms', 'is', null)
    .orderBy(byCame, 'desc')
    .limit(1)
    .executeTakeFirst();
  if (waiting === undefined) return false;
  const others = await endAtOnce(db, flowRunId, nowMs);
  if (others) await raiseChangeNumber(db, 'run token replaced');
  const begun = { live_ms: nowMs, credential_id: credentialId, identity: identityToColumn(identity), expires_ms: expiresMs };
  await db.updateTable('run_tokens').set(begun).where('hash', '=', waiting.hash).execute();
  return others;
}

/** True: any held until now. The others do not get back what was left of their grace from a clock that is put back either. */
async function endAtOnce(db: Kysely<Tables>, flowRunId: string, nowMs: number): Promise<boolean> {
  const held = await ofRun(db, flowRunId, nowMs).set({ ended_ms: AT_ONCE }).returning('hash').execute();
  await ofRun(db, flowRunId, AT_ONCE).set({ ended_ms: AT_ONCE }).execute();
  return held.length > 0;
}

/** Valid tokens with a later end. */
function ofRun(db: Kysely<Tables>, flowRunId: string, endsMs: number) {
  return db
    .updateTable('run_tokens')
    .where('flow_run_id', '=', flowRunId)
    .where('live_ms', 'is not', null)
    .where((where) => where.or([where('ended_ms', 'is', null), where('ended_ms', '>', endsMs)]));
}

function toStored(row: Selectable<Tables['run_tokens']>): StoredRunToken {
  return {
    hash: row.hash,
    id: row.id,
    flowRunId: row.flow_run_id,
    deploymentId: row.deployment_id,
    pool: row.pool,
    stateId: row.state_id,
    worker: row.worker,
    binding: row.binding,
    credentialId: row.credential_id,
    identity: identityFromColumn(row.identity),
    onBehalfOf: fromColumn(row.on_behalf_of),
    mintedMs: row.minted_ms,
    liveMs: row.live_ms,
    endedMs: row.ended_ms,
    expiresMs: row.expires_ms,
  };
}
