// limits: what each `for` may name, and what a limit needs.
import { afterAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../../../test/env/docs.ts';
import { openTestFile, SMALLEST } from '../test-file.ts';
import { MOST_LIMITS } from './limits.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

const BILLING = 'services: [{ name: billing, servers: ["http://127.0.0.1:1"] }]\n';
const EVERYONE = { kind: 'everyone', name: '', rate: { perSecond: 200, burst: 400 }, concurrency: null };

describe('limits', () => {
  it('are those of docs/how-to/limits.md', () => {
    expect(accepted(`${SMALLEST}${BILLING}${docsBlock('how-to/limits.md', 'limits:')}`).limits).toEqual([
      EVERYONE,
      { kind: 'role', name: 'worker', rate: { perSecond: 50, burst: 200 }, concurrency: 20 },
      { kind: 'principal', name: 'token:ci', rate: null, concurrency: 4 },
      { kind: 'service', name: 'billing', rate: { perSecond: 100, burst: 200 }, concurrency: null },
    ]);
  });

  it('always limit everyone, first and with a rate', () => {
    expect(accepted(`${SMALLEST}limits: [{ for: "role:run", rate: 5/s }]\n`).limits[0]).toEqual(EVERYONE);
    expect(accepted(`${SMALLEST}limits: [{ for: "role:run", rate: 5/s }, { for: "*", concurrency: 3 }]\n`).limits[0]).toEqual({ ...EVERYONE, concurrency: 3 });
  });

  it.each([
    ['{ for: "role:emperor", rate: 5/s }', 'limits[0].for', /not a role.*viewer/],
    ['{ for: "principal:alice", rate: 5/s }', 'limits[0].for', /not the id of a principal.*token:NAME/],
    ['{ for: "principal:user:alice@local", rate: 5/s }', 'limits[0].for', /not the id of a principal/],
    ['{ for: "service:biling", rate: 5/s }', 'limits[0].for', /not a service.*Did you mean billing/],
    ['{ for: "service:other", rate: 5/s }', 'limits[0].for', /not a service.*Add it/],
    ['{ for: everybody, rate: 5/s }', 'limits[0].for', /role:NAME/],
    ['{ for: "role:run" }', 'limits[0]', /no rate and no concurrency/],
    ['{ for: "role:run", burst: 3, concurrency: 3 }', 'limits[0].burst', /needs a rate/],
    ['{ for: "role:run", rate: 5/s }, { for: "role:run", rate: 6/s }', 'limits[1]', /second limit for role:run/],
    ['{ for: "role:run", rate: 1000000/s }', 'limits[0].rate', /999999/],
    ['{ for: "role:run", concurrency: 0 }', 'limits[0].concurrency', /1/],
  ])('refuse %s', (limits, path, words) => {
    const found = problems(`${SMALLEST}${BILLING}limits: [${limits}]\n`);
    expect(found).toEqual([expect.objectContaining({ path })]);
    expect(found.map(({ message, remedy }) => `${message} ${remedy}`).join()).toMatch(words);
  });

  it('are bounded in number', () => {
    const limits = (count: number) => Array.from({ length: count }, (_none, index) => `{ for: "principal:token:t${index}", rate: 5/s }`).join(', ');
    expect(accepted(`${SMALLEST}limits: [${limits(MOST_LIMITS)}]\n`).limits).toHaveLength(MOST_LIMITS + 1);
    expect(problems(`${SMALLEST}limits: [${limits(MOST_LIMITS + 1)}]\n`)).toEqual([expect.objectContaining({ path: 'limits' })]);
  });

  it('are not checked against services that are broken themselves', () => {
    expect(problems(`${SMALLEST}services: [{ name: "A b" }]\nlimits: [{ for: "service:billing", rate: 5/s }]\n`).map(({ path }) => path)).not.toContain(
      'limits[0].for',
    );
  });
});
