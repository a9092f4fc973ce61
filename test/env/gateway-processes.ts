// Which processes a running gateway consists of, and how to end them rudely.
import { join } from 'node:path';
import { edgePid } from '../../src/config/pid-file.ts';
import { statePaths } from '../../src/config/state-dir.ts';
import { childrenOf, commandLine, descendantsOf, isAlive, type Running, signalProcess, waitFor } from './process.ts';

export interface Pids {
  readonly supervisor: number;
  readonly control: number;
  readonly nginx: number;
  readonly workers: readonly number[];
}

/** Throws when a part is missing: wait for the gateway to be ready first. */
export function pidsOf(supervisor: number, stateDir: string): Pids {
  const children = childrenOf(supervisor).map((pid) => ({ pid, command: commandLine(pid) }));
  const control = children.find(({ command }) => command.includes('control-plane'));
  // After `lictor up --replace` it is no child. A state directory of another mount namespace is not visible here.
  const nginx = children.find(({ command }) => command.startsWith('nginx: master'))?.pid ?? edgePid(statePaths(stateDir, join(stateDir, 'run')));
  if (control === undefined || nginx === undefined) throw new Error(`no whole gateway: ${JSON.stringify(children)}`);
  const workers = childrenOf(nginx).filter((pid) => commandLine(pid).startsWith('nginx: worker'));
  return { supervisor, control: control.pid, nginx, workers };
}

/** After a reload: resolves with nginx's workers when none of `former` runs any more. Until then some connections are answered as before it. */
export async function workersAfter(former: readonly number[], read: () => Pids): Promise<readonly number[]> {
  const renewed = () => !former.some(isAlive) && read().workers.length === former.length;
  await waitFor(renewed, { what: "nginx's new workers alone", timeoutMs: 60_000 });
  return read().workers;
}

/** SIGKILL for the supervisor and everything below it, at once; resolves when all are gone. */
export async function killAll(supervisor: Running): Promise<void> {
  const all = [supervisor.pid, ...descendantsOf(supervisor.pid)];
  for (const pid of all) signalProcess(pid, 'SIGKILL');
  await waitFor(() => !all.some(isAlive), { what: 'the gateway to be gone after SIGKILL' });
}

/** SIGTERM for the supervisor alone, as a service manager would; answers the processes that outlived it. */
export async function endGently(supervisor: Running): Promise<readonly number[]> {
  const all = descendantsOf(supervisor.pid);
  supervisor.signal('SIGTERM');
  await waitFor(() => !supervisor.running(), { what: 'lictor up to end after SIGTERM', timeoutMs: 90_000 });
  const left = all.filter(isAlive);
  await supervisor.stop({ graceMs: 100 });
  return left;
}
