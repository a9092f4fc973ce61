// Errors of a disk that rejects writes: codes of the system, or of SQLite.

const FULL = 'Its disk is full: free some space.';
const CLOSED = 'It is closed to writing: check its owner, its mode, and that its disk is mounted for writing.';
const FAILING = 'Its disk takes nothing: check the space on it, and what the log of the kernel says of it.';

const BY_ERRNO = new Map([
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EROFS', CLOSED],
  ['EFBIG', FAILING],
  ['EIO', FAILING],
]);

/** Primary result codes (sqlite.org/rescode.html): FULL, READONLY, IOERR, and CANTOPEN, which is a log that cannot be made. */
const BY_SQLITE = new Map([
  [13, FULL],
  [8, CLOSED],
  [10, FAILING],
  [14, CLOSED],
]);

/** SQLite: another process writes to the file, longer than the timeout (BUSY). */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5;
}

/** The problem of the disk with its remedy; undefined: another error. */
export function diskTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return BY_SQLITE.get(error.errcode & 0xff);
  return 'code' in error && typeof error.code === 'string' ? BY_ERRNO.get(error.code) : undefined;
}
