import { describe, expect, it } from 'vitest';
import { REASONS, refusalBody } from './reasons.ts';

describe('reasons', () => {
  it.each(Object.entries(REASONS))('%s is ASCII and fits a JSON string in nginx as it is', (_code, { detail, hint }) => {
    expect(detail + hint).toMatch(/^[\x20-\x7e]*$/);
    expect(detail + hint).not.toMatch(/["\\$]/);
  });
  it.each(Object.entries(REASONS))("%s never holds the words that make Prefect's client fetch a new CSRF token", (_code, { detail, hint }) => {
    expect(detail + hint).not.toContain('Invalid CSRF token');
  });
  it.each(Object.entries(REASONS))('%s names no path of ours, which would be wrong below the path of public_url', (_code, { detail, hint }) => {
    expect(detail + hint).not.toContain('/.lictor');
  });
  it('make the body of every refusal', () => {
    expect(refusalBody('not-found', 'r1')).toEqual({ detail: 'Not Found', code: 'not-found', hint: '', request_id: 'r1' });
    expect(refusalBody('body-invalid', 'r1', 'force must be a boolean').detail).toBe('force must be a boolean');
  });
});
