// Who is listed with which rights, where the name that somebody has at a provider looks like something else.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../authn/store.fixture.ts';
import { collectActions } from '../catalog/actions.ts';
import { OPERATIONS } from '../catalog/catalogue.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { gatherPrincipals } from './principals.ts';
import { createRoleActions } from './role-actions.ts';
import { createUsage } from './usage.ts';

let home: TestStore;
beforeEach(async () => {
  home = await openTestStore();
});
afterEach(() => home.close());

const read = (principal: string, idp: string | null) =>
  ({ time: '2026-03-01T12:00:00.000Z', request_id: 'r', principal, idp, decision: 'allow', action: 'flows.read', policies: [] }) as unknown as LedgerRecord;

it('shows people who are called like a token, a role or a user of this machine with their roles, and no user of this machine', async () => {
  const names = ['token:x', 'role:viewer', 'local:root'];
  for (const name of names) await home.store.identities.put({ idp: 'corp', subject: name, name, kind: 'user', groups: ['platform'], claims: {} }, 'its word');
  const usage = createUsage();
  usage.add(read('local:root', null));
  usage.add(read('local:gone@corp', 'corp'));
  const actions = collectActions(OPERATIONS);
  const rows = await gatherPrincipals({
    config: { identityProviders: [{ id: 'corp', type: 'oidc' }] as never, roles: [{ role: 'admin', members: ['group:platform@corp'], scope: null }] },
    store: home.store,
    usage: usage.whole(),
    roles: createRoleActions(sharedEngine({ actions, revision: 0 }), actions),
    nowMs: home.clock(),
  });
  expect(rows.map(({ id, status, roles }) => [id, status, roles.map(({ role }) => role)])).toEqual([
    ['local:gone@corp', 'unknown', []],
    ['local:root@corp', 'live', ['admin']],
    ['role:viewer@corp', 'live', ['admin']],
    ['token:x@corp', 'live', ['admin']],
  ]);
});
