import { describe, expect, it } from 'vitest';
import type { Principal } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createPartialEngine } from '../policy/partial.ts';
import { loadBuiltInPolicies } from '../policy/policies.ts';
import { replay } from './simulate.ts';
import { createCollector } from './simulation.ts';

const actions = collectActions(OPERATIONS);
const engineOf = (texts: Readonly<Record<string, string>>) => createPartialEngine(actions, { ...loadBuiltInPolicies(), ...texts });
const builtIn = engineOf({});

const bob: Principal = {
  id: 'bob@corp',
  kind: 'user',
  idp: 'corp',
  roles: ['operator'],
  grants: everywhere(['operator']),
  groups: [],
  attributes: {},
  onBehalfOf: [],
};
const dana: Principal = { ...bob, id: 'dana@corp', roles: ['deployer'], grants: everywhere(['deployer']) };
const scoped: Principal = { ...bob, id: 'eve@corp', grants: [{ role: 'operator', scope: { ...NOWHERE, tags: ['team-a'] } }] };

const run: Principal = { ...bob, id: 'run:0199c0de', kind: 'run', idp: null, roles: ['run'], grants: everywhere(['run']) };
const copilot: Principal = { ...bob, id: 'agent:copilot', kind: 'agent', idp: null, onBehalfOf: ['bob@corp'], limitedBy: [bob] };

const RECORD = {
  principal: 'bob@corp',
  action: 'flow_runs.cancel',
  resource_type: 'FlowRun',
  resource_id: 'r1',
  decision: 'allow',
  reason: 'policy-permits',
  revision: 1,
};

/** Against the built-in policies and this one. */
function against(candidate: Readonly<Record<string, string>>, record: Partial<LedgerRecord>, former = builtIn) {
  const whole = { source_ip: '10.0.0.1', path_taken: 'direct', ...RECORD, ...record } as LedgerRecord; // A test names the fields that are read.
  const find = async (id: string) => [bob, dana, scoped, copilot, run].find((known) => known.id === id);
  return replay({ actions, candidate: engineOf(candidate), formerly: () => former, find }, whole);
}

it('says where the ledger begins, if that is later than the time asked for', async () => {
  const from = async (ledgerFrom: string) => (await createCollector({ since: '2026-01-02', ledgerFrom }).whole(async () => [])).ledger_from;
  expect([await from('2026-01-03'), await from('2026-01-01'), await from('')]).toEqual(['2026-01-03', null, null]);
});

