// Removes texts from a stream, and writes asterisks in their place so that lengths stay the same.
import { Transform } from 'node:stream';

const ASTERISK = 0x2a;

/** Buffers no more than the possible beginning of one of the texts. */
export function maskIn(texts: readonly string[]): Transform {
  const forms = texts.map((text) => Buffer.from(text)).sort((a, b) => b.length - a.length);
  let rest: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const data = Buffer.concat([rest, chunk]);
      for (const form of forms) mask(data, form);
      const from = data.length - longestBeginning(data, forms);
      rest = data.subarray(from);
      done(null, data.subarray(0, from));
    },
    flush(done) {
      done(null, rest);
    },
  });
}

function mask(data: Buffer, form: Buffer): void {
  for (let at = data.indexOf(form); at >= 0; at = data.indexOf(form, at + form.length)) data.fill(ASTERISK, at, at + form.length);
}

/** How many of the last bytes may be the beginning of an incomplete text. */
function longestBeginning(data: Buffer, forms: readonly Buffer[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, data.length); length > longest; length -= 1) {
      if (data.subarray(data.length - length).equals(form.subarray(0, length))) longest = length;
    }
  }
  return longest;
}
