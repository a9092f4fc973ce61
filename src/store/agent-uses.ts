// The uses of an agent's budgets in sliding windows: calls, runs and bytes. They count over a restart, and for all who share the store.
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

export const USE_KINDS = ['calls', 'runs', 'bytes'] as const;
export type UseKind = (typeof USE_KINDS)[number];

export const USE_WINDOWS_MS: Readonly<Record<UseKind, number>> = { calls: 60_000, runs: 3_600_000, bytes: 3_600_000 };

/** Answers come often, so the bytes of each second are one row, which counts to the end of that second. */
const GRAIN_MS: Readonly<Record<UseKind, number>> = { calls: 1, runs: 1, bytes: 1_000 };

export interface NewUse {
  readonly agent: string;
  readonly kind: UseKind;
  /** 0: counts nothing, and needs that something is left. */
  readonly amount: number;
  /** The budget for one window; null: no bound. */
  readonly most: number | null;
}

export type Taken =
  /** `atMs`: the row of these uses, for `giveBack`. */
  | { readonly ok: true; readonly atMs: number }
  /** `freesMs`: when enough of the window has passed. It is the end of the whole window if the amount is larger than the budget. */
  | { readonly ok: false; readonly over: NewUse; readonly freesMs: number };

export interface AgentUses {
  /** Counts all of them, or none: the first that does not fit is the answer. */
  take(uses: readonly NewUse[]): Promise<Taken>;
  /** Counts without a bound. */
  add(use: Omit<NewUse, 'most'>): Promise<void>;
  giveBack(use: Omit<NewUse, 'most'>, atMs: number): Promise<void>;
  /** The sum of the present window. */
  used(agent: string, kind: UseKind): Promise<number>;
  /** The last use that is still stored; null: none. */
  lastMs(agent: string, kind: UseKind): Promise<number | null>;
}

export function createAgentUses(database: Database, clock: Clock): AgentUses {
  return {
    take: (uses) =>
      database.write(async (transaction) => {
        const nowMs = clock();
        for (const use of uses) await forgetOld(transaction, use, nowMs);
        for (const over of uses) {
          const freesMs = await freesAt(transaction, over, nowMs);
          if (freesMs !== null) return { ok: false, over, freesMs };
        }
        for (const use of uses) await insert(transaction, use, nowMs);
        return { ok: true, atMs: nowMs };
      }),
    add: (use) =>
      database.write(async (transaction) => {
        const nowMs = clock();
        await forgetOld(transaction, use, nowMs);
        await insert(transaction, use, nowMs);
      }),
    giveBack: ({ agent, kind, amount }, atMs) =>
      database.write(async (transaction) => {
        const row = transaction.updateTable('agent_uses').where('agent', '=', agent).where('kind', '=', kind).where('at_ms', '=', rowMs(kind, atMs));
        await row.set((of) => ({ amount: of('amount', '-', amount) })).execute();
      }),
    used: (agent, kind) => sumOf(database.read, { agent, kind }, clock()),
    async lastMs(agent, kind) {
      const row = await ofAgent(database.read, { agent, kind })
        .select((of) => of.fn.max('at_ms').as('last'))
        .executeTakeFirst();
      return row?.last ?? null;
    },
  };
}

type Counted = Pick<NewUse, 'agent' | 'kind'>;

function rowMs(kind: UseKind, nowMs: number): number {
  return Math.ceil(nowMs / GRAIN_MS[kind]) * GRAIN_MS[kind];
}

function ofAgent(db: Kysely<Tables>, { agent, kind }: Counted) {
  return db.selectFrom('agent_uses').where('agent', '=', agent).where('kind', '=', kind);
}

/**
 * A clock that steps ahead by less than a window forgets nothing. One that steps back leaves rows in the future: they count as uses of now. So a
 * step back frees nothing, and blocks for one window at most. The newest row stays: it says when the agent was last there.
 */
async function forgetOld(db: Kysely<Tables>, counted: Counted, nowMs: number): Promise<void> {
  const { agent, kind } = counted;
  const own = db.deleteFrom('agent_uses').where('agent', '=', agent).where('kind', '=', kind);
  const newest = ofAgent(db, counted).select((of) => of.fn.max('at_ms').as('last'));
  await own
    .where('at_ms', '<=', nowMs - 2 * USE_WINDOWS_MS[kind])
    .where('at_ms', '<', newest)
    .execute();
  const ahead = await own.where('at_ms', '>', rowMs(kind, nowMs)).returning('amount').execute();
  for (const { amount } of ahead) await insert(db, { ...counted, amount }, nowMs);
}

async function insert(db: Kysely<Tables>, { agent, kind, amount }: Omit<NewUse, 'most'>, nowMs: number): Promise<void> {
  if (amount === 0) return;
  await db
    .insertInto('agent_uses')
    .values({ agent, kind, at_ms: rowMs(kind, nowMs), amount })
    .onConflict((conflict) => conflict.columns(['agent', 'kind', 'at_ms']).doUpdateSet((of) => ({ amount: of('agent_uses.amount', '+', amount) })))
    .execute();
}

async function sumOf(db: Kysely<Tables>, counted: Counted, nowMs: number): Promise<number> {
  const inWindow = ofAgent(db, counted).where('at_ms', '>', nowMs - USE_WINDOWS_MS[counted.kind]);
  const row = await inWindow.select((of) => of.fn.sum<number | null>('amount').as('sum')).executeTakeFirst();
  return row?.sum ?? 0;
}

/** Null: it fits now. */
async function freesAt(db: Kysely<Tables>, use: NewUse, nowMs: number): Promise<number | null> {
  if (use.most === null) return null;
  const windowMs = USE_WINDOWS_MS[use.kind];
  let beyond = (await sumOf(db, use, nowMs)) + Math.max(use.amount, 1) - use.most;
  if (beyond <= 0) return null;
  const rows = await ofAgent(db, use)
    .where('at_ms', '>', nowMs - windowMs)
    .select(['at_ms', 'amount'])
    .orderBy('at_ms')
    .execute();
  for (const row of rows) {
    beyond -= row.amount;
    if (beyond <= 0) return row.at_ms + windowMs;
  }
  return (rows.at(-1)?.at_ms ?? nowMs) + windowMs;
}