describe('a recorded decision', () => {
  it('stays under policies that say nothing else', async () => {
    expect(await against({}, {})).toMatchObject({ verdict: 'same' });
    expect(await against({ f: '@id("f") forbid (principal, action == Action::"flows.delete", resource);' }, {})).toMatchObject({ verdict: 'same' });
  });

  it('of a reader of the records of runs stays, and on the whole ledger is unlike then', async () => {
    const record = { action: 'ledger.read', resource_id: null, path_taken: null } as const;
    expect(await against({}, { ...record, resource_type: 'FlowRun' })).toMatchObject({ verdict: 'same' });
    expect(await against({}, { ...record, principal: 'eve@corp', resource_type: 'FlowRun' })).toMatchObject({ verdict: 'same' });
    expect(await against({}, { ...record, resource_type: 'System' })).toMatchObject({ verdict: 'unlike-then' });
  });

  it('would be a denial, by what forbids it, and only for what it is about', async () => {
    const f = '@id("f") forbid (principal == Principal::"bob@corp", action, resource == FlowRun::"r1") unless { context.address like "10.*" };';
    expect(await against({ f }, {})).toMatchObject({ verdict: 'same' });
    expect(await against({ f }, { source_ip: '192.0.2.1' })).toEqual({ verdict: 'now-denied', policies: ['f'], right: null });
    expect(await against({ f }, { source_ip: '192.0.2.1', resource_id: 'r2' })).toMatchObject({ verdict: 'same' });
  });

  it('of an agent would be a denial by what forbids it to the agent or to its sponsor', async () => {
    const forbidden = (id: string) => ({ f: `@id("f") forbid (principal == Principal::"${id}", action, resource);` });
    const record = { principal: 'agent:copilot' };
    expect(await against(forbidden('agent:copilot'), record)).toMatchObject({ verdict: 'now-denied', policies: ['f'] });
    expect(await against(forbidden('bob@corp'), record)).toMatchObject({ verdict: 'now-denied', policies: ['f'] });
    expect(await against(forbidden('dana@corp'), record)).toMatchObject({ verdict: 'same' });
  });

  it('of an agent would be an allow only where its sponsor is allowed too', async () => {
    const permitted = (...ids: readonly string[]) =>
      Object.fromEntries(ids.map((id, n) => [`p${n}`, `@id("p${n}") permit (principal == Principal::"${id}", action == Action::"flows.delete", resource);`]));
    const record = { principal: 'agent:copilot', action: 'flows.delete', resource_type: 'Flow', decision: 'deny', reason: 'policy-default-deny' } as const;
    expect(await against(permitted('agent:copilot'), record)).toMatchObject({ verdict: 'same' });
    expect(await against(permitted('agent:copilot', 'bob@corp'), record)).toEqual({ verdict: 'now-allowed', policies: ['p0', 'p1'], right: null });
  });

  it('would be an allow where a permit is added', async () => {
    const p = '@id("p") permit (principal, action == Action::"flows.delete", resource);';
    const record = { action: 'flows.delete', resource_type: 'Flow', decision: 'deny', reason: 'policy-default-deny' } as const;
    expect(await against({ p }, record)).toEqual({ verdict: 'now-allowed', policies: ['p'], right: null });
    expect(await against({}, record)).toMatchObject({ verdict: 'same' });
  });

  it('may change where it hangs on what no record carries, and not otherwise', async () => {
    const f = '@id("f") forbid (principal, action, resource) when { context.facts has force && context.facts.force };';
    expect(await against({ f }, {})).toEqual({ verdict: 'may-change', policies: ['f', 'operator'], right: null });
    expect(await against({ f: f.replace('principal, action', 'principal, action == Action::"flows.read"') }, {})).toMatchObject({ verdict: 'same' });
    expect(await against({ f: f.replace('context.facts has force', 'principal.kind == "run" && context.facts has force') }, {})).toMatchObject({
      verdict: 'same',
    });
  });

  it.each([
    'resource has tags && resource.tags.contains("frozen")',
    'resource has deployment && resource.deployment == "etl/frozen-red"',
    '!(resource has tags)',
    '(if resource has tags then resource.tags else ["frozen"]).contains("frozen")',
    'Deployment::"r1" has tags && Deployment::"r1".tags.contains("frozen")',
  ])('may change where a policy looks at the object, of which a record has only the id: %s', async (condition) => {
    const record = { action: 'deployments.run', resource_type: 'Deployment' } as const;
    const forbid = `@id("f") forbid (principal, action == Action::"deployments.run", resource) when { ${condition} };`;
    expect(await against({ f: forbid }, record)).toEqual({ verdict: 'may-change', policies: ['f', 'operator'], right: null });
    expect(await against({ f: forbid }, { ...record, action: 'flow_runs.cancel', resource_type: 'FlowRun' })).toMatchObject({ verdict: 'same' });
    const permit = `@id("p") permit (principal, action == Action::"flows.delete", resource) when { ${condition} };`;
    const denied = { action: 'flows.delete', resource_type: 'Flow', decision: 'deny', reason: 'policy-default-deny' } as const;
    expect(await against({ p: permit }, denied)).toEqual({ verdict: 'may-change', policies: ['p'], right: null });
  });

  it('stays where the former policies look at the object in the same way, and may change where they did not forbid', async () => {
    const record = { action: 'deployments.run', resource_type: 'Deployment' } as const;
    const f = '@id("f") forbid (principal, action == Action::"deployments.run", resource) when { resource has tags && resource.tags.contains("frozen") };';
    expect(await against({ f }, record, engineOf({ f }))).toMatchObject({ verdict: 'same' });
    expect(await against({ f: f.replace('"frozen"', '"closed"') }, record, engineOf({ f }))).toMatchObject({ verdict: 'may-change' });
    expect(await against({}, { ...record, decision: 'deny', reason: 'policy-forbids' }, engineOf({ f }))).toMatchObject({ verdict: 'now-allowed' });
  });

  it('may change where a policy looks at the run that called a service; other principals and other actions have no such attributes', async () => {
    const call = { action: 'services.call', resource_type: 'ServiceRoute', resource_id: 'billing/v1/*', principal: 'run:0199c0de' } as const;
    const denied = { ...call, decision: 'deny', reason: 'policy-default-deny' } as const;
    const p = '@id("p") permit (principal, action == Action::"services.call", resource) when { principal has tags && principal.tags.contains("team-a") };';
    expect(await against({ p }, denied)).toEqual({ verdict: 'may-change', policies: ['p'], right: null });
    expect(await against({ p }, { ...denied, principal: 'bob@corp' })).toMatchObject({ verdict: 'same' });
    expect(await against({ p }, call, engineOf({ p }))).toMatchObject({ verdict: 'same' });
    expect(await against({ p: p.replace('team-a', 'team-b') }, call, engineOf({ p }))).toMatchObject({ verdict: 'may-change', policies: ['p'] });
    expect(await against({ p: p.replace('has tags &&', 'has idp &&') }, denied)).toMatchObject({ verdict: 'same' });
    const other = p.replace('services.call', 'flows.delete');
    expect(await against({ p: other }, { ...denied, action: 'flows.delete', resource_type: 'Flow' })).toMatchObject({ verdict: 'same' });
  });

  it('may change where a policy looks at the values of parameters, which no record has', async () => {
    const list = '["region=\\"eu\\""].containsAll(context.facts.parameter_values)';
    const f = `@id("f") forbid (principal, action == Action::"deployments.run", resource) unless { context.facts has parameter_values && ${list} };`;
    const record = { action: 'deployments.run', resource_type: 'Deployment', path_taken: 'mediated' } as const;
    expect(await against({ f }, record)).toEqual({ verdict: 'may-change', policies: ['f', 'operator'], right: null });
    expect(await against({ f }, {})).toMatchObject({ verdict: 'same' });
    const g = f.replace('"deployments.run"', '"deployments.run.parameters"');
    expect(await against({ f: g }, record)).toEqual({ verdict: 'may-change', policies: ['f', 'operator'], right: 'deployments.run.parameters' });
  });

  it('may change where a schedule may have had parameters', async () => {
    const f = '@id("f") forbid (principal, action == Action::"deployments.run.parameters", resource);';
    for (const action of ['deployments.write', 'deployments.schedule.write']) {
      const record = { principal: 'dana@corp', action, resource_type: 'Deployment', path_taken: 'mediated' } as const;
      expect(await against({ f }, record)).toEqual({ verdict: 'may-change', policies: ['f'], right: 'deployments.run.parameters' });
      expect(await against({}, record)).toMatchObject({ verdict: 'same' });
    }
  });

  it('may change where the body may have asked for a further right that is taken away', async () => {
    const f = '@id("f") forbid (principal, action == Action::"deployments.run.parameters", resource);';
    const record = { action: 'deployments.run', resource_type: 'Deployment', path_taken: 'mediated' } as const;
    expect(await against({ f }, record)).toEqual({ verdict: 'may-change', policies: ['f'], right: 'deployments.run.parameters' });
    expect(await against({}, record)).toMatchObject({ verdict: 'same' });
  });

  it('counts a role of a scope where only that explains what was decided', async () => {
    const f = '@id("f") forbid (principal in Role::"operator", action == Action::"flow_runs.cancel", resource);';
    expect(await against({ f }, { principal: 'eve@corp' })).toMatchObject({ verdict: 'now-denied' });
    expect(await against({}, { principal: 'eve@corp' })).toMatchObject({ verdict: 'same' });
    expect(await against({}, { principal: 'eve@corp', decision: 'deny', reason: 'policy-default-deny' })).toMatchObject({ verdict: 'same' });
  });

  it('is separate when even the old policies decide differently, for an unknown principal, and when no policy decided it', async () => {
    expect(await against({}, { action: 'flows.delete', resource_type: 'Flow' })).toMatchObject({ verdict: 'unlike-then' });
    expect(await against({}, { principal: 'gone@corp' })).toMatchObject({ verdict: 'principal-unknown' });
    expect(await against({}, { decision: 'deny', reason: 'body-invalid' })).toMatchObject({ verdict: 'not-by-policy' });
    expect(await against({}, { principal: null, decision: 'deny', reason: 'credential-missing' })).toMatchObject({ verdict: 'not-by-policy' });
    expect(await against({}, { action: 'config.reload', resource_type: 'Configuration' })).toMatchObject({ verdict: 'not-by-policy' });
  });
});
