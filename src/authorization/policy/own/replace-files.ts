// Writes a set of policies back into its directory: each file atomically. Removes files that are not in the set.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LictorError } from '../../../contract/error.ts';
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import { isPolicyFile } from './directory.ts';

/**
 * The gateway reads the directory only on request, so an incomplete one decides nothing. All files are written before the first one is replaced,
 * so a full disk changes nothing. Throws LictorError `policies-read-only` if a file cannot be written.
 */
export function replaceFiles(directory: string, files: PolicyFiles): void {
  const beside = (name: string) => join(directory, `.${name}.${process.pid}`);
  const names = Object.keys(files);
  try {
    for (const [name, text] of Object.entries(files)) {
      // Never through a link that another user put there.
      rmSync(beside(name), { force: true });
      writeFileSync(beside(name), text, { mode: 0o644, flag: 'wx' });
    }
    for (const name of names) renameSync(beside(name), join(directory, name));
    for (const name of readdirSync(directory).filter((known) => isPolicyFile(known) && files[known] === undefined)) rmSync(join(directory, name));
  } catch (cause) {
    for (const name of names) discard(beside(name));
    throw new LictorError('policies-read-only', `${directory} cannot be written: lictor policy show REVISION -o DIR writes the texts elsewhere.`, { cause });
  }
}

/** The first error is the one to report. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    return;
  }
}
