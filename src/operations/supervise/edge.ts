// nginx as a child: started when the control plane has a configuration for it, restarted when it ends, reloaded by HUP.
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { keepRunning, type Supervised } from './keep-running.ts';
import { signalProcess } from './processes/process-table.ts';
import { waitFor } from './processes/wait-for.ts';

export interface EdgeCommand {
  readonly binary: string;
  readonly args: readonly string[];
}

export interface Edge extends Omit<Supervised, 'start'> {
  /** The same command again, while nginx runs or is being started again, changes nothing: routine restarts keep its pid. */
  start(command: EdgeCommand): void;
  /** HUP, as soon as nginx can take it (it has then written its pid file). */
  reload(): void;
  /** USR1, likewise: log files are opened anew by name. */
  reopen(): void;
  /** It listens: its pid file is written behind that. */
  isUp(): boolean;
  /** Finish what is open, then end. */
  quit(): void;
}

export interface EdgeParts {
  readonly paths: Pick<StatePaths, 'nginxPid' | 'memberSockets'>;
  readonly log: (line: string) => void;
}

export function createEdge({ paths, log }: EdgeParts): Edge {
  let command: EdgeCommand | undefined;
  const supervised = keepRunning({
    name: 'nginx',
    log,
    spawn: () => {
      removeSockets(paths.memberSockets);
      return spawn(command?.binary ?? 'nginx', [...(command?.args ?? [])], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    },
  });
  const isUp = (pid = supervised.current()?.pid): boolean => pid !== undefined && readPid(paths.nginxPid) === pid;
  /** Before its handlers are there, the signal would end it. */
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
    quit: () => {
      supervised.current()?.kill('SIGQUIT');
    },
  };
}

/** Before a start there is no nginx of ours: one that was killed has left its sockets, and a new one could not listen there. */
function removeSockets(directory: string): void {
  try {
    for (const name of readdirSync(directory)) if (name.endsWith('.sock')) rmSync(join(directory, name), { force: true });
  } catch {
    // No directory: no sockets. nginx itself reports one that cannot be read.
  }
}
