// Rights that nobody used, from the requests of a period.
import { expect, it } from 'vitest';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { createRoleActions } from '../policy/role-actions.ts';
import { subjectsOf } from './access.ts';
import { principalParts, token } from './bench.fixture.ts';
import { findPrincipal } from './principal.ts';
import { unusedRights } from './unused.ts';

const actions = collectActions(OPERATIONS);
const roles = createRoleActions(sharedEngine({ actions, revision: 7 }), actions);
const parts = principalParts([token('ci', { roles: ['admin'] }), token('idle', { roles: ['viewer'] }), token('gone', { roles: ['admin'], revokedMs: 1 })]);
const subjects = subjectsOf({ roles: [] }, ['token:ci', 'token:gone', 'token:idle'], (id) => findPrincipal(id, parts));

it('compares each role with the actions that its principal used, and leaves out who can make no request', async () => {
  const use = (action: string, last: string) => ({ principal: 'token:ci', action, requests: 2, last });
  const lines = await unusedRights(subjects, [use('flows.read', '2026-03-02'), use('flow_runs.read', '2026-03-01')], roles);
  expect(lines).toMatchObject([
    { principal: 'token:ci', role: 'admin', requests: 4, last_request: '2026-03-02', used: ['flow_runs.read', 'flows.read'], would_suffice: 'viewer' },
    { principal: 'token:ci', role: 'operator', used: ['flow_runs.read', 'flows.read'] },
    { principal: 'token:idle', role: 'viewer', requests: 0, last_request: null, used: [], would_suffice: null },
  ]);
  expect(lines[0]?.unused_groups).toContain('admin');
});
