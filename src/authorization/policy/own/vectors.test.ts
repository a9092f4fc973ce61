import { describe, expect, it } from 'vitest';
import { docsBlock } from '../../../../test/env/docs.ts';
import { type Problem, renderProblem } from '../../../config/problem.ts';
import { collectActions } from '../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { checkPolicyFiles } from './check.ts';
import { runVectors } from './run-vectors.ts';

const actions = collectActions(OPERATIONS);
const POLICIES = `
@id("no-override") forbid (principal, action == Action::"deployments.run.override", resource == Deployment::"d1")
when { principal has idp && principal.idp == "corp" && context.facts has job_variables && context.facts.job_variables };
`;

function run(yaml: string) {
  return runVectors(actions, checkPolicyFiles(actions, { 'own.cedar': POLICIES, 'own.vectors.yaml': yaml }).policies);
}

const OVERRIDE = `
    action: deployments.run.override
    resource: { type: Deployment, id: d1 }
    context: { facts: { job_variables: true } }`;

describe('decision vectors', () => {
  it('pass when the decision and its policies are as expected', () => {
    const yaml = `vectors:
  - name: no override from corp
    principal: { id: dana@corp, idp: corp, roles: [deployer] }${OVERRIDE}
    expect: deny
    policies: [no-override]
  - name: others may
    principal: { roles: [deployer] }${OVERRIDE}
    expect: allow
  - name: a viewer reads flows
    principal: { kind: service, roles: [viewer] }
    action: flows.read
    expect: allow
    policies: [viewer]
  - name: and nothing else
    principal: { roles: [viewer] }
    action: flows.delete
    expect: deny
    policies: []
`;
    const { outcomes, ...results } = run(yaml);
    expect(results).toEqual({ problems: [], count: 4 });
    expect(outcomes.map(({ line, name, problem }) => [line, name, problem])).toEqual([
      [2, 'no override from corp', null],
      [9, 'others may', null],
      [15, 'a viewer reads flows', null],
      [20, 'and nothing else', null],
    ]);
    const turned = run(yaml.replace('expect: allow\n    policies', 'expect: deny\n    policies'));
    expect(turned.outcomes.map(({ problem }) => problem)).toEqual([null, null, 'expected deny by viewer, and it is allow by viewer', null]);
  });

  it('say what a run is that calls a service, as docs/how-to/services.md has it', () => {
    const policy = docsBlock('how-to/services.md', '@id("team-a-calls-billing")');
    const documented = docsBlock('how-to/services.md', 'vectors:\n  - name: team-a reads rates');
    const calls = (yaml: string) => runVectors(actions, checkPolicyFiles(actions, { 'own.cedar': policy, 'own.vectors.yaml': yaml }).policies);
    expect(calls(documented)).toMatchObject({ problems: [], count: 1 });
    for (const other of [documented.replace('[team-a]', '[team-b]'), documented.replace('"billing/v1/*"', '"vault/v1/*"')])
      expect(calls(other).problems).toMatchObject([{ message: expect.stringContaining('expected allow, and it is deny by no policy') }]);
  });

  it('are for policies like those of docs/how-to/services.md and docs/how-to/forward-proxy.md, which are valid as they stand', () => {
    const documented = [docsBlock('how-to/services.md', '@id("only-nightly-writes")'), docsBlock('how-to/forward-proxy.md', '@id("team-a-goes-out")')];
    const own = [...documented, docsBlock('how-to/forward-proxy.md', '@id("runs-install-packages")')].join('\n');
    expect(checkPolicyFiles(actions, { 'own.cedar': own })).toMatchObject({ problems: [], warnings: [] });
    expect(checkPolicyFiles(actions, { 'own.cedar': own.replace('services.connect', 'services.conect') }).problems).not.toEqual([]);
  });

  it('hold for the policies of docs/how-to/policies.md, and a mistake is reported as the page has it', () => {
    const page = 'how-to/policies.md';
    const [policies, vectors] = [docsBlock(page, '// policies/freeze.cedar'), docsBlock(page, '# policies/freeze.vectors.yaml')];
    const check = (cedar: string) => checkPolicyFiles(actions, { 'freeze.cedar': cedar, 'freeze.vectors.yaml': vectors });
    const shown = (problems: readonly Problem[]) => problems.map((problem) => renderProblem('', { ...problem, file: `policies/${problem.file}` }));
    expect([check(policies).problems, runVectors(actions, check(policies).policies)]).toMatchObject([[], { problems: [], count: 2 }]);
    expect(shown(check(policies.replace('"configure"', '"configur"')).problems)).toEqual([docsBlock(page, 'policies/freeze.cedar:4:30')]);
    const open = check(policies.replace('Role::"admin"', 'Role::"deployer"')).policies;
    expect(shown(runVectors(actions, open).problems)).toEqual([docsBlock(page, 'policies/freeze.vectors.yaml:6')]);
  });

  it('hold for the freeze by a tag of docs/how-to/policies.md: neither run nor redeployed, and others are', () => {
    const policy = docsBlock('how-to/policies.md', '@id("frozen-is-not-run")');
    const vector = (action: string, tag: string, expected: string) =>
      `  - { name: ${action} ${tag}, principal: { roles: [deployer] }, action: ${action}, resource: { type: Deployment, id: d, tags: [${tag}] }, expect: ${expected} }`;
    const lines = ['deployments.run', 'deployments.write'].flatMap((action) => [vector(action, 'frozen', 'deny'), vector(action, 'open', 'allow')]);
    const files = { 'own.cedar': policy, 'own.vectors.yaml': `vectors:\n${lines.join('\n')}\n` };
    const { policies, problems } = checkPolicyFiles(actions, files);
    expect([problems, runVectors(actions, policies)]).toMatchObject([[], { problems: [], count: 4 }]);
    const without = checkPolicyFiles(actions, { ...files, 'own.cedar': policy.replace(', Action::"deployments.write"', '') });
    expect(runVectors(actions, without.policies).problems).toHaveLength(1);
  });

  it('give values of parameters, and say what the resource is: the policy and vectors of docs/how-to/parameter-values.md', () => {
    const files = (vectors: string, policy = docsBlock('how-to/parameter-values.md', '@id("nightly-values")')) => ({
      'own.cedar': policy,
      'own.vectors.yaml': vectors,
    });
    const results = (given: Readonly<Record<string, string>>) => runVectors(actions, checkPolicyFiles(actions, given).policies);
    const documented = docsBlock('how-to/parameter-values.md', 'vectors:\n  - name: a listed value');
    expect(checkPolicyFiles(actions, files(documented))).toMatchObject({ problems: [], warnings: [] });
    expect(results(files(documented))).toMatchObject({ problems: [], count: 5 });
    // Each of them says something.
    const wrong = documented.replaceAll('expect: allow', 'expect: @').replaceAll('expect: deny', 'expect: allow').replaceAll('expect: @', 'expect: deny');
    expect(results(files(wrong)).problems).toHaveLength(5);
    expect(
      results(files(documented, docsBlock('how-to/parameter-values.md', '@id("nightly-values")').replace('"region=\\"eu\\"", ', ''))).problems,
    ).toMatchObject([{ message: expect.stringContaining('"a listed value": expected allow, and it is deny by nightly-values') }]);
  });

  it.each([
    ['region=eu', 'Write NAME=VALUE, the value in JSON'],
    ['n=1.0', 'Write n=1.'],
    ['o={"b":1, "a":2}', 'Write o={"a":2,"b":1}.'],
    ['n=9007199254740993', 'never known'],
    ['=1', 'Write NAME=VALUE'],
    ['n', 'Write NAME=VALUE'],
  ])('are no vectors with %s, which is never asked', (value, remedy) => {
    const yaml = (text: string) => `vectors:
  - name: x
    principal: {}
    action: deployments.run
    context: { facts: { parameter_values: [${JSON.stringify(text)}] } }
    expect: deny
`;
    expect(run(yaml(value)).problems).toMatchObject([
      { line: 5, message: expect.stringContaining('parameter_values never holds'), remedy: expect.stringContaining(remedy) },
    ]);
    expect(run(yaml('n=1')).problems).toEqual([]);
  });

  it('fail with file and line, saying what is and what was expected', () => {
    const yaml = `vectors:
  - name: wrong effect
    principal: { id: dana@corp, idp: corp, roles: [deployer] }${OVERRIDE}
    expect: allow
  - name: wrong policy
    principal: { roles: [viewer] }
    action: flows.read
    expect: allow
    policies: [no-override]
`;
    expect(run(yaml).problems).toEqual([
      expect.objectContaining({ file: 'own.vectors.yaml', line: 7, message: 'vector "wrong effect": expected allow, and it is deny by no-override' }),
      expect.objectContaining({ line: 11, message: 'vector "wrong policy": expected allow by no-override, and it is allow by viewer' }),
    ]);
  });

  it.each([
    ['an unknown action', 'principal: {}\n    action: flows.reed\n    expect: deny', 'Did you mean flows.read?'],
    [
      'a type that the action is not for',
      'principal: {}\n    action: flows.read\n    resource: { type: Variable }\n    expect: deny',
      'never asked on Variable',
    ],
    ['an action for several types', 'principal: {}\n    action: blocks.read_secrets\n    expect: deny', 'is for several types'],
    ['an unknown fact', 'principal: {}\n    action: flows.read\n    context: { facts: { forse: true } }\n    expect: deny', 'Did you mean force?'],
    ['a fact of another type', 'principal: {}\n    action: flows.read\n    context: { facts: { count: "1" } }\n    expect: deny', 'is a Long'],
    ['an unknown policy', 'principal: {}\n    action: flows.read\n    expect: deny\n    policies: [no-overide]', 'Did you mean no-override?'],
    ['an unknown role', 'principal: { roles: [oprator] }\n    action: flows.read\n    expect: deny', 'vectors[0].principal.roles[0]'],
    ['a misspelt key', 'principal: {}\n    action: flows.read\n    expects: deny', 'Did you mean expect?'],
    ['no expectation', 'principal: {}\n    action: flows.read', 'vectors[0].expect'],
    ['broken YAML', 'principal: {', 'YAML'],
  ])('are no vectors with %s', (_what, rest, words) => {
    const { problems } = run(`vectors:\n  - name: x\n    ${rest}\n`);
    expect(problems.map(({ path, message, remedy }) => `${path} ${message} ${remedy}`).join()).toContain(words);
    for (const { file, line } of problems) expect([file, line]).toEqual(['own.vectors.yaml', expect.any(Number)]);
  });

  it('are not missed: a file without any is a problem', () => {
    expect(run('vectors: []\n').problems).toHaveLength(1);
  });
});
