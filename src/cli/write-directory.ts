// Creates the output directory of a command with all files, or with none.
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandFailed } from './errors.ts';
import { whyNotWritten } from './write-whole.ts';

export type NewFiles = readonly (readonly [name: string, text: string])[];

export interface Modes {
  readonly directory: number;
  readonly file: number;
}

/** Neither replaces nor removes existing files. Throws CommandFailed with the cause. */
export function writeDirectory(directory: string, files: NewFiles, modes: Modes): void {
  const made: (() => void)[] = missing(directory).map((path) => () => rmdirSync(path));
  let at = directory;
  try {
    mkdirSync(directory, { recursive: true, mode: modes.directory });
    for (const [name, text] of files) {
      const path = join(directory, name);
      at = path;
      const file = openSync(path, 'wx', modes.file);
      made.unshift(() => rmSync(path));
      try {
        writeFileSync(file, text);
      } finally {
        closeSync(file);
      }
    }
  } catch (error) {
    for (const remove of made) ignoring(remove);
    throw new CommandFailed(`${directory} was not written: ${whyNotWritten(error, at)}`, error);
  }
}

/** The missing ones of this directory and its parents, innermost first. */
function missing(directory: string): readonly string[] {
  return existsSync(directory) || directory === dirname(directory) ? [] : [directory, ...missing(dirname(directory))];
}

/** The command reports only the first error. Another process may have created a file meanwhile, so a removal may fail. */
function ignoring(work: () => void): void {
  try {
    work();
  } catch {
    // The path stays.
  }
}
