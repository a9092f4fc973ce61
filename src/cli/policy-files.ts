// Writes a set of policies back into its directory: each file whole, and what is not in the set is taken away.
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPolicyFile } from '../authorization/policy/own/directory.ts';
import type { PolicyFiles } from '../contract/policy-files.ts';
import { CommandFailed } from './errors.ts';

/**
 * Nothing reads the directory by itself, so a half-written one decides nothing; and all is written before anything is replaced, so that a full disk
 * leaves what was there. Throws CommandFailed when it cannot be written.
 */
export function replaceFiles(directory: string, files: PolicyFiles): void {
  const beside = (name: string) => join(directory, `.${name}.${process.pid}`);
  const names = Object.keys(files);
  try {
    for (const [name, text] of Object.entries(files)) {
      // Never through a link that waits there.
      rmSync(beside(name), { force: true });
      writeFileSync(beside(name), text, { mode: 0o644, flag: 'wx' });
    }
    for (const name of names) renameSync(beside(name), join(directory, name));
    for (const name of readdirSync(directory).filter((known) => isPolicyFile(known) && files[known] === undefined)) rmSync(join(directory, name));
  } catch (cause) {
    for (const name of names) rmSync(beside(name), { force: true });
    throw new CommandFailed(`${directory} cannot be written: lictor policy show REVISION -o DIR writes the texts elsewhere.`, cause);
  }
}
