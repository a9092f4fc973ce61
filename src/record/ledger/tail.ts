// Reads a growing log file in whole lines from a stored position. Notices when the file was truncated or replaced.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openIfThere } from './open-if-there.ts';
import { type Writers, writersOf } from './writers.ts';

/** The place to continue. `head` is the beginning of the file, because the kernel reuses inode numbers. */
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
  /** At most `maxLines` whole lines; undefined: none. A second read without `advance` returns the same. */
  read(maxLines: number): TailChunk | undefined;
  advance(next: TailPosition): void;
  /** The last argument of `advance`, or the initial position. */
  stored(): TailPosition | null;
  /** True while it reads a renamed file. */
  behind(): boolean;
  close(): void;
}

const CHUNK_BYTES = 1 << 20;
/** The usual size of a batch. A smaller read leaves more of the CPU cache to requests. */
const LOOK_BYTES = 1 << 17;
const HEAD_BYTES = 256;
const NEWLINE = 0x0a;
/** A writer may still add lines to a replaced file. The reader leaves it only after this many empty reads, and without a writer. */
const LOOKS_BEFORE_LEAVING = 3;
/** Where writers cannot be seen: about ten seconds without a line. */
const LOOKS_WHEN_UNKNOWN = 50;

/** `position` is the stored one. Null at the very first start: reads the file from its beginning. */
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
        // Lines from between the last read and the exit of the last writer.
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

/** The end of a log, for a reader of later lines. Null: there is no log yet. Throws the file system's errors. */
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

/** The file's current name, which a rename may have changed. */
function pathOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // no /proc: writers are unknown as well
  }
}

/** The file of the position, under its name or renamed beside it. Otherwise the current file. */
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

/** The position if it fits the open file, otherwise the file's beginning. */
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
      // Long lines: reads up to the rest of the buffer.
      filled += readSync(fd, buffer, filled, CHUNK_BYTES - filled, at.offset + filled);
      if (filled === LOOK_BYTES) break;
      continue;
    }
    if (end > start) lines.push({ bytes: Buffer.from(buffer.subarray(start, end)), offset: at.offset + start });
    start = end + 1;
  }
  // No newline in a whole chunk. nginx writes no such line; it is taken as one, so that reading continues.
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
