// Many simulated workers in this process: started at a pace, counted, and asked whether all of them are served.
import { type Kind, type SimulatedWorker, startWorker, type WorkerPlace } from './worker.ts';

export interface Counts {
  readonly polls: number;
  readonly heartbeats: number;
  readonly sockets: number;
  /** `poll 503` -> how often. */
  readonly problems: Readonly<Record<string, number>>;
  /** Of the successful ones, in milliseconds. */
  readonly pollMs: readonly number[];
}

export interface Fleet {
  /** Since the last `reset`. */
  counts(): Counts;
  reset(): void;
  /** Sockets that are open and greeted. */
  openSockets(): number;
  /** Workers that have an open socket, and whose last good poll began at `sinceMs` of `performance.now()` or later. */
  served(sinceMs: number): number;
  stop(): void;
}

/** `perSecond`: how many workers start in a second. */
export function startFleet(places: readonly WorkerPlace[], perSecond: number): Fleet {
  const workers: SimulatedWorker[] = [];
  const numbers: Record<Kind, number> = { poll: 0, heartbeat: 0, socket: 0 };
  let problems: Record<string, number> = {};
  let pollMs: number[] = [];
  const report = (kind: Kind, problem: string | null, ms: number): void => {
    if (problem !== null) {
      const name = `${kind} ${problem}`;
      problems[name] = (problems[name] ?? 0) + 1;
      return;
    }
    numbers[kind] += 1;
    if (kind === 'poll') pollMs.push(ms);
  };
  const timer = setInterval(() => {
    for (const place of places.slice(workers.length, workers.length + Math.ceil(perSecond / 10))) workers.push(startWorker(place, report));
    if (workers.length === places.length) clearInterval(timer);
  }, 100);
  return {
    counts: () => ({ polls: numbers.poll, heartbeats: numbers.heartbeat, sockets: numbers.socket, problems: { ...problems }, pollMs }),
    reset() {
      for (const kind of ['poll', 'heartbeat', 'socket'] as const) numbers[kind] = 0;
      [problems, pollMs] = [{}, []];
    },
    openSockets: () => workers.filter((worker) => worker.hasSocket()).length,
    served: (sinceMs) => workers.filter((worker) => worker.hasSocket() && worker.polledAtMs() >= sinceMs).length,
    stop() {
      clearInterval(timer);
      for (const worker of workers) worker.stop();
    },
  };
}
