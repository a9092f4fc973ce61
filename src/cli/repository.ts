// Paths of the checkout and of installed tools.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout: the directory with package.json. */
export const REPOSITORY = dirname(fileURLToPath(new URL('../../package.json', import.meta.url)));

/** The directory of installed tools, such as Prefect's venv: LICTOR_CACHE, else `.lictor` in the checkout. */
export function toolCacheDir(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['LICTOR_CACHE'];
  return given === undefined || given === '' ? join(REPOSITORY, '.lictor') : given;
}
