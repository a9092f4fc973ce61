// Reads and writes the files of Prefect's current and next credential. Each write is atomic, with the same owner and mode.
import { chmodSync, chownSync, closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Complaint } from '../config/schema/issues.ts';
import { apiKeyComplaint, authStringComplaint } from '../config/sections/prefect.ts';
import { readSecretFile } from '../config/sections/secret-file.ts';
import { CommandFailed, UsageError } from './errors.ts';

/** Throws UsageError with the problem. No message contains the credential. */
export function readOffered(file: string, kind: 'auth-string' | 'api-key'): string {
  const fail = ({ message, remedy }: Complaint): never => {
    throw new UsageError(`--from: ${message}. ${remedy}`);
  };
  const text = readSecretFile(file, [], (_keys, message, remedy) => fail({ message, remedy }))?.replace(/\r?\n$/, '') ?? '';
  const complaint = (kind === 'api-key' ? apiKeyComplaint : authStringComplaint)(text);
  return complaint === undefined ? text : fail(complaint);
}

/** Writes `beside` with the mode and the owner of `file`. */
export function writeBeside(file: string, beside: string, credential: string): void {
  const draft = `${beside}.${process.pid}`;
  try {
    const { mode, uid, gid } = statSync(file);
    const fd = openSync(draft, 'wx', 0o600);
    try {
      writeSync(fd, `${credential}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (process.geteuid?.() === 0) chownSync(draft, uid, gid);
    chmodSync(draft, mode & 0o770);
    renameSync(draft, beside);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new CommandFailed(
      `${beside} cannot be written, so nothing was changed. Let the file of the credential be in a directory that the user of the gateway may write to, such as the state directory.`,
      cause,
    );
  }
}

/** Replaces `file` by `next` in one step. Follows a link, so that it stays a link. */
export function putInPlace(next: string, file: string): void {
  try {
    const place = realpathSync(file);
    writeBeside(file, place, readFileSync(next, 'utf8').replace(/\r?\n$/, ''));
  } catch (cause) {
    throw new CommandFailed(
      `Prefect takes the new credential, but it could not be put in the place of the old one: copy ${next} to ${file}, then kill -HUP the gateway.`,
      cause,
    );
  }
}
