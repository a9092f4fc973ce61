// The limits of lictor.yaml hold at the MCP endpoint, with nginx's numbers.
import { expect, it } from 'vitest';
import type { Limit } from '../../config/config.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere } from '../../contract/scope.ts';
import { createPrincipalLimits } from './principal-limits.ts';

function principalOf(id: string, role = 'viewer', limitedBy: readonly Principal[] = []): Principal {
  return { id, kind: 'service', idp: null, roles: [role], grants: everywhere([role]), groups: [], attributes: {}, onBehalfOf: [], limitedBy };
}

function limit(kind: Limit['kind'], name: string, rate: Limit['rate'], concurrency: number | null = null): Limit {
  return { kind, name, rate, concurrency };
}

const CI = principalOf('token:ci');
const OTHER = principalOf('token:other');
const SLOW = { perSecond: 2, burst: 3 };

function open(...limits: readonly Limit[]) {
  let now = 0;
  const opened = createPrincipalLimits(limits, () => now);
  return {
    ...opened,
    pass(ms: number) {
      now += ms;
    },
    /** How many of these requests may begin; each ends at once. */
    passed(principal: Principal, count: number): number {
      const begun = Array.from({ length: count }, () => opened.begin(principal)).filter(Boolean);
      for (const _each of begun) opened.end(principal);
      return begun.length;
    },
  };
}

it('lets the burst and one more pass, then the rate', () => {
  const limits = open(limit('everyone', '', SLOW));
  expect(limits.passed(CI, 10)).toBe(4);
  limits.pass(1000);
  expect(limits.passed(CI, 10)).toBe(2);
  limits.pass(60_000);
  expect(limits.passed(CI, 10)).toBe(4);
});

it('counts each principal separately', () => {
  const limits = open(limit('everyone', '', SLOW));
  expect([limits.passed(CI, 10), limits.passed(OTHER, 10)]).toEqual([4, 4]);
});

it.each([
  ['a role', limit('role', 'agent', SLOW), principalOf('token:a', 'agent')],
  ['a role in its chain', limit('role', 'agent', SLOW), principalOf('token:a', 'viewer', [principalOf('agent:b', 'agent')])],
  ['a principal', limit('principal', 'token:a', SLOW), principalOf('token:a')],
])('applies a limit of %s, and to no other', (_what, given, principal) => {
  const limits = open(limit('everyone', '', { perSecond: 200, burst: 400 }), given);
  expect([limits.passed(principal, 10), limits.passed(CI, 10)]).toEqual([4, 10]);
});

it('does not count a service', () => {
  expect(open(limit('service', 'token:ci', SLOW)).passed(CI, 10)).toBe(10);
});

it('has the smallest concurrency, and never more than 32 at once', () => {
  const limits = open(limit('everyone', '', null), limit('principal', 'token:ci', null, 2));
  const begin = (principal: Principal, count: number) => Array.from({ length: count }, () => limits.begin(principal)).filter(Boolean).length;
  expect([begin(CI, 10), begin(OTHER, 40)]).toEqual([2, 32]);
  limits.end(CI);
  expect(begin(CI, 10)).toBe(1);
});

it('counts a refused request nowhere', () => {
  const limits = open(limit('everyone', '', { perSecond: 1, burst: 9 }), limit('principal', 'token:ci', { perSecond: 100, burst: 0 }));
  for (let at = 0; at < 20; at += 1) limits.passed(CI, 1);
  limits.pass(10);
  expect(limits.passed(CI, 10)).toBe(1);
});
