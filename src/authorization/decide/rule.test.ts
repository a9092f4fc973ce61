import { expect, it } from 'vitest';
import { type Grant, NOWHERE } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { rule } from './rule.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const GRANTS: readonly Grant[] = [
  { role: 'operator', scope: null },
  { role: 'viewer', scope: { ...NOWHERE, tags: ['team-a'] } },
];

/** Prefect has no object at all. */
async function reasonFor(readsAttributes: boolean): Promise<string> {
  const engine = sharedEngine({ actions: collectActions(createCatalogue().operations), revision: 1 });
  const entities = createEntities({ lookup: async () => null, lasting: async () => null, makerOf: async () => null });
  const principal = {
    id: 'bob@corp',
    kind: 'user',
    idp: 'corp',
    roles: ['operator', 'viewer'],
    grants: GRANTS,
    groups: [],
    attributes: {},
    onBehalfOf: [],
  } as const;
  const ask = { action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: RUN }, inPath: { screened: false } } as const;
  const context = { address: '192.0.2.7', carrier: 'authorization', facts: {} };
  const { decision } = await rule({ policy: { ...engine, readsAttributes }, entities }, { principal, ask, context });
  return `${decision.enforced} ${decision.reason}`;
}

it('an absent object is foreign if a policy reads attributes, because its decision is unknown', async () => {
  expect(await reasonFor(true)).toBe('deny object-foreign');
});

it('twin: without such a policy the role on everything decides', async () => {
  expect(await reasonFor(false)).toBe('allow policy-permits');
});
