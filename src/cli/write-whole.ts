// Writes the output file of a command completely or not at all. The former file stays until the new one is complete.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { diskTrouble } from '../contract/disk.ts';
import { isErrno } from '../contract/errno.ts';
import { CommandFailed } from './errors.ts';

/** Writes directly to a pipe or a device, because a new file would replace it. Throws CommandFailed with the cause. */
export function writeWhole(output: string, mode: number, lines: Iterable<string>): void {
  try {
    if (isStream(output)) append(openSync(output, 'w'), lines);
    else replace(output, mode, lines);
  } catch (error) {
    throw new CommandFailed(`${output} was not written: ${whyNotWritten(error, output)}`, error);
  }
}

function replace(output: string, mode: number, lines: Iterable<string>): void {
  const partial = `${output}.${process.pid}.partial`;
  // A killed process may have left this file, or an attacker may have put a link here.
  rmSync(partial, { force: true });
  const file = openSync(partial, 'wx', mode);
  try {
    append(file, lines, fsyncSync);
    renameSync(partial, output);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** The error of the system for a new path, as text. */
export function whyNotWritten(error: unknown, path: string): string {
  if (isErrno(error, 'ENOENT')) return `the directory ${dirname(resolve(path))} is not there.`;
  if (isErrno(error, 'ENOTDIR')) return 'a part of its path is a file and no directory.';
  if (isErrno(error, 'EISDIR', 'ENOTEMPTY')) return 'it is a directory. Name a file.';
  if (isErrno(error, 'EACCES', 'EPERM')) return `this user may not write to ${nearestThere(dirname(resolve(path)))}.`;
  return diskTrouble(error) ?? (error instanceof Error ? error.message : String(error));
}

/** The nearest existing parent: only it can lack the permission. */
function nearestThere(directory: string): string {
  return existsSync(directory) || directory === dirname(directory) ? directory : nearestThere(dirname(directory));
}

/** `/dev/stdout` is a link to standard output. Replacing it would break it. */
function isStream(output: string): boolean {
  if (dirname(resolve(output)) === '/dev') return true;
  const known = statSync(output, { throwIfNoEntry: false });
  return known !== undefined && !known.isFile() && !known.isDirectory();
}

function append(file: number, lines: Iterable<string>, atLast: (file: number) => void = () => undefined): void {
  try {
    for (const line of lines) writeFileSync(file, `${line}\n`);
    atLast(file);
  } finally {
    closeSync(file);
  }
}
