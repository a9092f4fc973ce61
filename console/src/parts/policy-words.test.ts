import { expect, it } from 'vitest';
import { roleTodayWords, verdictWords } from './policy-words.ts';

it.each([
  [{ decision: 'allow', reason: 'policy-permits', policies: ['operator'] }, 'allowed by the role operator'],
  [{ decision: 'allow', reason: 'policy-permits', policies: ['run-protocol', 'night-shift'] }, 'allowed by the policy run-protocol and the policy night-shift'],
  [{ decision: 'allow', reason: null, policies: [] }, 'allowed'],
  [{ decision: 'deny', reason: 'policy-default-deny', policies: [] }, 'not allowed (policy-default-deny): observe mode let it through'],
  [{ decision: 'deny', reason: 'policy-forbids', policies: ['freeze'] }, 'not allowed by the policy freeze (policy-forbids): observe mode let it through'],
] as const)('a request that took effect: %j', (given, words) => {
  expect(verdictWords(given)).toBe(words);
});

const BOB = { kind: 'user', roles: [{ role: 'operator', scope: 'tags=team-a' }] };

it.each([
  ['operator', BOB, 'Today the role operator holds on tags=team-a.'],
  ['operator', { ...BOB, roles: [...BOB.roles, { role: 'operator', scope: 'own' }] }, 'Today the role operator holds on tags=team-a or own.'],
  ['operator', { ...BOB, roles: [...BOB.roles, { role: 'operator', scope: null }] }, 'Today the role operator holds on everything.'],
  ['admin', BOB, 'Today the principal does not have the role admin.'],
  ['admin', { ...BOB, kind: 'agent' }, ''],
  ['admin', { kind: 'user', roles: [] }, ''],
])('the role %s today: %j', (role, principal, words) => {
  expect(roleTodayWords(role, principal)).toBe(words);
});
