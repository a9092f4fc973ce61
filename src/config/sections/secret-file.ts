// Reads a file that holds a secret: regular, small, not open to every user of the machine.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';
import type { Keys, Report } from '../report.ts';

const MAX_BYTES = 65_536;

/** The file's text, or undefined when it cannot be used; then it has been reported. The text never stands in a problem. */
export function readSecretFile(file: string, keys: Keys, report: Report): string | undefined {
  const fd = open(file, keys, report);
  if (fd === undefined) return undefined;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > MAX_BYTES) {
      report(keys, `${file} is not a file of at most 64 KiB`, 'Give the path of the file that holds the secret.');
    } else if ((stats.mode & 0o007) !== 0) {
      report(keys, `${file} can be read or written by every user of this machine`, `Run: chmod 600 ${file}`);
    } else {
      return readFileSync(fd, 'utf8');
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** O_NONBLOCK: opening a FIFO must not wait for a writer. */
function open(file: string, keys: Keys, report: Report): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const missing = isErrno(cause, 'ENOENT');
    report(
      keys,
      `${file} ${missing ? 'does not exist' : 'cannot be read'}`,
      missing ? 'Create it, or correct the path.' : 'Let the user that runs lictor read it.',
    );
    return undefined;
  }
}
