// The venv of the stock Prefect: LICTOR_PREFECT, else the one that `lictor demo` uses too, brought when it is missing.
import { ensurePrefect } from '../../src/cli/prefect-venv.ts';
import { toolCacheDir } from '../../src/cli/repository.ts';

/** Path of a venv whose `bin/prefect` is the stock client and server. */
export async function prefectVenv(): Promise<string> {
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const { directory } = await ensurePrefect({ cacheDir: toolCacheDir(process.env), env: process.env, onProgress });
  return directory;
}
