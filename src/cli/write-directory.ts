// A directory of files that a command is told to make: all of them or none.
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandFailed } from './errors.ts';
import { whyNotWritten } from './write-whole.ts';

export type NewFiles = readonly (readonly [name: string, text: string])[];

export interface Modes {
  readonly directory: number;
  readonly file: number;
}

/** What is there already is neither replaced nor taken away. Throws CommandFailed with what stands in the way. */
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

/** It and the directories above it that are not there yet, the innermost first. */
function missing(directory: string): readonly string[] {
  return existsSync(directory) || directory === dirname(directory) ? [] : [directory, ...missing(dirname(directory))];
}

/** The first error is the one to tell; somebody else may have put something there meanwhile. */
function ignoring(work: () => void): void {
  try {
    work();
  } catch {
    // It stays.
  }
}
