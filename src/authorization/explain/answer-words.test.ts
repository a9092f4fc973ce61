import { expect, it } from 'vitest';
import { NOWHERE } from '../../contract/scope.ts';
import { explainAction } from './action.ts';
import { answerWords } from './answer-words.ts';
import { explainerParts, principalParts, token } from './bench.fixture.ts';
import { findPrincipal } from './principal.ts';

const parts = explainerParts();

it.each([
  [['viewer'], null, 'flow_runs.cancel', 'token:one has only the role viewer; viewer does not permit this.'],
  [['viewer', 'auditor'], null, 'flow_runs.cancel', 'token:one has only the roles auditor, viewer; none of them permits this.'],
  [[], null, 'flow_runs.cancel', 'token:one has no role, and no policy permits this to it.'],
  [['operator'], null, 'flow_runs.cancel', 'token:one has the role operator on everything, which permits this.'],
  [['operator'], { ...NOWHERE, tags: ['team-a'] }, 'flow_runs.cancel', 'token:one has the role operator on tags=team-a, which permits this.'],
  [['operator'], { ...NOWHERE, workPools: ['a'] }, 'variables.write', 'token:one has only the role operator; operator does not permit this.'],
])('begins with the answer: %j on %j, %s', async (roles, scope, action, sentence) => {
  const one = await findPrincipal('token:one', principalParts([token('one', { roles, scope })]));
  expect((await explainAction(parts, one, { action })).detail).toBe(sentence);
});

it('twin: leaves the words to what else decides: a forbid, a group, the worker of a run, the sponsor of an agent', () => {
  const ask = { decision: 'deny', reason: 'policy-forbids', action: 'flow_runs.cancel', resource_type: 'FlowRun', policies: [] } as never;
  const findings = (reason: 'policy-forbids' | 'policy-default-deny' | 'object-foreign') =>
    ({ decision: 'deny', reason, asks: [{ ...(ask as object), reason }] }) as never;
  const person = { id: 'token:one', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const held = { principal: person, hypothetical: false, roles: [{ role: 'viewer', scope: null, from: [] }], refusedAs: null, notes: [] };
  expect(answerWords(parts, held, findings('policy-default-deny'))).toContain('only the role viewer');
  const scoped = { ...held, roles: [{ role: 'operator', scope: 'tags=team-a', from: [] }] };
  expect(answerWords(parts, scoped, findings('object-foreign'))).toBe('token:one has the role operator on tags=team-a only: that does not include this.');
  expect(answerWords(parts, held, findings('policy-forbids'))).toBeUndefined();
  expect(answerWords(parts, { ...held, principal: { ...person, id: 'group:a@corp' }, hypothetical: true }, findings('policy-default-deny'))).toBeUndefined();
  expect(answerWords(parts, { ...held, principal: { ...person, kind: 'run' } }, findings('policy-default-deny'))).toBeUndefined();
  expect(answerWords(parts, { ...held, principal: { ...person, limitedBy: [person] } }, findings('policy-default-deny'))).toBeUndefined();
});
