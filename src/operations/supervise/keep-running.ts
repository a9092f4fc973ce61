// Keeps one child running: restarts it with backoff until it is stopped.
import type { Leader } from './adopted.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import { isGroupGone, signalGroup } from './processes/process-table.ts';
import { waitFor } from './processes/wait-for.ts';

export interface Supervised<Child extends Leader> {
  start(): void;
  /** The live one. */
  current(): Child | undefined;
  /** Prevents further starts. Resolves when the child and its group have ended; sends no signal. */
  ended(): Promise<void>;
  /** SIGKILL to the whole group. */
  kill(): void;
  /** Another process supervises it from now on. `ended` waits for `last` instead. */
  release(last: Promise<void>): void;
}

export interface KeepOptions<Child extends Leader> {
  readonly name: string;
  /** The child must lead its own process group (`detached`), so that the whole group ends with it. */
  readonly spawn: () => Child;
  /** After each end, before the next start. `how`: a signal, or `exit STATUS`. */
  readonly onExit?: (child: Child, how: string) => void;
  readonly log: (line: string) => void;
  readonly backoff?: Backoff;
}

export function keepRunning<Child extends Leader>(options: KeepOptions<Child>): Supervised<Child> {
  const { name, log, backoff = createBackoff() } = options;
  let child: Child | undefined;
  let released = false;
  let timer: NodeJS.Timeout | undefined;
  let ending = false;
  let gone: Promise<void> = Promise.resolve();

  const start = () => {
    timer = undefined;
    const startedMs = performance.now();
    const startAgain = (how: string): void => {
      if (ending) return;
      const waitMs = backoff(performance.now() - startedMs);
      log(`${name} ended (${how}): starting it again in ${waitMs} ms`);
      timer = setTimeout(start, waitMs);
    };
    const started = spawned(options.spawn);
    if (started instanceof Error) return startAgain(started.message);
    child = started;
    gone = exitOf(started).then(async (how) => {
      if (released) return;
      child = undefined;
      await clearGroup(started.pid);
      options.onExit?.(started, how);
      startAgain(how);
    });
  };
  return {
    start,
    current: () => child,
    ended: () => {
      ending = true;
      clearTimeout(timer);
      return gone;
    },
    kill: () => {
      if (child?.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    },
    release: (last) => {
      ending = true;
      released = true;
      clearTimeout(timer);
      child?.unref();
      child = undefined;
      gone = last;
    },
  };
}

/** A machine without memory for another process is an error that ends: the supervisor must outlive it. */
function spawned<Child>(spawn: () => Child): Child | Error {
  try {
    return spawn();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** How it ended. A command that cannot be started has ended too. */
function exitOf(child: Leader): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
  });
}

/** A killed nginx master leaves workers that still listen. */
async function clearGroup(group: number | undefined): Promise<void> {
  if (group === undefined) return;
  signalGroup(group, 'SIGKILL');
  await waitFor(() => isGroupGone(group), { what: `process group ${group} to end`, everyMs: 5 }).catch(() => undefined);
}
