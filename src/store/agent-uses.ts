// The uses of an agent's budgets in sliding windows: calls, runs and bytes. They count over a restart, and for all who share the store.
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { batched } from './batched.ts';
import type { Database, Select } from './database.ts';
import { prepare } from './prepared-read.ts';
import type { Tables } from './tables.ts';

export const USE_KINDS = ['calls', 'runs', 'bytes'] as const;
export type UseKind = (typeof USE_KINDS)[number];

export const USE_WINDOWS_MS: Readonly<Record<UseKind, number>> = { calls: 60_000, runs: 3_600_000, bytes: 3_600_000 };

/** Uses that come often share one row for each second, and count to the end of that second. So a window has few rows to add up. */
const COARSE_MS = 1_000;
/** One transaction stores the uses that are added within this time. */
const STORED_AFTER_MS = 100;
/** Up to this budget of calls, each millisecond has a separate row. */
const FINE_MOST = 1_000;

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
  /** Counts without a bound: at once through this handle, for others when it is stored. A crash loses what came less than 100 ms before it. */
  add(use: Omit<NewUse, 'most'>): void;
  /** Of runs: their row has the time of `take`. */
  giveBack(use: Omit<NewUse, 'most'>, atMs: number): Promise<void>;
  /** The sum of the present window. */
  used(agent: string, kind: UseKind): Promise<number>;
  /** The last use that is still stored; null: none. */
  lastMs(agent: string, kind: UseKind): Promise<number | null>;
  /** Stores what was added. */
  flush(): Promise<void>;
}

export function createAgentUses(database: Database, clock: Clock): AgentUses {
  const statements = prepareStatements(database.read);
  const added = createAdded(async (uses) => {
    await database.write(async (transaction, run) => {
      for (const use of uses) await count(on(transaction, run), use, clock());
    });
  });
  const on = (db: Kysely<Tables>, run: Select): Rows => ({ db, run, added, ...statements });
  const read = on(database.read, database.select);
  const write = batched((all: readonly (readonly NewUse[])[]) =>
    database.write(async (transaction, run) => {
      const taken: Taken[] = [];
      for (const uses of all) taken.push(await takeAll(on(transaction, run), uses, clock()));
      return taken;
    }),
  );
  return {
    async take(uses) {
      const nowMs = clock();
      // What counts nothing needs no write, unless rows must be tidied before it is refused.
      const isRead = uses.every(({ amount }) => amount === 0);
      const isFitting = isRead && (await Promise.all(uses.map((use) => fits(read, use, nowMs)))).every(Boolean);
      return isFitting ? { ok: true, atMs: nowMs } : write(uses);
    },
    add: added.add,
    flush: added.flush,
    giveBack: ({ agent, kind, amount }, atMs) =>
      database.write(async (transaction) => {
        const row = transaction.updateTable('agent_uses').where('agent', '=', agent).where('kind', '=', kind).where('at_ms', '=', atMs);
        await row.set((of) => ({ amount: of('amount', '-', amount) })).execute();
      }),
    used: async (agent, kind) => (await windowOf(read, { agent, kind }, clock())).used,
    lastMs: async (agent, kind) => (await windowOf(read, { agent, kind }, clock())).newest,
  };
}

type Counted = Pick<NewUse, 'agent' | 'kind'>;

interface Rows extends ReturnType<typeof prepareStatements> {
  readonly db: Kysely<Tables>;
  readonly run: Select;
  readonly added: Pick<Added, 'of'>;
}

interface Added extends Pick<AgentUses, 'add' | 'flush'> {
  /** The sum that is not stored yet. */
  of(use: Counted): number;
}

function createAdded(store: (uses: readonly NewUse[]) => Promise<void>): Added {
  const waiting = new Map<string, NewUse>();
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  const change = (use: Omit<NewUse, 'most'>, by: number): void => {
    const amount = (waiting.get(keyOf(use))?.amount ?? 0) + by;
    if (amount === 0) waiting.delete(keyOf(use));
    else waiting.set(keyOf(use), { ...use, amount, most: null });
  };
  const storeAll = async (): Promise<void> => {
    const uses = [...waiting.values()];
    if (uses.length === 0) return;
    await store(uses);
    for (const use of uses) change(use, -use.amount);
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    last = last.then(storeAll, storeAll);
    return last;
  };
  // What cannot be stored still counts here, and is stored with the next uses.
  const flushLater = () => void flush().catch(() => undefined);
  return {
    of: (use) => waiting.get(keyOf(use))?.amount ?? 0,
    flush,
    add(use) {
      change(use, use.amount);
      timer ??= setTimeout(flushLater, STORED_AFTER_MS).unref();
    },
  };
}

