// Finds the venv of the stock Prefect: LICTOR_PREFECT, else the one that `lictor demo` brings.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Path of a venv whose `bin/prefect` is the stock client and server. */
export async function prefectVenv(): Promise<string> {
  const given = process.env['LICTOR_PREFECT'];
  if (given === undefined) throw new Error('set LICTOR_PREFECT to a venv with Prefect 3.9.1');
  if (!existsSync(join(given, 'bin', 'prefect'))) throw new Error(`LICTOR_PREFECT: no bin/prefect in ${given}`);
  return given;
}
