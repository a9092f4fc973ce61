// The one direct connection of a node: hears that something has changed, and holds the locks that elect. PgBouncer's transaction mode passes neither.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresAddress } from '../contract/store-address.ts';
import type { BeginWork, Coordination, CoordinationParts, Duty, DutyName } from './coordination.ts';
import type { Database } from './database.ts';
import { assertPrimary, connectionOf, hostAfter, hostsOf } from './postgres-connection.ts';
import { CHANGE_CHANNEL } from './postgres-schema.ts';

export interface DirectParts extends Omit<CoordinationParts, 'listenAt'> {
  readonly at: PostgresAddress;
  readonly database: Pick<Database, 'durably'>;
}

const PROBE_MS = 1_000;
const RETRY_MS = 1_000;
/** This node then ends its work. */
const NO_ANSWER_MS = 2_500;
/** Postgres then frees the locks of a node that hangs or was cut off: another one has them within 5 s. */
const SILENCE_MS = 4_000;

export function openDirect(parts: DirectParts): Coordination {
  const works = new Map<DutyName, Set<BeginWork>>();
  const held = new Map<DutyName, HeldDuty>();
  const closing = new AbortController();
  const hosts = hostsOf(parts.at);
  let [host] = hosts;
  let isConnected = false;

  /** Tries each duty that this node does not have, and begins what has not begun. */
  async function stand(client: pg.Client): Promise<void> {
    for (const [name, wanted] of works) {
      if (wanted.size === 0) continue;
      if (!held.has(name) && (await tryLock(client, name))) held.set(name, createHeldDuty(name, await raiseFence(parts, name), parts.onError));
      await held.get(name)?.begin(wanted);
    }
  }

  async function session(): Promise<void> {
    const client = new pg.Client({ ...connectionOf(parts.at), host, query_timeout: NO_ANSWER_MS });
    const ended = new Promise<unknown>((resolve) => {
      // Each error needs a listener: Postgres says that it ends, and then the connection breaks.
      client.on('error', resolve);
      client.once('end', () => resolve(new Error('the connection has ended')));
    });
    try {
      await client.connect();
      if (hosts.length > 1) await assertPrimary(client);
      await client.query(`set idle_session_timeout = ${SILENCE_MS}`);
      client.on('notification', parts.onChange);
      await client.query(`listen ${CHANGE_CHANNEL}`);
      isConnected = true;
      parts.onState(null);
      parts.onChange();
      while (!closing.signal.aborted) {
        await stand(client);
        const problem = await Promise.race([ended, pauseUntil(closing.signal, PROBE_MS)]);
        if (problem !== undefined) throw problem;
        await client.query('select 1');
      }
    } finally {
      isConnected = false;
      // The work ends before Postgres can free the locks of a connection that this node closes.
      const all = [...held.values()];
      held.clear();
      await Promise.all(all.map((duty) => duty.end()));
      await endOf(client);
    }
  }

  async function sessions(): Promise<void> {
    while (!closing.signal.aborted) {
      // Each host once, beginning with the last one that worked.
      for (let tries = 0; tries < hosts.length && !closing.signal.aborted; tries += 1) {
        await session().catch((error: unknown) => {
          host = hostAfter(hosts, host);
          parts.onState(error);
        });
      }
      await pauseUntil(closing.signal, RETRY_MS);
    }
  }

  const running = sessions();
  return {
    isConnected: () => isConnected,
    hold(name, begin) {
      const wanted = works.get(name) ?? new Set();
      works.set(name, wanted.add(begin));
      return async () => {
        wanted.delete(begin);
        await held.get(name)?.endOne(begin);
      };
    },
    held: () => [...held.keys()],
    async close() {
      closing.abort();
      await running;
    },
  };
}

interface HeldDuty {
  /** Begins those that have not begun. */
  begin(wanted: ReadonlySet<BeginWork>): Promise<void>;
  endOne(begin: BeginWork): Promise<void>;
  end(): Promise<void>;
}

function createHeldDuty(name: DutyName, fence: number, onError: CoordinationParts['onError']): HeldDuty {
  const lost = new AbortController();
  const duty: Duty = { fence, lost: lost.signal };
  const ends = new Map<BeginWork, () => Promise<void>>();
  const guarded = (work: Promise<void>): Promise<void> => work.catch((error: unknown) => onError(name, error));
  const endOne = async (begin: BeginWork): Promise<void> => {
    const end = ends.get(begin);
    ends.delete(begin);
    if (end !== undefined) await guarded(end());
  };
  return {
    endOne,
    async begin(wanted) {
      for (const begin of wanted) if (!ends.has(begin)) await guarded(begin(duty).then((end) => void ends.set(begin, end)));
    },
    async end() {
      lost.abort();
      await Promise.all([...ends.keys()].map(endOne));
    },
  };
}

/** The first number of the advisory locks; arbitrary. */
const LOCKS = 7_260_916;

async function tryLock(client: pg.Client, name: DutyName): Promise<boolean> {
  const { rows } = await client.query<{ readonly taken: number }>('select pg_try_advisory_lock($1, hashtext($2))::int as taken', [LOCKS, name]);
  return rows[0]?.taken === 1;
}

function raiseFence({ database, node }: DirectParts, name: DutyName): Promise<number> {
  return database.durably(async (transaction) => {
    const before = await transaction.selectFrom('duties').select('fence').where('name', '=', name).executeTakeFirst();
    const columns = { fence: (before?.fence ?? 0) + 1, holder: node };
    await transaction
      .insertInto('duties')
      .values({ name, ...columns })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
      .execute();
    return columns.fence;
  });
}

/** Undefined after the time, or at the signal. */
function pauseUntil(signal: AbortSignal, ms: number): Promise<undefined> {
  return pause(ms, undefined, { signal }).catch(() => undefined);
}

/** A hanging connection is not waited for. */
async function endOf(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => undefined), pause(RETRY_MS)]);
}
