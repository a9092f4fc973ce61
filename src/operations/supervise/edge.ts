// nginx as a child: started with the control plane's configuration, restarted when it ends, reloaded by HUP.
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { adopt, type Leader } from './adopted.ts';
import { reportEdgeDeath } from './edge-death.ts';
import { keepRunning, type Supervised } from './keep-running.ts';
import { groupMembers, isAlive, signalProcess } from './processes/process-table.ts';
import { waitFor } from './processes/wait-for.ts';

const WORKERS_MS = 9_000;

export interface EdgeCommand {
  readonly binary: string;
  readonly args: readonly string[];
}

export interface Edge extends Omit<Supervised<Leader>, 'start' | 'release'> {
  /** The same command again changes nothing, so routine restarts of the control plane leave nginx alone. */
  start(command: EdgeCommand): void;
  /** HUP, as soon as nginx has written its pid file. */
  reload(): void;
  /** USR1, likewise: nginx reopens its log files. */
  reopen(): void;
  /** True when nginx listens: it writes its pid file after that. */
  isUp(): boolean;
  /** Finishes open requests, then ends. */
  quit(): void;
  /** The processes that answer requests now. */
  workers(): readonly number[];
  /** Another supervisor has reloaded it. `ended` waits until these workers have finished their requests. */
  release(workers: readonly number[]): void;
}

export interface EdgeParts {
  readonly paths: Pick<StatePaths, 'nginxPid' | 'memberSockets' | 'edgeErrorLog'>;
  readonly log: (line: string) => void;
  /** A running nginx of this state directory, which another supervisor has started. */
  readonly running?: number | undefined;
}

export function createEdge({ paths, log, running }: EdgeParts): Edge {
  let adoptable = running;
  let command: EdgeCommand | undefined;
  let isAsked = false;
  const supervised = keepRunning<Leader>({
    name: 'nginx',
    log,
    spawn: () => {
      const adopted = adoptable;
      adoptable = undefined;
      isAsked = false;
      if (adopted !== undefined && isAlive(adopted)) return adopt(adopted);
      removeSockets(paths.memberSockets);
      return spawn(command?.binary ?? 'nginx', [...(command?.args ?? [])], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    },
    // An end with a status is one that nginx chose: it has logged what it answered.
    onExit: ({ pid }, how) => {
      if (pid !== undefined && !isAsked && !/^exit \d/.test(how)) reportEdgeDeath(paths.edgeErrorLog, pid, how);
    },
  });
  const isUp = (pid = supervised.current()?.pid): boolean => pid !== undefined && readPid(paths.nginxPid) === pid;
  /** Before nginx installs its handlers, the signal would end it. */
  const signalWhenUp = (signal: 'SIGHUP' | 'SIGUSR1', otherwise: string) => {
    const pid = supervised.current()?.pid;
    if (pid === undefined) return;
    waitFor(() => isUp(pid) && supervised.current()?.pid === pid, { what: 'nginx to write its pid file' }).then(
      () => signalProcess(pid, signal),
      () => log(otherwise),
    );
  };
  return {
    ...supervised,
    start: (next) => {
      const before = command;
      command = next;
      if (before === undefined) supervised.start();
      else if (JSON.stringify(before) !== JSON.stringify(next)) supervised.current()?.kill('SIGTERM');
    },
    reload: () => signalWhenUp('SIGHUP', 'nginx was not reloaded: it did not come up'),
    reopen: () => signalWhenUp('SIGUSR1', 'the logs of nginx were not opened anew: it did not come up'),
    isUp: () => isUp(),
    workers: () => {
      const pid = supervised.current()?.pid;
      return pid === undefined ? [] : groupMembers(pid).flatMap((member) => (member.pid === pid ? [] : [member.pid]));
    },
    release: (workers) => supervised.release(untilGone(workers)),
    quit: () => {
      isAsked = true;
      supervised.current()?.kill('SIGQUIT');
    },
  };
}

/** Some may have a long answer, which needs no control plane. */
async function untilGone(workers: readonly number[]): Promise<void> {
  await waitFor(() => !workers.some(isAlive), { what: 'the former workers of nginx to end', timeoutMs: WORKERS_MS }).catch(() => undefined);
}

/** Before a start, no nginx runs. A killed one has left its sockets, and a new one could not listen there. */
function removeSockets(directory: string): void {
  try {
    for (const name of readdirSync(directory)) if (name.endsWith('.sock')) rmSync(join(directory, name), { force: true });
  } catch {
    // No directory, no sockets. nginx itself reports an unreadable one.
  }
}
