// For the tests: an explainer on the built-in policies, and a store in memory of names.

import type { Lock } from '../../contract/lock.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { StoredIdentity } from '../../store/identities.ts';
import type { StoredToken } from '../../store/tokens.ts';
import type { Lookup } from '../mediate/handler.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { loadBuiltInPolicies, type PolicyTexts } from '../policy/policies.ts';
import { loadPolicySources } from '../policy/sources.ts';
import type { ExplainerParts } from './explainer.ts';
import { findPrincipal, type PrincipalParts, type ResolvedPrincipal } from './principal.ts';

export const NOW_MS = 1_000_000;

const catalogue = createCatalogue();
const actions = collectActions(catalogue.operations);
const builtIn = sharedEngine({ actions, revision: 7 });

/** Without `lookup`: Prefect cannot be reached. */
/** `own`: policies besides the built-in ones. */
export function explainerParts(lookup: Lookup = unreachable, own?: PolicyTexts): ExplainerParts {
  const policy = own === undefined ? builtIn : sharedEngine({ actions, revision: 7, policies: { ...loadBuiltInPolicies(), ...own } });
  const publicUrl = { origin: 'https://prefect.example.com', basePath: '' };
  return {
    catalogue,
    actions,
    policy,
    sources: loadPolicySources(),
    publicUrl,
    services: [],
    forwardHosts: null,
    lookup,
    makerOf: async () => null,
    revision: 7,
  };
}

async function unreachable(): Promise<never> {
  throw new UpstreamError('upstream-unavailable', { forwarded: false });
}

export function token(name: string, more: Partial<StoredToken> = {}): StoredToken {
  const secrets = [{ hash: 'x', createdMs: 0, expiresMs: null, lastUsedMs: null, lastUsedFrom: null }];
  return {
    id: name,
    name,
    roles: ['run'],
    scope: null,
    cidrs: [],
    createdMs: 0,
    lifetimeMs: null,
    revokedMs: null,
    lastUsedMs: null,
    lastUsedFrom: null,
    heldMs: null,
    secrets,
    ...more,
  };
}

/** Accounts alice (viewer) and bob (no role of his own); tokens as given. */
export function principalParts(tokens: readonly StoredToken[] = [], locks: readonly Lock[] = [], identities: readonly StoredIdentity[] = []): PrincipalParts {
  const accounts = [account('alice', ['viewer']), account('bob', [])];
  const never = async (): Promise<never> => {
    throw new Error('explain changes nothing');
  };
  const store = {
    tokens: {
      create: never,
      byId: never,
      byFormerSecret: never,
      byName: never,
      rotate: never,
      confirm: never,
      revoke: never,
      touch: never,
      list: async () => tokens,
    },
    accounts: {
      create: never,
      confirm: never,
      setPassword: never,
      remove: never,
      byName: async (name: string) => accounts.find((known) => known.name === name),
      list: async () => accounts,
    },
    locks: { put: never, remove: never, heldOn: never, list: async () => locks },
    identities: {
      put: never,
      isKnown: never,
      setRefused: never,
      provisioned: async () => undefined,
      standingOf: never,
      byId: never,
      forget: never,
      namesOf: never,
      page: never,
      groupSets: never,
      byName: async (idp: string, name: string) => identities.find((known) => known.idp === idp && known.name === name),
      list: async () => identities,
    },
    accessTokens: { create: never, byId: never, revoke: never, revokeOf: never, live: async () => [] },
  };
  const roles = [
    { role: 'operator', members: ['user:bob@local', 'token:ci'], scope: null },
    { role: 'viewer', members: ['*@local'], scope: null },
    { role: 'admin', members: ['group:platform@corp', 'claim:email=*@example.com@corp'], scope: null },
  ];
  return { config: { identityProviders: [{ id: 'local', type: 'accounts' }], roles, agents: [] }, store: async () => store, nowMs: NOW_MS };
}

function account(name: string, roles: readonly string[]) {
  return { id: name, name, roles, scope: null, password: '', createdMs: 0, expiresMs: null, loginMs: null, heldMs: null };
}

export function role(name: string): Promise<ResolvedPrincipal> {
  return findPrincipal(`role:${name}`, { ...principalParts(), store: () => Promise.reject(new Error('no store is needed')) });
}
