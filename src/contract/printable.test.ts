import { expect, it } from 'vitest';
import { printable, visible } from './printable.ts';

/** Letters that a reader does not see: a direction, a zero-width letter, a tag, variation selectors, fillers. */
const UNSEEN = ['\u202e', '\u200b', '\u{e0041}', '\ufe0f', '\u{e0141}', '\u3164', '\u115f', '\u034f', '\u180b', '\u2028', '\0'];

it.each(UNSEEN)('text for a person who decides shows %j as its code', (letter) => {
  expect(visible(`a${letter}b`)).toBe(`a\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}b`);
});

it('text for a person who decides has its lines and letters as they are', () => {
  expect(visible('{\n  "n": "Zoë 日本"\n}')).toBe('{\n  "n": "Zoë 日本"\n}');
});

it.each(UNSEEN.filter((letter) => !/\p{M}|\p{L}/u.test(letter)))('text for a terminal has a mark instead of %j', (letter) => {
  expect(printable(`a${letter}b`)).toBe('a\ufffdb');
});
