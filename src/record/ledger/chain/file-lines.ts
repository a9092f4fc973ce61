// The lines of a file, one at a time: an export may be larger than memory.
import { closeSync, openSync, readSync } from 'node:fs';

const BLOCK = 1 << 20;
const NEWLINE = 0x0a;

/** UTF-8 text without the newline; the last line may lack its newline. Throws the file system's errors. */
export function* fileLines(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const block = Buffer.allocUnsafe(BLOCK);
    let rest = Buffer.alloc(0);
    for (let size = readSync(descriptor, block); size > 0; size = readSync(descriptor, block)) {
      let bytes = Buffer.concat([rest, block.subarray(0, size)]);
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE)) {
        yield bytes.toString('utf8', 0, at);
        bytes = bytes.subarray(at + 1);
      }
      rest = Buffer.from(bytes);
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
