// The agents over HTTP, for principals that may read the ledger.
import { expect, it } from 'vitest';
import { INPUT } from '../../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../../contract/roles.ts';
import { anAgent } from '../../../identity/authn/agent/agent.fixture.ts';
import { useOwnApp } from '../own-app.fixture.ts';

const PATH = '/.lictor/api/v1/agents';
const { get, ask, reconfigure } = useOwnApp();

it.each(BUILT_IN_ROLES)('%s', async (role) => {
  const { text } = await get().test.token({ name: role, roles: [role] });
  const answer = await ask(PATH, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
  const may = role === 'auditor' || role === 'admin';
  expect([answer.statusCode, answer.json()]).toMatchObject(may ? [200, { agents: [] }] : [403, { code: 'policy-default-deny' }]);
  expect(get().records).toMatchObject([{ action: 'ledger.read', decision: may ? 'allow' : 'deny', path: PATH, principal: `token:${role}` }]);
});

it('shows until when what an agent read restricts its writes', async () => {
  reconfigure({ config: { agents: [anAgent(), anAgent({ name: 'helper' })] } });
  await get().test.store.taints.mark('agent:copilot');
  const { text } = await get().test.token({ name: 'a', roles: ['auditor'] });
  const answer = await ask(PATH, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
  expect(answer.json().agents).toMatchObject([
    { name: 'copilot', tainted_until: expect.stringMatching(/^20/) },
    { name: 'helper', tainted_until: null },
  ]);
});

it('nobody without a credential', async () => {
  expect((await ask(PATH)).statusCode).toBe(401);
  expect(get().records).toEqual([]);
});
