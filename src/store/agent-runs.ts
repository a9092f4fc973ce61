// The runs that an agent started, and the runs below them: for the bounds on both, and to cancel them.
import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

export interface NewRuns {
  readonly agent: string;
  /** The run of the agent that they are below; null: the agent starts them itself. */
  readonly root: string | null;
  readonly count: number;
  /** How many of the agent's own runs may be in progress, or how many runs may be below the root; null: no bound. */
  readonly most: number | null;
}

export interface AgentRuns {
  /** Counts them before Prefect creates them. Answers ids that stand for them; undefined: they are too many. */
  reserve(runs: NewRuns): Promise<readonly string[] | undefined>;
  /** Replaces reserved ones with the runs that Prefect created. A known run is in progress again. */
  begin(reserved: readonly string[], runs: Pick<NewRuns, 'agent' | 'root'> & { readonly ids: readonly string[] }): Promise<void>;
  /** Those of the agent that have not ended, and those below them; without reserved ones. Oldest first. */
  unfinished(agent: string): Promise<readonly AgentRun[]>;
  /** They had ended at `asOfMs`. One that began since then goes on. */
  end(agent: string, ids: readonly string[], asOfMs: number): Promise<void>;
  /** How many of the runs that it started are in progress, with reserved ones. */
  inProgress(agent: string): Promise<number>;
}

export interface AgentRun {
  readonly id: string;
  readonly root: string;
}

/** A reserved run whose outcome is not known counts for so long. Prefect has answered by then, or the gateway has ended. */
const RESERVED_MS = 3_600_000;
/** A run that has ended may still start runs for a minute, with its token. They count below its root. */
const ENDED_MS = 3_600_000;

export function createAgentRuns(database: Database, clock: Clock): AgentRuns {
  return {
    reserve: ({ agent, root, count, most }) =>
      database.write(async (transaction) => {
        const nowMs = clock();
        await forgetOld(transaction, agent, nowMs);
        const counted = root === null ? await ownInProgress(transaction, agent) : await belowRoot(transaction, agent, root);
        if (most !== null && counted + count > most) return undefined;
        const ids = Array.from({ length: count }, () => randomUUID());
        const rows = ids.map((id) => ({ agent, id, root: root ?? id, own: ownOf(root), at_ms: nowMs, ended_ms: null, reserved: 1 }) as const);
        if (rows.length > 0) await transaction.insertInto('agent_runs').values(rows).execute();
        return ids;
      }),
    begin: (reserved, { agent, root, ids }) =>
      database.write(async (transaction) => {
        const nowMs = clock();
        if (reserved.length > 0) await transaction.deleteFrom('agent_runs').where('agent', '=', agent).where('id', 'in', reserved).execute();
        const rows = ids.map((id) => ({ agent, id, root: root ?? id, own: ownOf(root), at_ms: nowMs, ended_ms: null, reserved: 0 }) as const);
        if (rows.length === 0) return;
        await transaction
          .insertInto('agent_runs')
          .values(rows)
          .onConflict((conflict) => conflict.columns(['agent', 'id']).doUpdateSet({ own: ownOf(root), ended_ms: null, at_ms: nowMs }))
          .execute();
      }),
    unfinished: (agent) =>
      ofAgent(database.read, agent).where('ended_ms', 'is', null).where('reserved', '=', 0).select(['id', 'root']).orderBy('at_ms').orderBy('id').execute(),
    async end(agent, ids, asOfMs) {
      if (ids.length === 0) return;
      await database.write(async (transaction) => {
        const those = transaction.updateTable('agent_runs').where('agent', '=', agent).where('id', 'in', ids);
        await those.where('at_ms', '<=', asOfMs).set({ ended_ms: clock() }).execute();
      });
    },
    inProgress: (agent) => ownInProgress(database.read, agent),
  };
}

function ownOf(root: string | null): 0 | 1 {
  return root === null ? 1 : 0;
}

function ofAgent(db: Kysely<Tables>, agent: string) {
  return db.selectFrom('agent_runs').where('agent', '=', agent);
}

async function ownInProgress(db: Kysely<Tables>, agent: string): Promise<number> {
  const own = ofAgent(db, agent).where('own', '=', 1).where('ended_ms', 'is', null);
  return countOf(await own.select((of) => of.fn.countAll<number>().as('count')).executeTakeFirst());
}

async function belowRoot(db: Kysely<Tables>, agent: string, root: string): Promise<number> {
  const below = ofAgent(db, agent).where('root', '=', root).where('id', '!=', root);
  return countOf(await below.select((of) => of.fn.countAll<number>().as('count')).executeTakeFirst());
}

function countOf(row: { readonly count: number } | undefined): number {
  return row?.count ?? 0;
}

/** A tree of runs goes as a whole, some time after its last run has ended. Times in the future are from a clock that was set back: they count as now. */
async function forgetOld(db: Kysely<Tables>, agent: string, nowMs: number): Promise<void> {
  const own = db.updateTable('agent_runs').where('agent', '=', agent);
  await own.where('at_ms', '>', nowMs).set({ at_ms: nowMs }).execute();
  await own.where('ended_ms', '>', nowMs).set({ ended_ms: nowMs }).execute();
  const those = db.deleteFrom('agent_runs').where('agent', '=', agent);
  await those
    .where('reserved', '=', 1)
    .where('at_ms', '<=', nowMs - RESERVED_MS)
    .execute();
  const going = ofAgent(db, agent)
    .where((where) => where.or([where('ended_ms', 'is', null), where('ended_ms', '>', nowMs - ENDED_MS)]))
    .select('root');
  await those.where('root', 'not in', going).execute();
}
