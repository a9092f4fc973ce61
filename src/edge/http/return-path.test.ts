// The targets after a login (RD-01).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOSTILE_RETURN_PATHS } from './hostile-return-paths.fixture.ts';
import { safeReturnPath } from './return-path.ts';

const ORIGIN = 'https://gateway.example';

describe('a return path (RD-01)', () => {
  it.each([
    '/',
    '/runs/flow-run/11111111-1111-4111-8111-111111111111',
    '/v2/runs?tab=Logs&x=a%20b',
    '/deployments?next=https://evil.example//x',
    '/flow-runs?state=%5B%22Failed%22%5D&q=a/../b',
    '/blocks/a%20b',
    '/@user',
    '/.lictor/console/',
    '/a.b/..c',
  ])('is kept as it is: %s', (path) => expect(safeReturnPath(path, '')).toBe(path));

  it('has a corpus of at least 100 hostile ones', () => expect(new Set(HOSTILE_RETURN_PATHS).size).toBeGreaterThanOrEqual(100));

  it.each(HOSTILE_RETURN_PATHS)('is the root for %j', (path) => expect(safeReturnPath(path, '')).toBe('/'));

  it('never leaves the origin, whatever it was', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(...'/\\:@?#.%;\t\n\r 025fFeEcC', 'evil.example', 'http', 'javascript:', '\u2044', '\ufeff'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          nasty,
          fc.string(),
          fc.tuple(fc.domain(), nasty).map(([host, rest]) => `https://${host}/${rest}`),
          nasty.map((text) => `/${text}`),
        ),
        (raw) => {
          const stored = safeReturnPath(raw, '');
          expect(new URL(stored, ORIGIN).origin).toBe(ORIGIN);
          expect(stored === '/' || stored === raw).toBe(true);
          expect(/^[!-~]+$/.test(stored)).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('stays below the base path', () => {
    expect(safeReturnPath('/prefect/runs', '/prefect')).toBe('/prefect/runs');
    for (const path of ['/runs', '/prefectx/runs', '/prefect', '/', '/prefect/.lictor/logout', '/prefect//evil.example'])
      expect(safeReturnPath(path, '/prefect')).toBe('/prefect/');
  });
});
