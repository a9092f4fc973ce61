// NDJSON appended to a file: a batch counts when its lines are on the disk. After a rename, the next batch starts a new file.
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LedgerExport } from '../../../config/config.ts';
import type { Sink } from '../sink.ts';

const CHUNK = 64 * 1024;

export function createNdjsonFile({ url }: LedgerExport): Sink {
  const file = fileURLToPath(url);
  return {
    async deliver(batch) {
      append(file, Buffer.from(batch.map(({ json }) => `${json}\n`).join('')));
      return { rejected: 0 };
    },
    close: async () => undefined,
  };
}

/** Writes all bytes, or leaves the file unchanged. */
function append(file: string, bytes: Buffer): void {
  const fd = openSync(file, 'a+', 0o600);
  try {
    const { size } = fstatSync(fd);
    const whole = endOfLines(fd, size);
    // A kill cut this line off. Its batch is sent again.
    if (whole < size) ftruncateSync(fd, whole);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
      fdatasyncSync(fd);
    } catch (error) {
      ftruncateSync(fd, whole);
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

/** The end of the last whole line. */
function endOfLines(fd: number, size: number): number {
  const chunk = Buffer.alloc(CHUNK);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK);
    const read = readSync(fd, chunk, 0, end - start, start);
    const at = chunk.subarray(0, read).lastIndexOf(0x0a);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return 0;
}
