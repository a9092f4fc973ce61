// The configuration in use is a copy of the file as it was when it was applied: what the file says later counts at the next reload.
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Environment, type LoadResult, loadConfig } from './load.ts';
import type { StatePaths } from './state-dir.ts';

export interface Candidate {
  readonly loaded: LoadResult;
  /** It was applied: a control plane that is started again uses this copy. */
  keep(): void;
  discard(): void;
}

export interface ConfigPlace {
  readonly file: string;
  readonly env: Environment;
  readonly paths: Pick<StatePaths, 'root' | 'configInUse'>;
}

/** Reads a private copy, so that what was checked is what is kept although somebody may be writing the file. */
export function loadCandidate({ file, env, paths }: ConfigPlace): Candidate {
  const copy = `${paths.configInUse}.${process.pid}`;
  const copied = copyPrivately(file, copy);
  return {
    loaded: loadConfig(copied ? copy : file, env, { stateDir: paths.root, baseDir: dirname(resolve(file)) }),
    keep: () => (copied ? renameSync(copy, paths.configInUse) : forgetOther(file, paths.configInUse)),
    discard: () => rmSync(copy, { force: true }),
  };
}

/** What was applied last; undefined when there is none. Its secrets and certificates are read again. */
export function loadInUse({ file, env, paths }: ConfigPlace, secrets: 'read' | 'skip' = 'read'): LoadResult | undefined {
  if (!existsSync(paths.configInUse)) return undefined;
  return loadConfig(paths.configInUse, env, { stateDir: paths.root, baseDir: dirname(resolve(file)), secrets });
}

/** False when it cannot be read: loading it then says so. */
function copyPrivately(file: string, copy: string): boolean {
  try {
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    return true;
  } catch {
    // On a full disk there is a beginning of it, which is no configuration.
    rmSync(copy, { force: true, recursive: true });
    return false;
  }
}

/** There is no copy of what is applied now: an older one must not be used in its place. */
function forgetOther(file: string, inUse: string): void {
  if (existsSync(inUse) && !readFileSync(inUse).equals(readFileSync(file))) rmSync(inUse, { force: true });
}
