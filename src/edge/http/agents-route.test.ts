// The agents over HTTP, for principals that may read the ledger.
import { expect, it } from 'vitest';
import { INPUT } from '../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { useOwnApp } from './own-app.fixture.ts';

const PATH = '/.lictor/api/v1/agents';
const { get, ask } = useOwnApp();

it.each(BUILT_IN_ROLES)('%s', async (role) => {
  const { text } = await get().test.token({ name: role, roles: [role] });
  const answer = await ask(PATH, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
  const may = role === 'auditor' || role === 'admin';
  expect([answer.statusCode, answer.json()]).toMatchObject(may ? [200, { agents: [] }] : [403, { code: 'policy-default-deny' }]);
  expect(get().records).toMatchObject([{ action: 'ledger.read', decision: may ? 'allow' : 'deny', path: PATH, principal: `token:${role}` }]);
});

it('nobody without a credential', async () => {
  expect((await ask(PATH)).statusCode).toBe(401);
  expect(get().records).toEqual([]);
});
