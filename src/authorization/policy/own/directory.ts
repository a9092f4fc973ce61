// Reads the whole directory of own policies once, so that Lictor applies what it has checked, even if the files change meanwhile.
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../../config/problem.ts';
import { isErrno } from '../../../contract/errno.ts';
import type { PolicyFiles } from '../../../contract/policy-files.ts';

export interface PolicyDirectory {
  readonly files: PolicyFiles;
  /** With any problem, `files` is incomplete. */
  readonly problems: readonly Problem[];
}

const MOST_FILES = 500;
const MOST_FILE_BYTES = 262_144;
/** Parsing (engine.ts) takes the deciding thread half a millisecond for each KiB. */
const MOST_BYTES = 655_360;

/** Reads `*.cedar` and `*.vectors.yaml` of the directory itself, and no other file. Never throws for the state of the disk. */
export function readPolicyDirectory(directory: string): PolicyDirectory {
  const listed = list(directory);
  if (typeof listed !== 'object') return { files: {}, problems: [{ path: 'policies', ...missing(directory, listed) }] };
  if (listed.length > MOST_FILES) return { files: {}, problems: [tooMany(directory, listed.length)] };
  const files: Record<string, string> = {};
  const problems: Problem[] = writable(directory) ? [open(directory)] : [];
  for (const name of listed) {
    const read = readOne(join(directory, name));
    if (typeof read === 'string') files[name] = read;
    else problems.push({ path: '', file: name, ...read });
  }
  return { files, problems: [...problems, ...tooLarge(files, directory)] };
}

/** The same limits for texts that are in no directory yet. */
export function limitProblems(files: PolicyFiles): readonly Problem[] {
  const names = Object.keys(files);
  const many = names.length > MOST_FILES ? [tooMany('The set', names.length)] : [];
  const ofFiles = Object.entries(files).flatMap(([name, text]) => {
    const wrong = Buffer.byteLength(text) > MOST_FILE_BYTES ? TOO_LARGE : text.isWellFormed() ? undefined : NOT_TEXT;
    return wrong === undefined ? [] : [{ path: '', file: name, ...wrong }];
  });
  return [...many, ...ofFiles, ...tooLarge(files, 'The set')];
}

function tooMany(what: string, count: number): Problem {
  const message = `${what} holds ${count} files of policies and vectors; at most ${MOST_FILES} are read`;
  return { path: 'policies', message, remedy: 'Put several policies into one file.' };
}

function tooLarge(files: PolicyFiles, what: string): readonly Problem[] {
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const message = `${what} holds ${bytes} bytes of policies and vectors; at most 640 KiB are read`;
  return bytes > MOST_BYTES ? [{ path: 'policies', message, remedy: 'Remove what is not needed.' }] : [];
}

const TOO_LARGE = { message: 'is larger than 256 KiB', remedy: 'Split it into several files.' };
const NOT_TEXT = { message: 'is not UTF-8', remedy: 'Save it as UTF-8.' };

export function isPolicyFile(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*\.(?:cedar|vectors\.yaml)$/.test(name);
}

/** The names in order, or why the directory is unreadable. */
function list(directory: string): readonly string[] | 'missing' | 'unreadable' {
  try {
    return readdirSync(directory).filter(isPolicyFile).sort();
  } catch (error) {
    return isErrno(error, 'ENOENT') ? 'missing' : 'unreadable';
  }
}

function missing(directory: string, why: 'missing' | 'unreadable'): Pick<Problem, 'message' | 'remedy'> {
  return why === 'missing'
    ? { message: `${directory} does not exist`, remedy: 'Create the directory, or correct the path.' }
    : { message: `${directory} is no directory that can be read`, remedy: 'Name a directory with *.cedar files that the user of lictor may read.' };
}

/** A user that may write there could change all rights. */
function writable(directory: string): boolean {
  return (statSync(directory).mode & 0o002) !== 0;
}

function open(directory: string): Problem {
  return { path: 'policies', message: `${directory} can be written by every user of this machine`, remedy: `Run: chmod o-w ${directory}` };
}

/** Follows symbolic links (a mounted ConfigMap consists of them); their targets obey the same rules. O_NONBLOCK: Lictor must not wait for a FIFO. */
function readOne(file: string): string | Pick<Problem, 'message' | 'remedy'> {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return { message: 'the file cannot be read', remedy: 'Let the user that runs lictor read it, or remove it.' };
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return { message: 'is no regular file', remedy: 'Remove it, or give it another name.' };
    if (stats.size > MOST_FILE_BYTES) return TOO_LARGE;
    if ((stats.mode & 0o002) !== 0) return { message: 'can be written by every user of this machine', remedy: `Run: chmod o-w ${file}` };
    const bytes = readFileSync(fd);
    return decode(bytes) ?? NOT_TEXT;
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
