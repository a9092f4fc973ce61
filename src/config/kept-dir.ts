// Where nginx keeps answers of services: a directory for each, in the one that nginx's workers may write to.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from './state-dir.ts';

const PREFIX = 'kept-';

/** Of each service, so that one cannot push out what is kept of another. */
export const MOST_KEPT_MIB = 128;
/** Beside the remembered decisions, where a container has 64 MiB. */
const MOST_IN_MEMORY_MIB = 16;

/** In this directory, of one service; and of all, what is on its way there. */
export function mostKeptMiB({ root }: Pick<StatePaths, 'root'>, tempDir: string): number {
  return tempDir.startsWith(`${root}/`) ? MOST_KEPT_MIB : MOST_IN_MEMORY_MIB;
}

export function keptDir(tempDir: string, service: string): string {
  return join(tempDir, `${PREFIX}${service}`);
}

/** Where nginx takes back from the keeper what is to be asked of this service: a name of fixed length, for a path of a socket has little room. */
export function keptSocket({ memberSockets }: Pick<StatePaths, 'memberSockets'>, service: string): string {
  return join(memberSockets, `kept-${createHash('sha256').update(service).digest('hex').slice(0, 12)}.sock`);
}

/** Where what is taken away of one of these directories lies until it is removed: beside the one that nginx's workers may write to. */
export function removedDir(kept: string, id: string): string {
  return join(dirname(dirname(kept)), `${PREFIX}removed-${id}`);
}

/** All that are there, of whatever configuration; beside `tempDir`, what was about to be removed. */
export function keptDirs(tempDir: string): readonly string[] {
  try {
    return readdirSync(tempDir)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => join(tempDir, name));
  } catch {
    return []; // nothing was ever kept
  }
}
