// One failure under load: what clients saw, whether the flow run completed, whether records are complete and single, and how long until all was well.
import { setTimeout as wait } from 'node:timers/promises';
import { waitFor } from '../../env/process.ts';
import { type Answered, startLoad } from './load.ts';
import { countRecords, type RecordCounts } from './records.ts';
import { type Room, TASKS } from './room.ts';
import { openSockets, SOCKETS } from './sockets.ts';

export interface Failure {
  readonly name: string;
  /** How long it lasts; LICTOR_FAILURE_SECONDS shortens it. 0: it ends by itself. */
  readonly seconds: number;
  begin(room: Room): Promise<void>;
  /** After `seconds`. */
  end?(room: Room): Promise<void>;
}

export interface Seen {
  readonly name: string;
  readonly perSecond: number;
  readonly succeeded: number;
  readonly due: number;
  /** 502 and 503 with a number in Retry-After. */
  readonly unavailable: number;
  /** HAProxy closed the connection: a node ended during a request that was not the first one on it. */
  readonly closed: number;
  readonly others: Readonly<Record<string, number>>;
  readonly socketEnds: Readonly<Record<string, number>>;
  readonly run: string;
  readonly tasks: number;
  readonly records: RecordCounts;
  /** From the failure, or from the end of an outage, until nothing failed any more and all sockets were open. */
  readonly recoveryMs: number;
}

const DUE = new Set([401, 403, 429]);

type Kind = 'succeeded' | 'due' | 'unavailable' | 'closed' | 'other';

function kindOf({ status, retryAfter }: Answered): Kind {
  if (status >= 200 && status < 300) return 'succeeded';
  if (DUE.has(status)) return 'due';
  if (status === 0) return 'closed';
  return (status === 502 || status === 503) && /^\d+$/.test(retryAfter ?? '') ? 'unavailable' : 'other';
}

/** Answers without a failure that make an end of it. */
const WELL_MS = 5_000;

export async function seeFailure(room: Room, failure: Failure): Promise<Seen> {
  const fromMs = Date.now();
  const sockets = await openSockets(room.cluster.url, room.tokens);
  const load = startLoad(room.cluster, room.tokens);
  try {
    const run = await room.underway();
    await waitFor(() => load.answered.length > 400, { what: 'the load' });
    const isWellSince = () => load.answered.findLast((one) => !['succeeded', 'due'].includes(kindOf(one)))?.atMs ?? 0;
    const seconds = Math.min(failure.seconds, Number(process.env['LICTOR_FAILURE_SECONDS'] ?? Number.POSITIVE_INFINITY));
    const begunMs = Date.now();
    await failure.begin(room);
    await wait(seconds * 1_000);
    const endedMs = failure.seconds > 0 ? Date.now() : begunMs;
    await failure.end?.(room);
    const isWell = async () => {
      const ready = await Promise.all(room.cluster.nodes.map((node) => node.isReady()));
      return sockets.open() === SOCKETS && Date.now() - Math.max(isWellSince(), endedMs) > WELL_MS && ready.every(Boolean);
    };
    await waitFor(isWell, { what: `all to be well after: ${failure.name}`, timeoutMs: 180_000, everyMs: 250 });
    const recoveryMs = Math.max(isWellSince(), sockets.lastOpenedMs(), endedMs) - endedMs;
    await room
      .direct(1)
      .awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 300_000)
      .catch(() => undefined);
    const tasks = async () => (await room.direct(1).taskRunStates(run))['COMPLETED'] ?? 0;
    await waitFor(async () => (await tasks()) === TASKS, { what: 'all tasks', timeoutMs: 120_000, everyMs: 1_000 }).catch(() => undefined);
    await load.stop();
    const socketEnds = { ...sockets.ends() };
    await sockets.stop();
    const count = (kind: Kind) => load.answered.filter((one) => kindOf(one) === kind).length;
    return {
      ...{ name: failure.name, perSecond: load.perSecond(), succeeded: count('succeeded'), due: count('due'), unavailable: count('unavailable') },
      closed: count('closed'),
      others: byStatus(load.answered.filter((one) => kindOf(one) === 'other')),
      socketEnds,
      run: await room.direct(1).runState(run),
      tasks: await tasks(),
      records: await countRecords(room.cluster, load.answered, { at: room.cluster.node('one'), fromMs }),
      recoveryMs,
    };
  } finally {
    await Promise.all([load.stop(), sockets.stop()]);
  }
}

function byStatus(answers: readonly Answered[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[String(status)] = (counts[String(status)] ?? 0) + 1;
  return counts;
}
