// The runtime directory of a running gateway: owners and modes of its sockets and its decision cache.
import { type Stats, statSync } from 'node:fs';
import type { Service } from '../../../config/service.ts';
import { goesThroughProxy } from '../../../config/service-way.ts';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { WorkerUser } from '../../../config/worker-user.ts';
import { fail, ok, type Verdict } from '../finding.ts';

type SocketPaths = Pick<StatePaths, 'decisionSocket' | 'controlSocket' | 'proxySocket' | 'relaySocket' | 'anonymousSocket' | 'holdSocket' | 'adminSocket'>;

/** nginx's workers connect to all but the last one. That one is for the command line of the gateway's user. */
export function checkUnixSockets(paths: SocketPaths, worker: WorkerUser | null, services: readonly Service[]): readonly Verdict[] {
  const us = process.geteuid?.() ?? 0;
  const owner = worker?.uid ?? us;
  const places = [
    { path: paths.decisionSocket, uid: owner },
    { path: paths.controlSocket, uid: owner },
    ...(services.some(goesThroughProxy) ? [{ path: paths.proxySocket, uid: owner }] : []),
    { path: paths.relaySocket, uid: owner },
    { path: paths.anonymousSocket, uid: owner },
    { path: paths.holdSocket, uid: owner },
    { path: paths.adminSocket, uid: us },
  ];
  const problems = places.flatMap((place) => socketProblem(place));
  return problems.length === 0
    ? [ok(`the ${places.length} sockets between nginx, supervisor, control plane and command line exist, closed to other users`)]
    : problems;
}

function socketProblem({ path, uid }: { readonly path: string; readonly uid: number }): readonly Verdict[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  const restart = 'Restart lictor up: it creates them.';
  if (stats === undefined) return [fail(`${path} is missing`, `The control plane does not run, or the file was removed. ${restart}`)];
  if (!stats.isSocket()) return [fail(`${path} is not a socket`, `Remove it. ${restart}`)];
  return ownerProblem(path, stats, uid, restart);
}

function ownerProblem(path: string, stats: Stats, uid: number, remedy: string): readonly Verdict[] {
  if (stats.uid !== uid) return [fail(`${path} belongs to user ${stats.uid} instead of ${uid}`, remedy)];
  const mode = stats.mode & 0o777;
  return mode === 0o600 ? [] : [fail(`${path} has mode ${mode.toString(8)} instead of 600`, `chmod 600 ${path}`)];
}

/** The cache holds credentials for seconds. */
export function checkCacheMode(dir: string, worker: WorkerUser | null): Verdict {
  const stats = statSync(dir, { throwIfNoEntry: false });
  if (stats === undefined) return fail(`the decision cache ${dir} is missing`, 'Restart lictor up: it creates the directory.');
  const uid = worker?.uid ?? process.geteuid?.() ?? 0;
  if (stats.uid !== uid)
    return fail(`the decision cache belongs to user ${stats.uid} instead of ${uid}: nginx cannot write to it, and requests fail`, `chown ${uid} ${dir}`);
  const mode = stats.mode & 0o777;
  return mode === 0o700
    ? ok('only nginx can read the decision cache')
    : fail(`the decision cache has mode ${mode.toString(8)} instead of 700: it holds credentials`, `chmod 700 ${dir}`);
}
