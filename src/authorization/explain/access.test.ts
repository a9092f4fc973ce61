// Who may do this: each line against the same question to explain.
import { describe, expect, it } from 'vitest';
import { NOWHERE } from '../../contract/scope.ts';
import { type AccessQuestion, access, isUnknown, subjectsOf } from './access.ts';
import { explainAction } from './action.ts';
import { explainerParts, principalParts, token } from './bench.fixture.ts';
import { findPrincipal, type ResolvedPrincipal } from './principal.ts';

const TEAM_A = { ...NOWHERE, tags: ['team-a'] };
const TOKENS = [token('ci', { roles: ['deployer', 'viewer'] }), token('team', { roles: ['operator'], scope: TEAM_A }), token('etl', { roles: ['auditor'] })];
const ROLES = [
  { role: 'operator', members: ['group:ops@corp', 'user:alice@local'], scope: TEAM_A },
  { role: 'viewer', members: ['*@corp'], scope: null },
];
const parts = principalParts(TOKENS);
const RULE = { name: 'r', principals: ['user:alice@local', 'group:ops@corp'], actions: ['flow_runs.retry'], approvers: ['*@corp'], expiresMs: 1, notify: null };
const config = { ...parts.config, roles: ROLES, approvals: [RULE] };
const people = await Promise.all(['alice@local', 'token:ci', 'token:etl', 'token:team'].map((id) => findPrincipal(id, { ...parts, config })));

function subjects(chosen: readonly ResolvedPrincipal[], roles: typeof ROLES = []) {
  const byId = new Map(chosen.map((person) => [person.principal.id, person]));
  return subjectsOf({ roles }, [...byId.keys()], async (id) => byId.get(id) ?? Promise.reject(new Error(id)));
}

function ask(question: AccessQuestion, own?: Readonly<Record<string, string>>) {
  return access(
    {
      parts: explainerParts(undefined, own),
      config,
      subjects: subjects(people, ROLES),
    },
    question,
  );
}

describe('who may do it', () => {
  it('lists every principal with a role that permits it, and members without a login, each with scope and policy', async () => {
    const allowed = (await ask({ action: 'flow_runs.cancel' })).filter((line) => line.allowed);
    expect(allowed.map(({ principal, role, scope }) => [principal, role, scope])).toEqual([
      ['alice@local', 'operator', 'tags=team-a'],
      ['token:ci', 'deployer', null],
      ['token:team', 'operator', 'tags=team-a'],
      ['group:ops@corp', 'operator', 'tags=team-a'],
    ]);
    for (const line of allowed) expect(line).toMatchObject({ with_approval: false, reason: 'policy-permits', policies: expect.arrayContaining([line.role]) });
  });

  it('says for whom a rule holds it until an approval', async () => {
    const lines = (await ask({ action: 'flow_runs.retry' })).filter((line) => line.allowed);
    expect(lines.map(({ principal, with_approval }) => [principal, with_approval])).toEqual([
      ['alice@local', true],
      ['token:ci', false],
      ['token:team', false],
      ['group:ops@corp', true],
    ]);
  });

  it('denies the others, with the reason', async () => {
    const lines = await ask({ action: 'flow_runs.cancel' });
    expect(lines.filter((line) => !line.allowed)).toEqual([
      { principal: 'token:etl', role: null, scope: null, allowed: false, with_approval: false, reason: 'policy-default-deny', policies: [] },
      expect.objectContaining({ principal: '*@corp', allowed: false }),
    ]);
  });

  it('agrees with explain for everybody, whatever the action', async () => {
    for (const action of ['flow_runs.cancel', 'blocks.read_secrets', 'worker.poll', 'flows.read', 'ledger.read', 'variables.write'])
      for (const person of people) {
        const lines = (await ask({ action })).filter(({ principal }) => principal === person.principal.id);
        const { decision, reason } = await explainAction(explainerParts(), person, { action });
        expect([lines.some(({ allowed }) => allowed), lines[0]?.reason], `${person.principal.id} ${action}`).toEqual([decision === 'allow', reason]);
      }
  });

  it('leaves out who is locked or whom an own policy forbids, and names a policy that gives it without a role', async () => {
    const forbid = { freeze: 'forbid (principal, action == Action::"flow_runs.cancel", resource);' };
    expect((await ask({ action: 'flow_runs.cancel' }, forbid)).filter(({ allowed }) => allowed)).toEqual([]);
    const gift = { gift: 'permit (principal == Principal::"token:etl", action == Action::"flow_runs.cancel", resource);' };
    const given = (await ask({ action: 'flow_runs.cancel' }, gift)).filter(({ principal }) => principal === 'token:etl');
    expect(given).toEqual([
      { principal: 'token:etl', role: null, scope: null, allowed: true, with_approval: false, reason: 'policy-permits', policies: ['gift'] },
    ]);
    const [etl] = people.filter(({ principal }) => principal.id === 'token:etl').map((person) => ({ ...person, refusedAs: 'locked' as const }));
    const locked = await access(
      { parts: explainerParts(undefined, gift), config: { roles: [], approvals: [] }, subjects: subjects(etl === undefined ? [] : [etl]) },
      { action: 'flow_runs.cancel' },
    );
    expect(locked).toMatchObject([{ allowed: false, reason: 'locked' }]);
  });

  it('excludes a principal that one role forbids, though another role alone permits', async () => {
    const apart = { apart: 'forbid (principal in Role::"viewer", action == Action::"flow_runs.cancel", resource);' };
    const ofCi = (await ask({ action: 'flow_runs.cancel' }, apart)).filter(({ principal }) => principal === 'token:ci');
    expect(ofCi).toMatchObject([{ allowed: false, role: null, reason: 'policy-forbids', policies: ['apart'] }]);
  });

  it('asks Prefect about the object once, however many are asked about', async () => {
    let asked = 0;
    const lookup = async () => {
      asked += 1;
      return null;
    };
    const id = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
    await access(
      { parts: explainerParts(lookup), config: { roles: [], approvals: [] }, subjects: subjects(people.slice(0, 1)) },
      { action: 'flow_runs.cancel', resource: id },
    );
    const alone = asked;
    asked = 0;
    await access({ parts: explainerParts(lookup), config, subjects: subjects(people, ROLES) }, { action: 'flow_runs.cancel', resource: id });
    expect([alone > 0, asked]).toEqual([true, alone]);
  });

  it('is unknown for those whom only a scope may give it, while Prefect cannot be asked about the object', async () => {
    const lines = await ask({ action: 'flow_runs.cancel', resource: '1b4e28ba-2fa1-41d2-883f-0016d3cca427' });
    expect(lines.map((line) => [line.principal, line.allowed, isUnknown(line)])).toEqual([
      ['alice@local', false, true],
      ['token:ci', true, false],
      ['token:etl', false, false],
      ['token:team', false, true],
      ['group:ops@corp', false, true],
      ['*@corp', false, false],
    ]);
  });

  it('refuses an action that is not there, with the one that was meant', async () => {
    await expect(ask({ action: 'deployments.runn' })).rejects.toThrow('Did you mean deployments.run?');
  });
});
