// Requests that wait for a person. Each allows one request with the same arguments, once, until its end.
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Clock, RETENTION_AFTER_END_MS } from '../contract/clock.ts';
import type { ResourceType } from '../contract/operation.ts';
import { byCame } from './columns.ts';
import type { Database } from './database.ts';
import { fromColumn, toColumn } from './lists.ts';
import type { Tables } from './tables.ts';

/** Pending requests of one principal, and of the runs that it started: a client must not fill the store, nor the list of an approver. */
export const MOST_PENDING = 20;

export interface NewApproval {
  /** Unguessable. */
  readonly id: string;
  /** SHA-256 of everything that the approval is bound to, hexadecimal. */
  readonly binding: string;
  readonly rule: string;
  /** The requester: a principal, or the login of a client that acts for a person. */
  readonly requestedBy: string;
  /** The further principals of the chain, nearest first. */
  readonly onBehalfOf: readonly string[];
  /** Whose pending requests this one counts among. */
  readonly countedFor: string;
  readonly credentialId: string;
  /** Null: `approvers` says who approves. */
  readonly sponsor: string | null;
  /** Members as in `roles`. */
  readonly approvers: readonly string[];
  readonly action: string;
  readonly resourceType: ResourceType;
  readonly resourceId: string | null;
  /** Null: unknown. */
  readonly resourceName: string | null;
  /** JSON, bounded and without secrets: for people. */
  readonly shownArguments: string;
  /** SHA-256 of all arguments, hexadecimal. */
  readonly argumentsHash: string;
  readonly revision: number;
  readonly lifeMs: number;
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'used' | 'expired';

export interface StoredApproval extends NewApproval {
  readonly state: ApprovalState;
  readonly createdMs: number;
  /** A denial holds for the whole life again, so that the requester does not ask again at once. */
  readonly expiresMs: number;
  /** Null: no person has decided. */
  readonly decidedBy: string | null;
  /** The reason that this person gave; empty: none. */
  readonly reason: string;
}

export interface ApprovalDecision {
  readonly isApproved: boolean;
  readonly decidedBy: string;
  readonly reason: string;
}

export interface Approvals {
  /** The one that holds for this binding now; else the new one. Undefined: the principal has too many pending requests. */
  holdingOr(fresh: NewApproval): Promise<{ readonly approval: StoredApproval; readonly isNew: boolean } | undefined>;
  byId(id: string): Promise<StoredApproval | undefined>;
  /** Those that wait first, then ended ones as long as the store has them. Newest first. */
  list(): Promise<readonly StoredApproval[]>;
  /** False: no longer pending. */
  decide(id: string, decision: ApprovalDecision): Promise<boolean>;
  /** Only one caller ever gets true. It is on the disk then. */
  use(id: string): Promise<boolean>;
  /** Only for the caller that has used it, if nothing was forwarded. */
  giveBack(id: string): Promise<void>;
}

export function createApprovals(database: Database, clock: Clock): Approvals {
  const select = () => database.read.selectFrom('approvals').selectAll();
  const read = (row: Selectable<Tables['approvals']>): StoredApproval => toApproval(row, clock());
  return {
    async holdingOr(fresh) {
      const known = await holding(database.read, fresh.binding, clock());
      return known === undefined ? await database.durably((transaction) => holdingOr(transaction, fresh, clock())) : { approval: known, isNew: false };
    },
    async byId(id) {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : read(row);
    },
    list: async () => (await select().orderBy(waits(clock()), 'desc').orderBy(byCame, 'desc').limit(MOST_LISTED).execute()).map(read),
    decide: (id, decision) => database.durably((transaction) => decide(transaction, { id, decision, nowMs: clock() })),
    use: (id) =>
      database.durably(async (transaction) => {
        const pass = transaction.updateTable('approvals').set({ state: 'used' }).where('id', '=', id).where('state', '=', 'approved');
        return (await pass.where('expires_ms', '>', clock()).returning('id').executeTakeFirst()) !== undefined;
      }),
    async giveBack(id) {
      await database.durably((transaction) =>
        transaction.updateTable('approvals').set({ state: 'approved' }).where('id', '=', id).where('state', '=', 'used').execute(),
      );
    },
  };
}

const MOST_LISTED = 1000;

/** Many ended requests must not hide one that waits. */
function waits(nowMs: number) {
  return sql<number>`state = 'pending' and expires_ms > ${nowMs}`;
}

async function holding(db: Kysely<Tables>, binding: string, nowMs: number): Promise<StoredApproval | undefined> {
  const row = await db
    .selectFrom('approvals')
    .selectAll()
    .where('binding', '=', binding)
    .where('expires_ms', '>', nowMs)
    .orderBy(byCame, 'desc')
    .executeTakeFirst();
  return row === undefined ? undefined : toApproval(row, nowMs);
}

async function holdingOr(db: Kysely<Tables>, fresh: NewApproval, nowMs: number) {
  await db
    .deleteFrom('approvals')
    .where('expires_ms', '<', nowMs - RETENTION_AFTER_END_MS)
    .execute();
  const known = await holding(db, fresh.binding, nowMs);
  if (known !== undefined) return { approval: known, isNew: false };
  const pending = db.selectFrom('approvals').select(db.fn.countAll().as('count')).where('counted_for', '=', fresh.countedFor).where('state', '=', 'pending');
  const { count } = await pending.where('expires_ms', '>', nowMs).executeTakeFirstOrThrow();
  if (Number(count) >= MOST_PENDING) return undefined;
  const row = await db.insertInto('approvals').values(toRow(fresh, nowMs)).returningAll().executeTakeFirstOrThrow();
  return { approval: toApproval(row, nowMs), isNew: true };
}

interface Deciding {
  readonly id: string;
  readonly decision: ApprovalDecision;
  readonly nowMs: number;
}

async function decide(db: Kysely<Tables>, { id, decision, nowMs }: Deciding): Promise<boolean> {
  const { isApproved, decidedBy, reason } = decision;
  const decided = await db
    .updateTable('approvals')
    .set(({ ref, eb }) => ({
      state: isApproved ? 'approved' : 'denied',
      decided_by: decidedBy,
      reason,
      expires_ms: isApproved ? ref('expires_ms') : eb(ref('life_ms'), '+', nowMs),
    }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_ms', '>', nowMs)
    .returning('id')
    .executeTakeFirst();
  return decided !== undefined;
}

function toRow(fresh: NewApproval, nowMs: number): Tables['approvals'] {
  return {
    id: fresh.id,
    binding: fresh.binding,
    rule: fresh.rule,
    requested_by: fresh.requestedBy,
    on_behalf_of: toColumn(fresh.onBehalfOf),
    counted_for: fresh.countedFor,
    credential_id: fresh.credentialId,
    sponsor: fresh.sponsor,
    approvers: toColumn(fresh.approvers),
    action: fresh.action,
    resource_type: fresh.resourceType,
    resource_id: fresh.resourceId,
    resource_name: fresh.resourceName,
    shown_arguments: fresh.shownArguments,
    arguments_hash: fresh.argumentsHash,
    revision: fresh.revision,
    life_ms: fresh.lifeMs,
    state: 'pending',
    created_ms: nowMs,
    expires_ms: nowMs + fresh.lifeMs,
    decided_by: null,
    reason: '',
  };
}

function toApproval(row: Selectable<Tables['approvals']>, nowMs: number): StoredApproval {
  const { id, binding, rule, sponsor, action, revision, reason } = row;
  const isOver = row.expires_ms <= nowMs && (row.state === 'pending' || row.state === 'approved');
  return {
    ...{ id, binding, rule, sponsor, action, revision, reason },
    requestedBy: row.requested_by,
    onBehalfOf: fromColumn(row.on_behalf_of),
    countedFor: row.counted_for,
    credentialId: row.credential_id,
    approvers: fromColumn(row.approvers),
    resourceType: row.resource_type,
    resourceId: row.resource_id,
    resourceName: row.resource_name,
    shownArguments: row.shown_arguments,
    argumentsHash: row.arguments_hash,
    lifeMs: row.life_ms,
    state: isOver ? 'expired' : row.state,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    decidedBy: row.decided_by,
  };
}
