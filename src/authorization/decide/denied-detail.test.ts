import { describe, expect, it } from 'vitest';
import type { Decision } from '../../contract/decision.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { loadBuiltInPolicies } from '../policy/policies.ts';
import type { Authorization } from './decider.ts';
import { createWithDetail } from './denied-detail.ts';

const withDetail = createWithDetail(sharedEngine({ actions: collectActions(OPERATIONS), revision: 1 }));

function principal(id: string, roles: readonly string[], scoped = false): Principal {
  const grants = scoped ? roles.map((role) => ({ role, scope: { ...NOWHERE, tags: ['zebra'] } })) : everywhere(roles);
  return { id, kind: 'worker', idp: null, roles, grants, groups: [], attributes: {}, onBehalfOf: [] };
}

function denied(who: Principal | null, action: string, { reason = 'policy-default-deny', type = 'Deployment', id = 'hidden-name' } = {}): Authorization {
  const decision: Decision = {
    ...{ effect: 'deny', enforced: 'deny', reason: reason as ReasonCode, action, policies: [], revision: 1 },
    resource: { type: type as Decision['resource']['type'], id },
  };
  return { ok: false, reason: decision.reason, principal: who, credential: null, credentialId: null, decisions: [decision] };
}

function detailOf(authorization: Authorization, method = 'POST', more: { readonly any?: true } = {}): string | undefined {
  const answer = withDetail(authorization, { method, ...more });
  return answer.ok ? undefined : answer.detail;
}

