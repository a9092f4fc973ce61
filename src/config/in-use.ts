// The configuration in use is a copy of the file that was applied last. Later changes of the file count at the next reload.
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Environment, type LoadResult, loadConfig } from './load.ts';
import type { StatePaths } from './state-dir.ts';

export interface Candidate {
  readonly loaded: LoadResult;
  /** Call it after the configuration was applied: a control plane that restarts uses this copy. */
  keep(): void;
  discard(): void;
}

export interface ConfigPlace {
  readonly file: string;
  readonly env: Environment;
  readonly paths: Pick<StatePaths, 'root' | 'configInUse'>;
}

/** Reads a private copy, so that Lictor stores what it has checked, even if the file changes meanwhile. */
export function loadCandidate({ file, env, paths }: ConfigPlace): Candidate {
  const copy = `${paths.configInUse}.${process.pid}`;
  const copied = copyPrivately(file, copy);
  return {
    loaded: loadConfig(copied ? copy : file, env, { stateDir: paths.root, baseDir: dirname(resolve(file)) }),
    keep: () => (copied ? renameSync(copy, paths.configInUse) : forgetOther(file, paths.configInUse)),
    discard: () => rmSync(copy, { force: true }),
  };
}

/** The configuration that was applied last; undefined: none. Reads its secrets and certificates again. */
export function loadInUse({ file, env, paths }: ConfigPlace, secrets: 'read' | 'skip' = 'read'): LoadResult | undefined {
  if (!existsSync(paths.configInUse)) return undefined;
  return loadConfig(paths.configInUse, env, { stateDir: paths.root, baseDir: dirname(resolve(file)), secrets });
}

/** False: it cannot be read, which the loader reports. */
function copyPrivately(file: string, copy: string): boolean {
  try {
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    return true;
  } catch {
    // On a full disk, the copy may be incomplete.
    rmSync(copy, { force: true, recursive: true });
    return false;
  }
}

/** The applied configuration has no copy: removes the copy of an older one, so that nothing uses it. */
function forgetOther(file: string, inUse: string): void {
  if (existsSync(inUse) && !readFileSync(inUse).equals(readFileSync(file))) rmSync(inUse, { force: true });
}
