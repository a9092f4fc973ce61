import { describe, expect, it } from 'vitest';
import { ownPath, segment } from './own-path.ts';

describe('a link', () => {
  it.each(['/', '/runs/flow-run/1', '/.lictor/login?return=%2F'])('may lead to %s', (path) => {
    expect(ownPath(path)).toBe(path);
  });

  it.each(['javascript:alert(1)', '//other.example.com/', '/\\other.example.com', 'https://other.example.com/', ' /x', '/\u0000', '/a\tb', ''])(
    'may not lead to %j',
    (path) => {
      expect(ownPath(path)).toBeUndefined();
    },
  );

  it.each([
    ['a/b', 'a%2Fb'],
    ['<img onerror>', '%3Cimg%20onerror%3E'],
    ['..', '%252e%252e'],
    ['a.b', 'a.b'],
  ])('has %j as one segment', (text, encoded) => {
    expect(segment(text)).toBe(encoded);
  });
});
