// The gateway's subscription to the events of Prefect: a stream from each server, and regular checks that no event is missing.
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Clock } from '../../../contract/clock.ts';
import { createUpstream, type UpstreamOptions } from '../../../prefect/client/upstream.ts';
import { prefectSource } from '../prefect-source.ts';
import { ROUND_MS, SETTLE_MS } from './behind.ts';
import { createCatchUp, type Doubt } from './catch-up.ts';
import type { Intake } from './intake.ts';
import { createPages } from './pages.ts';
import { createRecount, type Recount, type StoredCounts } from './recount.ts';
import { runStream } from './stream.ts';

export interface FeedParts {
  readonly intake: Intake;
  /** Each server has its own stream: without a common broker, each sends only its own events. */
  readonly prefect: UpstreamOptions;
  readonly openCounts: () => StoredCounts;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  readonly roundMs?: number;
  readonly settleMs?: number;
}

export interface Feed {
  /** Resolves when every connection is closed. */
  stop(): Promise<void>;
}

/** Starts at once, and continues through outages of Prefect or the ledger. */
export function startFeed({ intake, prefect, openCounts, clock, log, roundMs = ROUND_MS, settleMs = SETTLE_MS }: FeedParts): Feed {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Separate connections, so that clients do not wait behind them.
  const clients = prefect.servers.map((server) => createUpstream({ ...prefect, servers: [server], connections: 1 }));
  const asking = createUpstream({ ...prefect, connections: 1 });
  let streams = 0;
  const doubts = createDoubts();
  intake.note({ servers: clients.length, streams: 0 });
  // An earlier feed may have missed events.
  doubts.closed(clock());
  const onOpen = (isOpen: boolean): void => {
    // Another feed has taken over.
    if (signal.aborted) return;
    streams += isOpen ? 1 : -1;
    intake.note({ streams });
    if (isOpen) doubts.opened(clock());
    else doubts.closed(clock());
  };
  const pages = createPages(asking, signal);
  const catchUp = createCatchUp({ pages, intake, clock, settleMs });
  const recount = createRecount({ pages, intake, openCounts, clock });
  const round = async (doubt?: Doubt): Promise<void> => {
    await catchUp(doubt);
    await intake.parents.learn(prefectSource(asking).flowRunOfTask, intake.take);
    await recount.step();
  };
  const loops = [
    ...clients.map((upstream) => runStream({ upstream, clock, onEvent: intake.offer, onOpen, signal })),
    runRounds({ round, doubts, recount, until: () => clock() - settleMs, intake, log, roundMs, signal }),
  ];
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await Promise.all([asking, ...clients].map((client) => client.close()));
    },
  };
}

/** Events sent to a stream shortly before it ended may be lost. */
const BEFORE_END_MS = 60_000;

function createDoubts() {
  let fromMs: number | undefined;
  let openMs: number | undefined;
  return {
    closed(nowMs: number) {
      fromMs = Math.min(fromMs ?? nowMs, nowMs - BEFORE_END_MS);
      openMs = undefined;
    },
    opened(nowMs: number) {
      openMs = nowMs;
    },
    /** The doubtful time, when it is over and Prefect has written all its events. */
    due: (untilMs: number): Doubt | undefined => (fromMs !== undefined && openMs !== undefined && openMs < untilMs ? { fromMs, untilMs: openMs } : undefined),
    settled(doubt: Doubt) {
      if (doubt.untilMs === openMs) fromMs = undefined;
    },
  };
}

interface Rounds extends Pick<FeedParts, 'intake' | 'log'> {
  readonly round: (doubt?: Doubt) => Promise<void>;
  readonly doubts: ReturnType<typeof createDoubts>;
  readonly recount: Recount;
  readonly until: () => number;
  readonly roundMs: number;
  readonly signal: AbortSignal;
}

async function runRounds({ round, doubts, recount, until, intake, log, roundMs, signal }: Rounds): Promise<void> {
  let problem: string | null = null;
  while (!signal.aborted) {
    const doubt = doubts.due(until());
    const next = await round(doubt).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : 'no answer'),
    );
    if (signal.aborted) return;
    if (next !== problem) log[next === null ? 'info' : 'warn']({ problem: next }, 'events of Prefect');
    if (next === null && doubt !== undefined) {
      doubts.settled(doubt);
      recount.begin(doubt.fromMs);
    }
    problem = next;
    intake.note({ problem });
    await wait(roundMs, undefined, { signal }).catch(() => undefined);
  }
}
