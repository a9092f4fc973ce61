// A group of a provider as the principal of explain: what lictor.yaml gives before anyone of it has logged in.
import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../config/config.ts';
import { NOWHERE } from '../../contract/scope.ts';
import { explainAction } from './action.ts';
import { explainerParts, principalParts } from './bench.fixture.ts';
import { groupPrincipal, isGroup } from './group.ts';
import { findPrincipal, withLock } from './principal.ts';
import { explainRequest } from './request.ts';

const corp: IdentityProvider = {
  ...{ id: 'corp', type: 'oidc', issuer: 'https://idp.example.com', clientId: 'lictor', clientSecret: null },
  ...{ scopes: ['openid'], groupsClaim: 'groups', caFile: null },
};
const TEAM_B = { ...NOWHERE, tags: ['team-b'] };
const config = {
  agents: [],
  identityProviders: [{ id: 'local', type: 'accounts' }, corp] as const,
  roles: [
    { role: 'operator', members: ['group:team-b@corp'], scope: TEAM_B },
    { role: 'admin', members: ['group:platform@corp', 'user:group:team-c@corp'], scope: null },
    { role: 'auditor', members: ['*@corp'], scope: null },
  ],
};
const parts = explainerParts();

describe('a group of a provider', () => {
  it('has the roles of a person with exactly this group', async () => {
    const dana = { id: '1', idp: 'corp', subject: 'sub-1', name: 'dana', kind: 'user', createdMs: 0, seenMs: 0, groups: ['team-b'], claims: {} } as const;
    const person = await findPrincipal('dana@corp', { ...principalParts([], [], [dana]), config });
    const group = groupPrincipal('group:team-b@corp', config);
    expect(group.principal).toMatchObject({ kind: 'user', idp: 'corp', groups: ['team-b'], grants: person.principal.grants });
    expect(group.roles).toEqual(person.roles);
    for (const action of ['flow_runs.cancel', 'blocks.read_secrets', 'ledger.read']) {
      const { decision, reason, asks } = await explainAction(parts, person, { action });
      expect(await explainAction(parts, group, { action }), action).toMatchObject({ decision, reason, asks });
    }
  });

  it('has no other role, and says so of a group that lictor.yaml does not name', async () => {
    const other = groupPrincipal('group:team-bb@corp', config);
    expect(other.principal.roles).toEqual(['auditor']);
    expect(other.notes[1]).toBe('lictor.yaml gives group:team-bb@corp no role. Did you mean group:team-b@corp?');
    expect(await explainAction(parts, other, { action: 'flow_runs.cancel' })).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    expect(groupPrincipal('group:platform@corp', config).principal.roles).toEqual(['admin', 'auditor']);
  });

  it('is denied while its provider is locked', async () => {
    const lock = { kind: 'idp', value: 'corp', ofAccounts: false, by: 'local:root', why: '', createdMs: 0, expiresMs: null } as const;
    const found = await withLock(groupPrincipal('group:team-b@corp', config), { locks: { list: async () => [lock] }, config });
    expect(await explainAction(parts, found, { action: 'flow_runs.cancel' })).toMatchObject({ decision: 'deny', reason: 'locked' });
  });

  it.each(['group:team-b@corpp', 'group:team-b@local', 'group:team-b@'])('of %s does not exist: no provider proves it', (text) => {
    expect(isGroup(text) ? () => groupPrincipal(text, config) : () => expect.fail('not a group')).toThrow(isGroup(text) ? 'with groups' : 'not a group');
  });

  it('of a person before the first login is what an unknown person is advised to ask for', async () => {
    const sources = { ...principalParts(), config };
    await expect(findPrincipal('bob@corp', sources)).rejects.toThrow('Before it, ask for a group: group:NAME@corp.');
    await expect(findPrincipal('eve@local', sources)).rejects.not.toThrow('first login');
  });
});

it('explain --request names the scopes that a list is narrowed to, and none for a role on everything', async () => {
  const line = 'POST /api/flow_runs/filter';
  const narrow = await explainRequest(parts, groupPrincipal('group:team-b@corp', { ...config, roles: config.roles.slice(0, 1) }), { line });
  expect(narrow).toMatchObject({ decision: 'allow', asks: [{ action: 'flow_runs.read', narrowed_to: ['tags=team-b'] }] });
  const whole = await explainRequest(parts, groupPrincipal('group:platform@corp', config), { line });
  expect(whole).toMatchObject({ decision: 'allow', asks: [{ action: 'flow_runs.read', narrowed_to: null }] });
});
