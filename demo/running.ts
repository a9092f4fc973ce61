// The demo's processes as one thing with a lifetime: started in order, ended in reverse, nothing left behind.
import { LictorError } from '../src/contract/error.ts';
import type { RunningProcess } from '../src/operations/supervise/processes/start-process.ts';

export interface Running {
  /**
   * Starts a process and takes it in. `start` gets a question that says whether the end has begun: waiting for readiness is
   * then pointless. One that arrives after that is ended at once; once it has begun, nothing is started any more.
   */
  add(start: (isEnding: () => boolean) => Promise<RunningProcess>): Promise<RunningProcess>;
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
  const isEnding = (): boolean => stopping !== undefined;
  const stopAll = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.stop({ graceMs: GRACE_MS });
    await Promise.allSettled(pending);
  };
  return {
    died,
    add: (start) => {
      if (isEnding()) return Promise.reject(new LictorError('demo-ending', 'the demo is being stopped'));
      const added = start(isEnding).then(async (process) => {
        processes.push(process);
        void process.exited.then(() => {
          if (!isEnding()) tell(process.name);
        });
        if (isEnding()) await process.stop({ graceMs: GRACE_MS });
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
