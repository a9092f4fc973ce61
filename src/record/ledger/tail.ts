// Reads a growing log file in whole lines from a remembered position; notices when the file was truncated or replaced.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openIfThere } from './open-if-there.ts';
import { type Writers, writersOf } from './writers.ts';

/** Where reading goes on. `head` is how the file began: an inode number alone may be used again. */
export interface TailPosition {
  readonly inode: string;
  readonly offset: number;
  readonly head: Buffer;
}

export interface TailLine {
  readonly bytes: Buffer;
  /** Where it begins in its file. */
  readonly offset: number;
}

export interface TailChunk {
  readonly lines: readonly TailLine[];
  /** Store this in the transaction that stores the lines, then call `advance`. */
  readonly next: TailPosition;
}

export interface Tail {
  /** The next whole lines, at most `maxLines`; undefined when there are none. Reading twice without `advance` gives the same. */
  read(maxLines: number): TailChunk | undefined;
  advance(next: TailPosition): void;
  /** What was given to `advance` last, or at the opening. */
  stored(): TailPosition | null;
  /** Still in a file that was renamed. */
  behind(): boolean;
  close(): void;
}

const CHUNK_BYTES = 1 << 20;
/** What a batch usually needs: where it is enough, more of the cache than that is not spoilt for those who answer requests. */
const LOOK_BYTES = 1 << 17;
const HEAD_BYTES = 256;
const NEWLINE = 0x0a;
/** A replaced file may still get the lines of writers that have not reopened it: it is left only after so many empty looks, and with no writer. */
const LOOKS_BEFORE_LEAVING = 3;
/** Where writers cannot be seen: some ten seconds without a line. */
const LOOKS_WHEN_UNKNOWN = 50;

/** `position` is what was stored last; null at the very first start: the file is then read from its beginning. */
export function openTail(file: string, position: TailPosition | null, writers: (path: string) => Writers = writersOf): Tail {
  let at = position;
  let stored = position;
  let fd: number | undefined;
  let emptyLooks = 0;
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  return {
    read(maxLines) {
      fd ??= openAt(file, at);
      if (fd === undefined) return undefined;
      at = positionIn(fd, at);
      const chunk = readLines(fd, at, maxLines, buffer);
      emptyLooks = chunk === undefined ? emptyLooks + 1 : 0;
      const replaced = inodeOf(file) !== undefined && inodeOf(file) !== at.inode;
      if (emptyLooks >= LOOKS_BEFORE_LEAVING && replaced && isFinished(fd, emptyLooks, writers)) {
        // What was written between the last look and the last writer's leaving.
        const rest = readLines(fd, at, maxLines, buffer);
        if (rest !== undefined) return rest;
        closeSync(fd);
        fd = undefined;
        at = null;
        emptyLooks = 0;
        return this.read(maxLines);
      }
      return chunk;
    },
    advance(next) {
      at = next;
      stored = next;
    },
    stored: () => stored,
    behind: () => at !== null && at.inode !== inodeOf(file),
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** Where a log ends now, for a reader of what comes from now on. Null: there is none yet, so all of it is to come. Throws where it cannot be read. */
export function endOfLog(file: string): TailPosition | null {
  const fd = openIfThere(file);
  if (fd === undefined) return null;
  try {
    const { size, ino } = fstatSync(fd, { bigint: true });
    const offset = Number(size);
    return { inode: String(ino), offset, head: readHead(fd, Math.min(HEAD_BYTES, offset)) };
  } finally {
    closeSync(fd);
  }
}

function isFinished(fd: number, emptyLooks: number, writers: (path: string) => Writers): boolean {
  const found = writers(pathOf(fd));
  return found === 'none' || (found === 'unknown' && emptyLooks >= LOOKS_WHEN_UNKNOWN);
}

/** Its name as the kernel has it now: renamed or not. */
function pathOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // no /proc: writers are unknown as well
  }
}

/** The file that the position speaks of, under its name or, renamed meanwhile, beside it; else the file as it is now. */
function openAt(file: string, at: TailPosition | null): number | undefined {
  const current = inodeOf(file);
  const renamed = at === null || at.inode === current ? undefined : findInode(file, at.inode);
  const target = renamed ?? (current === undefined ? undefined : file);
  return target === undefined ? undefined : openSync(target, 'r');
}

function findInode(file: string, inode: string): string | undefined {
  const folder = dirname(file);
  const names = readdirSync(folder).filter((name) => name.startsWith(basename(file)));
  return names.map((name) => join(folder, name)).find((path) => inodeOf(path) === inode);
}

/** The position if it still fits the open file, else its beginning. */
function positionIn(fd: number, at: TailPosition | null): TailPosition {
  const stat = fstatSync(fd, { bigint: true });
  const inode = String(stat.ino);
  const fits = at !== null && at.inode === inode && at.offset <= Number(stat.size) && readHead(fd, at.head.length).equals(at.head);
  return fits ? at : { inode, offset: 0, head: Buffer.alloc(0) };
}

function readLines(fd: number, at: TailPosition, maxLines: number, buffer: Buffer): TailChunk | undefined {
  let filled = readSync(fd, buffer, 0, LOOK_BYTES, at.offset);
  const lines: TailLine[] = [];
  let start = 0;
  while (lines.length < maxLines) {
    const end = buffer.subarray(0, filled).indexOf(NEWLINE, start);
    if (end === -1) {
      if (filled !== LOOK_BYTES) break;
      // Long lines: the rest of what there is room for.
      filled += readSync(fd, buffer, filled, CHUNK_BYTES - filled, at.offset + filled);
      if (filled === LOOK_BYTES) break;
      continue;
    }
    if (end > start) lines.push({ bytes: Buffer.from(buffer.subarray(start, end)), offset: at.offset + start });
    start = end + 1;
  }
  // No newline in a whole chunk: no line of nginx is that long. It is taken as it is, so that reading goes on.
  if (start === 0 && filled === CHUNK_BYTES) {
    lines.push({ bytes: Buffer.from(buffer), offset: at.offset });
    start = filled;
  }
  if (start === 0) return undefined;
  const offset = at.offset + start;
  const head = at.head.length < HEAD_BYTES ? readHead(fd, Math.min(HEAD_BYTES, offset)) : at.head;
  return { lines, next: { inode: at.inode, offset, head } };
}

function readHead(fd: number, length: number): Buffer {
  const head = Buffer.alloc(length);
  return head.subarray(0, readSync(fd, head, 0, length, 0));
}

function inodeOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : String(stat.ino);
}
