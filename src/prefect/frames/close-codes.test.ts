import { describe, expect, it } from 'vitest';
import { isReasonCode, REASONS } from '../../contract/reasons.ts';
import { closingFromClient, closingFromUpstream, refusalReason } from './close-codes.ts';

describe('refusalReason', () => {
  it.each(Object.keys(REASONS).filter(isReasonCode))('begins with the code and fits into a close frame: %s', (code) => {
    const reason = refusalReason(code);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    const begins = [REASONS[code].hint, REASONS[code].detail].map((words) => `${code}: ${words} `.startsWith(`${reason} `));
    expect(begins, reason).toContain(true);
  });
});

describe('close codes', () => {
  it.each([1004, 1006, 1015, 1016, 2999, 5000])('%i never travels', (code) => {
    expect(closingFromUpstream(code, 'x', null).code).toBe(1012);
    expect(closingFromClient(code, 'x').code).toBe(1001);
  });

  it('none stays none', () => {
    expect(closingFromUpstream(1005, '', null)).toEqual({ reason: '' });
    expect(closingFromClient(1005, '')).toEqual({ reason: '' });
  });

  it('cuts a long reason at a whole character', () => {
    const { reason } = closingFromUpstream(1002, 'ä'.repeat(100), null);
    expect(reason).toBe('ä'.repeat(61));
  });

  it('cuts a long reason between two words', () => {
    const reasonOf = (text: string) => closingFromUpstream(1002, text, null).reason;
    const words = 'twelve bytes '.repeat(20);
    expect(reasonOf(words)).toBe(words.slice(0, 9 * 13 + 6));
    expect(reasonOf(`${'x'.repeat(120)} ab cd`)).toBe(`${'x'.repeat(120)} ab`);
    expect(reasonOf(`${'x'.repeat(120)} abc d`)).toBe('x'.repeat(120));
  });
});
