import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { copyOf } from './hold.ts';

/** Answers the copy, if there is one. */
async function copied(text: string, length: number): Promise<string | undefined> {
  // One piece of memory for all: a copy alone has what each of them held.
  const piece = Buffer.alloc(1);
  const body = Readable.from([...text]).map((letter: string) => {
    piece.write(letter);
    return piece;
  });
  let whole: Buffer | undefined;
  copyOf(body, length, (copy) => {
    whole = copy;
  });
  for await (const _piece of body);
  return whole?.toString();
}

it('an answer that says its length is copied, so that its pieces take no memory; a shorter or longer one is not stored', async () => {
  expect(await copied('abcdef', 6)).toBe('abcdef');
  expect(await copied('abcde', 6)).toBeUndefined();
});
