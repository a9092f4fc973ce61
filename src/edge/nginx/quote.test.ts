import { describe, expect, it } from 'vitest';
import { quote, quotePath, quoteVerbatim } from './quote.ts';

describe('quote', () => {
  it('keeps ordinary text', () => expect(quote('Basic abc=')).toBe('"Basic abc="'));
  it('covers quotes, backslashes and the dollar sign', () => expect(quote('p$w"0\\rd')).toBe('"p${lictor_dollar}w\\"0\\\\rd"'));
  it('keeps braces, semicolons and hashes literal inside the quotes', () => expect(quote('a;b{c}#d')).toBe('"a;b{c}#d"'));
  it.each(['a\nb', 'a\0b', 'a\rb', 'a\x7fb'])('refuses control characters (%j)', (text) => {
    expect(() => quote(text)).toThrowError(/control characters/);
    expect(() => quoteVerbatim(text)).toThrowError(/control characters/);
  });
  it('refuses a path with a dollar sign, which some directives expand', () => {
    expect(() => quotePath('/x/$y')).toThrowError(/another directory/);
    expect(quotePath('/x y/z')).toBe('"/x y/z"');
  });
});
