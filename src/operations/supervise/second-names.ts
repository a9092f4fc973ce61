// Second names of the control plane's sockets, so that it has them again if the one that replaces it does not become ready.
import { linkSync, renameSync, rmSync } from 'node:fs';
import type { StatePaths } from '../../config/state-dir.ts';
import { isErrno } from '../../contract/errno.ts';

export type NamedPaths = Pick<StatePaths, 'decisionSocket' | 'controlSocket' | 'relaySocket' | 'anonymousSocket' | 'proxySocket' | 'adminSocket'>;

export function giveSecondNames(paths: NamedPaths): void {
  dropSecondNames(paths);
  for (const path of pathsOf(paths)) ifThere(() => linkSync(path, second(path)));
}

export function restoreSockets(paths: NamedPaths): void {
  for (const path of pathsOf(paths)) ifThere(() => renameSync(second(path), path));
  // Renaming one name of a file to another one of the same file does nothing.
  dropSecondNames(paths);
}

export function dropSecondNames(paths: NamedPaths): void {
  for (const path of pathsOf(paths)) rmSync(second(path), { force: true });
}

function pathsOf({ decisionSocket, controlSocket, relaySocket, anonymousSocket, proxySocket, adminSocket }: NamedPaths): readonly string[] {
  return [decisionSocket, controlSocket, relaySocket, anonymousSocket, proxySocket, adminSocket];
}

function second(path: string): string {
  return `${path}.second`;
}

/** The service proxy listens only if a service needs it. */
function ifThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
