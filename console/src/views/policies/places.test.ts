import { describe, expect, it } from 'vitest';
import { rangeOf } from './places.ts';

const TEXT = '// 😀 ü\n@id("a") permit (principal, action resource);\n';
const marked = (line: number | null, column: number | null) => {
  const { from, to } = rangeOf(TEXT, { line, column });
  return TEXT.slice(from, to);
};

describe('the place of a problem', () => {
  it('is the word at the column, counted in characters', () => {
    expect(marked(2, 36)).toBe('resource');
    expect(marked(1, 6)).toBe('ü');
  });

  it('is the whole line without a column, the start without a line, and never outside the text', () => {
    expect(marked(2, null)).toBe('@id("a") permit (principal, action resource);');
    expect(marked(null, null)).toBe('// 😀 ü');
    expect(marked(99, 99)).toBe('');
    expect(marked(1, 99)).toBe('');
  });
});
