// Renames the sockets of a silent control plane. So requests fail at once, or get a cached decision, instead of waiting.
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { StatePaths } from '../../config/state-dir.ts';
import { isErrno } from '../../contract/errno.ts';

export type SocketPaths = Pick<StatePaths, 'decisionSocket' | 'controlSocket' | 'relaySocket' | 'anonymousSocket'>;

/** A renamed socket still listens. */
export function shutSockets(paths: SocketPaths): void {
  for (const path of pathsOf(paths)) moveSocket(path, shut(path));
}

/** The control plane sends beats again. */
export function reopenSockets(paths: SocketPaths): void {
  for (const path of pathsOf(paths)) if (!existsSync(path)) moveSocket(shut(path), path);
}

/** The control plane has ended: the next one creates its own sockets. */
export function forgetSockets(paths: SocketPaths): void {
  for (const path of pathsOf(paths)) rmSync(shut(path), { force: true });
}

function pathsOf({ decisionSocket, controlSocket, relaySocket, anonymousSocket }: SocketPaths): readonly string[] {
  return [decisionSocket, controlSocket, relaySocket, anonymousSocket];
}

function shut(path: string): string {
  return `${path}.shut`;
}

function moveSocket(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
