// Agents in explain and access: their own roles, the rights of the sponsor, and why one is refused.
import { expect, it } from 'vitest';
import { anAgent } from '../../identity/authn/agent/agent.fixture.ts';
import { access, subjectsOf } from './access.ts';
import { explainAction } from './action.ts';
import { explainerParts, principalParts, token } from './bench.fixture.ts';
import { findPrincipal, knownIds, type PrincipalParts } from './principal.ts';

const COPILOT = anAgent({ grants: [{ role: 'operator', scope: null }] });
const AGENTS = [COPILOT, anAgent({ name: 'helper', sponsor: { name: 'bob', idp: 'local' }, credential: { kind: 'client', id: 'desktop' } })];

function partsWith(...given: Parameters<typeof principalParts>): PrincipalParts {
  const parts = principalParts(...given);
  return { ...parts, config: { ...parts.config, agents: AGENTS } };
}

it.each(['agent:copilot', 'token:copilot'])('%s is the agent with its roles, bounded by its sponsor', async (text) => {
  const found = await findPrincipal(text, partsWith([token('copilot', { roles: ['admin'] })]));
  expect(found).toMatchObject({
    principal: { id: 'agent:copilot', kind: 'agent', roles: ['operator'], onBehalfOf: ['alice@local'], limitedBy: [{ id: 'alice@local', roles: ['viewer'] }] },
    roles: [{ role: 'operator', scope: null, from: ['lictor.yaml agents[0]'] }],
    refusedAs: null,
  });
  expect(found.notes[0]).toContain('acts for its sponsor alice@local');
});

it('an agent without a service token is known too, and one that lictor.yaml does not have is not', async () => {
  expect(await findPrincipal('agent:helper', partsWith())).toMatchObject({ principal: { id: 'agent:helper', onBehalfOf: ['bob@local'] }, refusedAs: null });
  await expect(findPrincipal('agent:copylot', partsWith())).rejects.toThrow('Did you mean agent:copilot?');
});

it('is refused as the gateway refuses it: by its token, by a lock on token, agent or sponsor, and without its sponsor', async () => {
  expect((await findPrincipal('agent:copilot', partsWith([token('copilot', { revokedMs: 1 })]))).refusedAs).toBe('credential-revoked');
  for (const value of ['token:copilot', 'agent:copilot', 'alice@local']) {
    const lock = { kind: 'principal', value, ofAccounts: false, why: '', by: 'x', createdMs: 0, expiresMs: null } as const;
    expect((await findPrincipal('agent:copilot', partsWith([token('copilot')], [lock]))).refusedAs).toBe('locked');
  }
  const parts = partsWith();
  const agents = [anAgent({ sponsor: { name: 'gone', idp: 'local' } })];
  expect(await findPrincipal('agent:copilot', { ...parts, config: { ...parts.config, agents } })).toMatchObject({
    refusedAs: 'agent-sponsor-ended',
    principal: { grants: [] },
    notes: [expect.stringContaining('gone@local'), 'It is refused: gone@local has no account, or it has expired.'],
  });
});

it('may do only what its sponsor may too', async () => {
  const found = await findPrincipal('agent:copilot', partsWith());
  expect(await explainAction(explainerParts(), found, { action: 'deployments.read' })).toMatchObject({ decision: 'allow' });
  expect(await explainAction(explainerParts(), found, { action: 'deployments.run' })).toMatchObject({ decision: 'deny' });
});

it('stands once in the list of those who may, with its role', async () => {
  const parts = partsWith([token('copilot')]);
  const ids = await knownIds(await parts.store(), parts);
  expect(ids).toEqual(['alice@local', 'bob@local', 'agent:copilot', 'agent:helper']);
  const subjects = subjectsOf({ roles: [] }, ids, (id) => findPrincipal(id, parts));
  const lines = await access({ parts: explainerParts(), config: { roles: [], approvals: [] }, subjects }, { action: 'deployments.run' });
  expect(lines.filter(({ allowed }) => allowed).map(({ principal, role }) => [principal, role])).toEqual([
    ['bob@local', 'operator'],
    ['agent:helper', 'agent'],
  ]);
});
