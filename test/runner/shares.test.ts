import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { PARTS_AND_REST, shares } from './shares.ts';

const FILES = globSync(['integration/**/*.test.ts', 'e2e/*.test.ts'], { cwd: `${REPOSITORY}/test` });

describe('parts of a suite', () => {
  it.each([1, 2, 3, 4, 5])('have every file once, in %i parts', (count) => {
    const parts = shares(FILES, count);
    expect(parts).toHaveLength(count);
    expect(parts.flat().sort()).toEqual([...FILES].sort());
  });

  it('leave little for the last of four, which begins when the suites beside have ended', () => {
    const [one = [], two = [], three = [], rest = []] = shares(FILES, PARTS_AND_REST);
    expect(rest.length).toBeGreaterThan(0);
    expect(rest.length).toBeLessThan(Math.min(one.length, two.length, three.length));
    expect(rest).not.toContain('e2e/ui.test.ts');
  });

  it('keep together what shares a server', () => {
    const withKeycloak = shares(FILES, 3).filter((part) =>
      part.some((file) => /\/(oidc|keycloak|workloads|exec-oidc|mcp-login|mcp-client-logins|saml)\./.test(file)),
    );
    expect(withKeycloak).toHaveLength(1);
  });

  it('take files that nobody timed, more parts than files, and none', () => {
    expect(shares(['integration/new.test.ts'], 3)).toEqual([['integration/new.test.ts'], [], []]);
    expect(shares([], 2)).toEqual([[], []]);
  });
});
