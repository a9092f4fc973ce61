import { expect, it } from 'vitest';
import { shorten, visibleParts } from './visible-text.ts';

it('shows hidden characters by their names', () => {
  expect(visibleParts('a\u202Eb\0')).toEqual([
    { text: 'a', isHidden: false },
    { text: 'U+202E', isHidden: true },
    { text: 'b', isHidden: false },
    { text: 'U+0000', isHidden: true },
  ]);
  expect(visibleParts('\u200D\u{E0041}').map(({ text }) => text)).toEqual(['U+200D', 'U+E0041']);
});

it('shows markup and letters of every script as they are', () => {
  for (const text of ['<img onerror=x>', 'javascript:alert(1)', 'עברית', '流れ', '😀 e\u0301', ''])
    expect(
      visibleParts(text)
        .map((each) => each.text)
        .join(''),
    ).toBe(text);
});

it('cuts long text between characters', () => {
  expect(shorten('abc', 3)).toEqual({ text: 'abc', left: 0 });
  expect(shorten('ab😀c', 3)).toEqual({ text: 'ab', left: 3 });
  expect(shorten('x'.repeat(65_536), 200)).toEqual({ text: 'x'.repeat(200), left: 65_336 });
});
