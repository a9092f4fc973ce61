// Writes a set of policies back into its directory: each file whole, and what is not in the set is taken away.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyFiles } from '../contract/policy-files.ts';
import { isPolicyFile } from '../policy/own/directory.ts';
import { CommandFailed } from './errors.ts';

/** Nothing reads the directory by itself, so a half-written one decides nothing. Throws CommandFailed when it cannot be written. */
export function replaceFiles(directory: string, files: PolicyFiles): void {
  try {
    for (const [name, text] of Object.entries(files)) {
      const beside = join(directory, `.${name}.${process.pid}`);
      // Never through a link that waits there.
      rmSync(beside, { force: true });
      writeFileSync(beside, text, { mode: 0o644, flag: 'wx' });
      renameSync(beside, join(directory, name));
    }
    for (const name of readdirSync(directory).filter((known) => isPolicyFile(known) && files[known] === undefined)) rmSync(join(directory, name));
  } catch (cause) {
    throw new CommandFailed(`${directory} cannot be written: lictor policy show REVISION -o DIR writes the texts elsewhere.`, cause);
  }
}
