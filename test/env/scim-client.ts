// scim2-tester: a conformance client of SCIM from PyPI, with the command line of scim2-cli.
import { join } from 'node:path';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';

const TESTER = '0.5.2';
const CLI = '0.6.0';

/** Path of the program `scim`. */
export async function scimProgram(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `scim2-tester-${TESTER}-cli-${CLI}`);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const requirements = [`scim2-tester==${TESTER}`, `scim2-cli==${CLI}`];
  await ensureVenv({ directory, requirements, cacheDir, env: process.env, onProgress });
  return join(directory, 'bin', 'scim');
}
