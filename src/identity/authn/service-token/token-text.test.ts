// The text of a token: read back, and nothing else is read.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimsToBeToken, createTokenId, createTokenText, hashToken, isSameHash, parseTokenText } from './token-text.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

describe('a token text', () => {
  it('is read back, with its id', () => {
    const id = createTokenId();
    const { text } = createTokenText(id);
    expect(text).toMatch(/^lct_[0-9a-z]{68}$/);
    expect(id).toMatch(/^[0-9a-z]{10}$/);
    expect(parseTokenText(text)).toEqual({ id, text });
  });

  it('has another secret each time, under the same id', () => {
    const id = createTokenId();
    expect(new Set(Array.from({ length: 100 }, () => createTokenText(id).text)).size).toBe(100);
  });

  it('is refused after any one letter changed, in any spelling', () => {
    const { text } = createTokenText(createTokenId());
    const letters = fc.constantFrom(...ALPHABET, ...'ilouILOUABZ_-= \n\u00e9');
    fc.assert(
      fc.property(fc.nat(text.length - 1), letters, (index, letter) => {
        fc.pre(text[index] !== letter);
        expect(parseTokenText(text.slice(0, index) + letter + text.slice(index + 1))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['nothing', () => ''],
    ['the prefix alone', () => 'lct_'],
    ['a space before', (text: string) => ` ${text}`],
    ['a newline behind', (text: string) => `${text}\n`],
    ['upper case', (text: string) => text.toUpperCase()],
    ['one letter less', (text: string) => text.slice(0, -1)],
    ['one letter more', (text: string) => `${text}0`],
    ['twice', (text: string) => text + text],
    ['two letters swapped', swapFirstPair],
  ])('is refused with %s', (_name, change) => {
    expect(parseTokenText(change(createTokenText('0123456789').text))).toBeUndefined();
  });

  it('claims to be one of ours by its prefix only', () => {
    expect(claimsToBeToken('lct_x')).toBe(true);
    expect(claimsToBeToken('pnu_x')).toBe(false);
    expect(claimsToBeToken(' lct_x')).toBe(false);
  });

  it('has a hash that equals only itself', () => {
    const [one, other] = [hashToken('a'), hashToken('b')];
    expect(isSameHash(one, one)).toBe(true);
    expect(isSameHash(one, other)).toBe(false);
    expect(isSameHash(one, one.slice(1))).toBe(false);
    expect(isSameHash('', one)).toBe(false);
  });
});

/** The first two neighbours of the secret that differ. */
function swapFirstPair(text: string): string {
  let at = 20;
  while (text[at] === text[at + 1]) at += 1;
  return text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2);
}