function prepareStatements(db: Kysely<Tables>) {
  const own = ofAgent(db, { agent: '', kind: 'calls' });
  const row = db.insertInto('agent_uses').values({ agent: '', kind: 'calls', at_ms: 0, amount: 0 });
  return {
    // Each from the index by a separate query: together, they would read all rows of the agent.
    selectWindow: prepare(
      db.selectNoFrom([
        own.select((of) => of.fn.min('at_ms').as('at')).as('oldest'),
        own.select((of) => of.fn.max('at_ms').as('at')).as('newest'),
        own
          .where('at_ms', '>', 0)
          .select((of) => of.fn.sum<number | null>('amount').as('sum'))
          .as('used'),
      ]),
    ),
    insertRow: prepare(
      row.onConflict((conflict) =>
        conflict.columns(['agent', 'kind', 'at_ms']).doUpdateSet((of) => ({ amount: of('agent_uses.amount', '+', of.ref('excluded.amount')) })),
      ),
    ),
  };
}

function keyOf({ agent, kind }: Counted): string {
  return `${kind} ${agent}`;
}

function ofAgent(db: Kysely<Tables>, { agent, kind }: Counted) {
  return db.selectFrom('agent_uses').where('agent', '=', agent).where('kind', '=', kind);
}

async function takeAll(rows: Rows, uses: readonly NewUse[], nowMs: number): Promise<Taken> {
  for (const use of uses) {
    const window = await windowOf(rows, use, nowMs);
    await tidy(rows, use, { ...window, nowMs });
    if (beyondBudget(use, window) > 0) return { ok: false, over: use, freesMs: await freesAt(rows, use, { ...window, nowMs }) };
  }
  for (const use of uses) await insert(rows, use, nowMs);
  return { ok: true, atMs: nowMs };
}

function rowMs({ kind, most }: Pick<NewUse, 'kind' | 'most'>, nowMs: number): number {
  const isCoarse = kind === 'bytes' || (kind === 'calls' && (most ?? Number.POSITIVE_INFINITY) > FINE_MOST);
  return isCoarse ? Math.ceil(nowMs / COARSE_MS) * COARSE_MS : nowMs;
}

interface Window {
  /** Of all stored rows. */
  readonly oldest: number | null;
  readonly newest: number | null;
  readonly used: number;
}

/** What is added is read first: uses that are stored meanwhile count twice for this moment, and never not at all. */
async function windowOf({ run, added, selectWindow }: Rows, { agent, kind }: Counted, nowMs: number): Promise<Window> {
  const waiting = added.of({ agent, kind });
  const [row] = await selectWindow(run, agent, kind, agent, kind, agent, kind, nowMs - USE_WINDOWS_MS[kind]);
  return { oldest: row?.oldest ?? null, newest: row?.newest ?? null, used: (row?.used ?? 0) + waiting };
}

async function count(rows: Rows, use: NewUse, nowMs: number): Promise<void> {
  await tidy(rows, use, { ...(await windowOf(rows, use, nowMs)), nowMs });
  await insert(rows, use, nowMs);
}

/**
 * A clock that steps ahead by less than a window forgets nothing. One that steps back leaves rows in the future: they count as uses of now. So a
 * step back frees nothing, and blocks for one window at most. The newest row stays: it says when the agent was last there. The sum stays the same.
 */
async function tidy(rows: Rows, use: NewUse, { oldest, newest, nowMs }: Window & { readonly nowMs: number }): Promise<void> {
  const { agent, kind } = use;
  if (oldest === null || newest === null) return;
  const windowMs = USE_WINDOWS_MS[kind];
  const own = rows.db.deleteFrom('agent_uses').where('agent', '=', agent).where('kind', '=', kind);
  // Once in a window.
  if (oldest <= nowMs - 3 * windowMs)
    await own
      .where('at_ms', '<=', nowMs - 2 * windowMs)
      .where('at_ms', '<', newest)
      .execute();
  if (newest <= rowMs(use, nowMs)) return;
  const ahead = await own.where('at_ms', '>', rowMs(use, nowMs)).returning('amount').execute();
  for (const { amount } of ahead) await insert(rows, { ...use, amount }, nowMs);
}

async function insert({ run, insertRow }: Rows, use: NewUse, nowMs: number): Promise<void> {
  if (use.amount !== 0) await insertRow(run, use.agent, use.kind, rowMs(use, nowMs), use.amount);
}

async function fits(rows: Rows, use: NewUse, nowMs: number): Promise<boolean> {
  return beyondBudget(use, await windowOf(rows, use, nowMs)) <= 0;
}

function beyondBudget({ amount, most }: NewUse, { used }: Window): number {
  return most === null ? 0 : used + Math.max(amount, 1) - most;
}

async function freesAt(rows: Rows, use: NewUse, { nowMs, ...window }: Window & { readonly nowMs: number }): Promise<number> {
  const windowMs = USE_WINDOWS_MS[use.kind];
  let beyond = beyondBudget(use, window);
  const inWindow = await ofAgent(rows.db, use)
    .where('at_ms', '>', nowMs - windowMs)
    .select(['at_ms', 'amount'])
    .orderBy('at_ms')
    .execute();
  for (const row of inWindow) {
    beyond -= row.amount;
    if (beyond <= 0) return row.at_ms + windowMs;
  }
  return (inWindow.at(-1)?.at_ms ?? nowMs) + windowMs;
}
