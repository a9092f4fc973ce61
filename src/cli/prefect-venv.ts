// The stock Prefect for `demo` and the tests: from PyPI, pinned, in a venv.
import { join } from 'node:path';
import type { Environment } from '../config/load.ts';
import { ensureVenv } from './venv.ts';

export const PREFECT_VERSION = '3.9.1';

export interface PrefectVenv {
  readonly directory: string;
  readonly python: string;
  readonly prefect: string;
}

export interface PrefectVenvOptions {
  /** See toolCacheDir. */
  readonly cacheDir: string;
  readonly env: Environment;
  readonly onProgress: (line: string) => void;
}

/** The venv that LICTOR_PREFECT names, else an installed one. Idempotent, and safe for concurrent callers. */
export async function ensurePrefect({ cacheDir, env, onProgress }: PrefectVenvOptions): Promise<PrefectVenv> {
  const given = env['LICTOR_PREFECT'];
  if (given !== undefined && given !== '') return inDirectory(given);
  const directory = join(cacheDir, `prefect-${PREFECT_VERSION}`);
  await ensureVenv({ directory, requirements: [`prefect==${PREFECT_VERSION}`], cacheDir, env, onProgress });
  return inDirectory(directory);
}

function inDirectory(directory: string): PrefectVenv {
  return { directory, python: join(directory, 'bin', 'python'), prefect: join(directory, 'bin', 'prefect') };
}
