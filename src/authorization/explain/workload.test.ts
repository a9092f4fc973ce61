// Workloads are explained by their name, and by a live token of theirs where there is one.
import { expect, it } from 'vitest';
import { createRoleBook } from '../../identity/authn/roles.ts';
import { isWorkloadProvider, workloadPrincipal } from './workload.ts';

const ROLES = [
  { role: 'viewer', members: ['*@ci'], scope: null },
  { role: 'deployer', members: ['claim:repository=acme/*@ci', 'claim:repository=acme/*@other'], scope: null },
  { role: 'worker', members: ['arn:aws:iam::123456789012:role/etl@aws'], scope: null },
  { role: 'worker', members: ['user:spiffe://acme/worker@pki'], scope: null },
  { role: 'operator', members: ['claim:account=123456789012@aws'], scope: null },
];
const PROVIDERS = [{ id: 'pki', type: 'mtls', principalFrom: 'san_uri' }] as const;
const IDENTITY = { idp: 'ci', subject: 'repo:acme/etl', name: 'repo:acme/etl', kind: 'service', groups: [], claims: { repository: 'acme/etl' } } as const;
const PROVEN = { identity: IDENTITY, trust: 't', proof: 'jwt:1' };
const TOKEN = { id: 'abc', hash: 'h', audience: null, chain: null, ...PROVEN, createdMs: 0, expiresMs: 1000, revokedMs: null };

it('with a live token: by its claims, and agrees with the role book', async () => {
  const found = await workloadPrincipal({ name: 'repo:acme/etl', idp: 'ci' }, { live: async () => [TOKEN] }, { roles: ROLES, identityProviders: PROVIDERS });
  expect(found.roles).toEqual([
    { role: 'deployer', scope: null, from: ['lictor.yaml roles[1]: claim:repository=acme/*@ci'] },
    { role: 'viewer', scope: null, from: ['lictor.yaml roles[0]: *@ci'] },
  ]);
  expect(found.principal.grants).toEqual(createRoleBook(ROLES).ofIdentity(IDENTITY));
  expect(found).toMatchObject({ principal: { id: 'repo:acme/etl@ci', idp: 'ci', kind: 'service' }, refusedAs: null, notes: [expect.stringContaining('abc')] });
});

it('without one: by the name alone, and says so', async () => {
  const nobody = { live: async () => [{ ...TOKEN, identity: { ...IDENTITY, name: 'repo:acme/other' } }] };
  const found = await workloadPrincipal({ name: 'repo:acme/etl', idp: 'ci' }, nobody, { roles: ROLES, identityProviders: PROVIDERS });
  expect(found.principal.roles).toEqual(['viewer']);
  expect(found.notes).toEqual([expect.stringContaining('not counted')]);
});

it('of AWS: the account is in the name', async () => {
  const found = await workloadPrincipal(
    { name: 'arn:aws:iam::123456789012:role/etl', idp: 'aws' },
    { live: async () => [] },
    { roles: ROLES, identityProviders: PROVIDERS },
  );
  expect(found.principal.roles).toEqual(['operator', 'worker']);
});

it('of a certificate: the name is all', async () => {
  const found = await workloadPrincipal({ name: 'spiffe://acme/worker', idp: 'pki' }, { live: async () => [] }, { roles: ROLES, identityProviders: PROVIDERS });
  expect(found).toMatchObject({
    principal: { id: 'spiffe://acme/worker@pki', idp: 'pki', roles: ['worker'] },
    notes: [expect.stringContaining('certificate')],
  });
  const other = await workloadPrincipal({ name: 'spiffe://acme/other', idp: 'pki' }, { live: async () => [] }, { roles: ROLES, identityProviders: PROVIDERS });
  expect(other.principal.roles).toEqual([]);
});

it('differ from accounts by their provider', () => {
  const identityProviders = [{ id: 'local', type: 'accounts' } as const];
  expect(isWorkloadProvider('local', { identityProviders })).toBe(false);
  expect(isWorkloadProvider('ci', { identityProviders })).toBe(false);
  expect(isWorkloadProvider('pki', { identityProviders: PROVIDERS })).toBe(true);
});
