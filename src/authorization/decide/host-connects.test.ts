import { describe, expect, it } from 'vitest';
import type { ClientScope } from '../../contract/client-scopes.ts';
import { readAuthority } from '../../contract/destination.ts';
import { bareEntity } from '../../contract/entity.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Carrier, PrincipalKind } from '../../contract/principal.ts';
import { everywhere } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { loadBuiltInPolicies, namePolicies } from '../policy/policies.ts';
import { createHostConnects } from './host-connects.ts';

const POLICIES = `
@id("nightly") permit (principal in Role::"run", action == Action::"services.connect", resource == Host::"api.example.com")
  when { principal has deployment && principal.deployment == "nightly/prod" };
@id("not-alice") forbid (principal, action == Action::"services.connect", resource) when { principal has initiators && principal.initiators.contains("alice@local") };
@id("only-tls") forbid (principal, action, resource == Host::"tls.example.com") when { context.facts has port && context.facts.port != 443 };
`;
const policy = createPolicyEngine({
  actions: collectActions(OPERATIONS),
  revision: 1,
  policies: { ...loadBuiltInPolicies(), ...Object.fromEntries(namePolicies(POLICIES, 'test')) },
});
const INPUTS: EdgeInputs = {
  ...{ requestId: 'r', host: '', listener: 'forward-proxy', address: '10.0.0.1', authorization: 'x', token: '', session: '', certificate: '' },
  ...{ sameOrigin: false, method: 'CONNECT', operation: '', path: '', args: '' },
};

interface Setting {
  readonly roles?: readonly string[];
  readonly deployment?: string;
  readonly onBehalfOf?: readonly string[];
  readonly carrier?: Carrier;
  readonly scopes?: readonly ClientScope[];
  readonly allow?: readonly string[] | null;
  readonly kind?: PrincipalKind;
  /** Actions that need an approval. */
  readonly holds?: readonly string[];
}

async function decide(
  target: string,
  { roles = ['run'], deployment = 'nightly/prod', onBehalfOf = [], carrier = 'authorization', scopes, allow, kind = 'run', holds = [] }: Setting = {},
) {
  const principal = {
    id: 'run:1',
    kind,
    idp: null,
    roles,
    grants: everywhere(roles),
    groups: [],
    attributes: { flow_run_id: '1' },
    onBehalfOf,
  } as const;
  const credential = { id: 'c', carrier, expiresAtMs: null, sessionId: null, alsoPresented: [], ...(scopes !== undefined && { scopes }) };
  const connects = createHostConnects({
    authenticator: { authenticate: async () => ({ ok: true, principal, credential }) },
    policy,
    entities: { find: async () => bareEntity('FlowRun', { id: '1', deployment }) },
    allow: allow === undefined ? ['*.example.com'] : allow,
    changeNumber: async () => 1,
    needsApproval: (_principal, action) => holds.includes(action),
  });
  const answer = await connects.authorize(INPUTS, readAuthority(target));
  return answer.ok ? 'allow' : answer.reason;
}

describe('a connection to a host', () => {
  it('is for whom a policy permits it', async () => {
    expect(await decide('api.example.com:443')).toBe('allow');
    expect(await decide('API.example.com.:443')).toBe('allow');
    expect(await decide('api.example.com:443', { deployment: 'other/prod' })).toBe('policy-default-deny');
    expect(await decide('other.example.com:443')).toBe('policy-default-deny');
    expect(await decide('api.example.com:443', { onBehalfOf: ['alice@local'] })).toBe('policy-forbids');
  });

  it('is an administrator, and no other role, without one', async () => {
    expect(await decide('other.example.com:443', { roles: ['admin'] })).toBe('allow');
    for (const role of ['viewer', 'operator', 'deployer', 'worker', 'run'])
      expect(await decide('other.example.com:443', { roles: [role] })).toBe('policy-default-deny');
  });

  it('is none for an agent, whatever its role', async () => {
    expect(await decide('other.example.com:443', { roles: ['admin'], kind: 'agent' })).toBe('egress-unchecked');
    expect(await decide('other.example.com:443', { roles: ['admin'], kind: 'user' })).toBe('allow');
  });

  it('permits only listed hosts, for any principal', async () => {
    expect(await decide('evil.test:443', { roles: ['admin'] })).toBe('host-unlisted');
    expect(await decide('api.example.com:443', { allow: null })).toBe('host-unlisted');
    expect(await decide('10.0.0.1:443', { roles: ['admin'] })).toBe('host-literal');
    expect(await decide('api.example.com:22', { roles: ['admin'] })).toBe('host-port');
  });

  it('is none where it would have to wait for an approval', async () => {
    expect(await decide('api.example.com:443', { holds: ['services.connect'] })).toBe('approval-impossible');
    expect(await decide('api.example.com:443', { holds: ['services.call'] })).toBe('allow');
  });

  it('is none for a session, nor for a client that was not given it', async () => {
    expect(await decide('api.example.com:443', { carrier: 'session' })).toBe('session-not-accepted');
    expect(await decide('api.example.com:443', { scopes: ['prefect:read'] })).toBe('scope-missing');
    expect(await decide('api.example.com:443', { scopes: ['prefect:run'] })).toBe('allow');
  });
});
