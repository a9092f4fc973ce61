// The demo's processes as one thing with a lifetime: started in order, ended in reverse, nothing left behind.
import type { RunningProcess } from '../supervise/processes/start-process.ts';

export interface Running {
  /** Takes a process in as soon as it is there. One that arrives after the end has begun is ended at once. */
  add(starting: Promise<RunningProcess>): Promise<RunningProcess>;
  /** Ends all, the latest first. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves with the name of the first process that ends by itself. */
  readonly died: Promise<string>;
}

/** The gateway drains before it ends; Prefect's server closes its database. */
const GRACE_MS = 15_000;

export function createRunning(): Running {
  const processes: RunningProcess[] = [];
  const pending = new Set<Promise<unknown>>();
  let stopping: Promise<void> | undefined;
  let tell: (name: string) => void = () => {};
  const died = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const stopAll = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.stop({ graceMs: GRACE_MS });
    await Promise.allSettled(pending);
  };
  return {
    died,
    add: (starting) => {
      const added = starting.then(async (process) => {
        processes.push(process);
        void process.exited.then(() => {
          if (stopping === undefined) tell(process.name);
        });
        if (stopping !== undefined) await process.stop({ graceMs: GRACE_MS });
        return process;
      });
      pending.add(added);
      added.then(
        () => pending.delete(added),
        () => pending.delete(added),
      );
      return added;
    },
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
