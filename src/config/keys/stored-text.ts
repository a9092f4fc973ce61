// A text that several processes change: a file of the state directory, or a row of the store that several nodes share.
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../../contract/errno.ts';

export interface StoredText {
  /** Names the place in errors. */
  readonly where: string;
  /** Undefined: there is none yet. */
  read(): Promise<string | undefined>;
  /** One change after another. `work` gets the present text and answers the new one; it may run again. */
  change(work: (text: string | undefined) => Promise<string>): Promise<string>;
}

/** Reads the file each time: it is small, and a command may have written it. Mode 0600. */
export function textFile(file: string): StoredText {
  let last: Promise<unknown> = Promise.resolve();
  const write = async (work: (text: string | undefined) => Promise<string>): Promise<string> => {
    const text = await work(readText(file));
    writeText(file, text);
    return text;
  };
  return {
    where: file,
    read: async () => readText(file),
    change(work) {
      const mine = last.then(() => write(work));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  keepOwner(draft, file);
  renameSync(draft, file);
}

/** If root writes the file, it belongs to the owner of the directory, who runs the gateway. */
function keepOwner(draft: string, file: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(draft, uid, gid);
}
