// The last lines of the logs of a gateway. The access log stays out: it has a line for every request.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MOST_BYTES = 256 * 1024;

/** Without queries, which may hold codes of logins. Empty: no such file. */
export function lastLines(file: string, count: number): string {
  const lines = endOf(file)
    .split('\n')
    .slice(-count - 1);
  return lines.map(withoutQuery).join('\n');
}

function withoutQuery(line: string): string {
  return line.replaceAll(/\?[^\s"',]*/g, '?[removed]');
}

/** From the start of a line. */
function endOf(file: string): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const buffer = Buffer.alloc(Math.min(size, MOST_BYTES));
      readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      const text = buffer.toString('utf8');
      return size > MOST_BYTES ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      closeSync(fd);
    }
  } catch {
    return ''; // The gateway has not written it, or this user may not read it.
  }
}
