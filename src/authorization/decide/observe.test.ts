import { expect, it } from 'vitest';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { anEdgeInput } from '../../identity/authn/inputs.fixture.ts';
import type { Authorization } from './decider.ts';
import { observe } from './observe.ts';

const principal: Principal = { id: 'token:etl', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] };
const credential = { id: 'c1', carrier: 'authorization', expiresAtMs: 5, sessionId: null, alsoPresented: [] } as const;
const observation = { until: async () => 10, concerns: () => true, sharedCaller: async () => undefined };
const asked = { inputs: anEdgeInput({}), principal, credential, groups: ['read'], any: false } as const;
const denied = (reason: ReasonCode): Authorization => ({ ok: false, reason, principal, credential, credentialId: 'c1', decisions: [] });

it('lets through what only the policies deny, and the credential ends as soon as before', async () => {
  expect(await observe(observation, asked, denied('policy-forbids'))).toMatchObject({ ok: true, credential: { expiresAtMs: 5 }, instead: { ok: false } });
});

it.each([
  ['all of several actions', ['read', 'configure'], false, false],
  ['all of them, where all are observed', ['read', 'read'], false, true],
  ['one of alternative actions', ['read', 'configure'], true, true],
  ['an unknown action', [undefined], false, false],
] as const)('asks, for a request that needs %s, which groups are observed', async (_what, groups, any, passes) => {
  const reads = { ...observation, concerns: (group?: string) => group === 'read' };
  expect((await observe(reads, { ...asked, groups, any }, denied('policy-forbids'))).ok).toBe(passes);
});

it.each(['parameters-unreadable', 'scope-missing', 'gateway-unavailable'] as const)('twin: a denial by %s stays', async (reason) => {
  expect(await observe(observation, asked, denied(reason))).toEqual(denied(reason));
});
