// The progress of a long command: one line that changes, only on a terminal.
import type { Writable } from 'node:stream';

export interface Progress {
  say(words: string): void;
  /** Removes the line. */
  end(): void;
}

export function createProgress(err: Writable): Progress {
  const shows = 'isTTY' in err && err.isTTY === true;
  const write = (text: string): void => void (shows && err.write(text));
  return { say: (words) => write(`\r\u001b[K${words}`), end: () => write('\r\u001b[K') };
}