describe('the detail of a refused right', () => {
  it('names principal, role, action, and the smallest role that has it', () => {
    expect(detailOf(denied(principal('token:ci', ['worker']), 'deployments.write'))).toBe(
      'token:ci (worker) may not create deployments (deployments.write); role deployer may.',
    );
  });

  it.each([
    ['flow_runs.cancel', 'FlowRun', 'cancel flow runs', 'operator'],
    ['work_pools.read', 'WorkPool', 'read work pools', 'viewer'],
    ['blocks.schema.install', 'BlockType', 'install block types', 'admin'],
    ['deployments.run.override', 'FlowRun', 'start runs with job_variables, another queue or another state', 'deployer'],
  ])('of %s on a %s', (action, type, words, role) => {
    expect(detailOf(denied(principal('alice@local', []), action, { type }))).toBe(`alice@local (no role) may not ${words} (${action}); role ${role} may.`);
  });

  it('never offers a role that the principal holds everywhere; a role of a scope may be widened', () => {
    expect(detailOf(denied(principal('a', ['deployer']), 'deployments.write'))).toContain('; role admin may.');
    expect(detailOf(denied(principal('a', ['admin', 'deployer']), 'deployments.write'))).toContain('; no built-in role may.');
    expect(detailOf(denied(principal('a', ['deployer'], true), 'deployments.write'))).toContain('; role deployer may.');
  });

  it('of a flow run names no role: the scope of its worker decides, or no run may do it', () => {
    const run = { ...principal('run:0199c0de', ['run'], true), kind: 'run' } as const;
    expect(detailOf(denied(run, 'deployments.write'))).toBe(
      'run:0199c0de (run) may not create deployments (deployments.write); no flow run may, whatever roles its worker and its starter have. The flow can use a service token, or an own policy can permit it. See docs/reference/run-rights.md.',
    );
    expect(detailOf(denied(run, 'variables.write', { type: 'Variable' }))).toMatch(
      /; the roles of its worker do not cover this\. See docs\/reference\/run-rights\.md\.$/,
    );
  });

  it('names the condition of an own policy, and no whole role; not a policy about other principals, other actions or other kinds of objects', () => {
    const own = {
      reruns:
        'permit (principal == Principal::"agent:a", action == Action::"flow_runs.retry", resource) when { resource has state && resource.state == "FAILED" };',
      one: 'permit (principal == Principal::"agent:a", action == Action::"deployments.run", resource == Deployment::"d");',
      billing: 'permit (principal in Role::"run", action == Action::"services.call", resource in Service::"billing") when { principal has tags };',
      corp: 'permit (principal, action == Action::"flow_runs.cancel", resource) when { principal has idp && principal.idp == "corp" };',
    };
    const withOwn = createWithDetail(sharedEngine({ actions: collectActions(OPERATIONS), revision: 1, policies: { ...loadBuiltInPolicies(), ...own } }));
    const ask = (...asked: Parameters<typeof denied>) => {
      const answer = withOwn(denied(...asked), { method: 'POST' });
      return answer.ok ? undefined : answer.detail?.split('; ')[1];
    };
    const elsewhere = 'an own policy permits it only on other objects or under other conditions.';
    const agent = principal('agent:a', ['viewer']);
    const run = { ...principal('run:0199c0de', ['run'], true), kind: 'run' } as const;
    expect(ask(agent, 'flow_runs.retry', { type: 'FlowRun' })).toBe(elsewhere);
    expect(ask(principal('agent:b', ['viewer']), 'flow_runs.retry', { type: 'FlowRun' })).toBe('role operator may.');
    expect(ask(agent, 'flow_runs.pause', { type: 'FlowRun' })).toBe('role operator may.');
    expect(ask(agent, 'deployments.run')).toBe(elsewhere);
    expect(ask(agent, 'deployments.run', { type: 'FlowRun' })).toBe('no built-in role may.');
    expect(ask(run, 'services.call', { type: 'ServiceRoute', id: 'billing/v1/*' })).toBe(elsewhere);
    expect(ask(run, 'deployments.write')).toMatch(/^no flow run may/);
    // Nothing but the person decides here: no other object would be permitted.
    expect(ask(agent, 'flow_runs.cancel', { type: 'FlowRun' })).toBe('role operator may.');
  });

  it('before the body is read says what a smaller role may do of it', () => {
    const route = denied(principal('carol@local', ['viewer']), 'flow_runs.set_state', { type: 'FlowRun' });
    const cancel = denied(principal('carol@local', ['viewer']), 'flow_runs.cancel', { type: 'FlowRun' });
    const both = { ...route, decisions: [...route.decisions, ...cancel.decisions] };
    expect(detailOf(both, 'POST', { any: true })).toBe(
      'carol@local (viewer) may not set the state of flow runs (flow_runs.set_state); role deployer may, and role operator may cancel flow runs.',
    );
    expect(detailOf(both)).toMatch(/; role deployer may\.$/);
  });

  it('of another reason says that reason', () => {
    expect(detailOf(denied(principal('a', ['deployer'], true), 'deployments.write', { reason: 'scope-excludes' }), 'PATCH')).toBe(
      'a (deployer) may not change deployments (deployments.write). The scope of the role does not cover this object, or the object after the change.',
    );
    expect(detailOf(denied(principal('a', ['admin']), 'flows.delete', { reason: 'policy-forbids' }))).toMatch(/\(flows\.delete\)\. A policy forbids this\.$/);
  });

  it('names no object, and says nothing of one that is foreign', () => {
    const who = principal('a', ['deployer'], true);
    for (const reason of ['scope-excludes', 'policy-default-deny', 'policy-forbids', 'run-bound'])
      expect(detailOf(denied(who, 'deployments.write', { reason }))).not.toMatch(/hidden-name|zebra/);
    expect(detailOf(denied(who, 'deployments.read', { reason: 'object-foreign' }))).toBeUndefined();
  });

  it('is left out without authentication, and without a right', () => {
    expect(detailOf(denied(null, 'deployments.write'))).toBeUndefined();
    const refused = denied(principal('a', ['viewer']), 'deployments.write');
    expect(detailOf({ ...refused, decisions: [] })).toBeUndefined();
    expect(detailOf(refused.ok ? refused : { ...refused, reason: 'route-denied' })).toBeUndefined();
  });

  it.each(['a"b', 'a\\b', 'a\r\nset-cookie: x=1', '<script>alert(1)</script>', 'a&lt;', 'josé@corp', '$lictor_code', '100%', '\ud800', 'x'.repeat(4000)])(
    'of the name %j fits a header, a JSON string, HTML text and nginx as it is',
    (id) => {
      const detail = detailOf(denied(principal(id, [id]), 'deployments.write')) ?? '';
      expect(detail).toMatch(/^[\x20-\x7e]+$/);
      expect(detail).not.toMatch(/["\\<>&$]/);
      expect(JSON.parse(`"${detail}"`)).toBe(detail);
      expect(detail).toContain(' may not create deployments (deployments.write); role deployer may.');
    },
  );
});
