// A request with parameters that a policy reads: what explain says is what the gateway does.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, RUN, startMediator } from '../mediate/mediator.fixture.ts';
import { PARAMETER_ACTIONS } from '../policy/facts.ts';
import { explainerParts, role } from './bench.fixture.ts';
import { explainRequest } from './request.ts';

const ACTIONS = PARAMETER_ACTIONS.map((action) => `Action::"${action}"`).join(', ');
const OWN = `@id("own") forbid (principal, action in [${ACTIONS}], resource)
  unless { context.facts has parameter_values && ["n=1", "region=\\"eu\\"", "deep={\\"a\\":[1]}"].containsAll(context.facts.parameter_values) };`;

const anyValue = fc.constantFrom(
  '1',
  '1.0',
  '1e0',
  '2',
  '"eu"',
  '"\\u0065u"',
  '"us"',
  '{"a":[1]}',
  '{"__prefect_kind":"json","value":"1"}',
  '9007199254740993',
);
const anyParameters = fc
  .uniqueArray(fc.tuple(fc.constantFrom('n', 'region', 'deep', '__prefect_kind'), anyValue), { maxLength: 3, selector: ([name]) => name })
  .map((pairs) => `{${pairs.map(([name, value]) => `"${name}":${value}`).join(',')}}`);
const action = (parameters: string) => `{"type":"run-deployment","deployment_id":"${DEPLOYMENT}","parameters":${parameters}}`;
const anyRequest = fc.tuple(
  fc.constantFrom<readonly [string, (parameters: string) => string]>(
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run`, (given) => `{"parameters":${given}}`],
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, (given) => `[{"parameters":{"n":1}},{"parameters":${given}}]`],
    ['POST /api/flow_runs/', (given) => `{"flow_id":"${RUN}","deployment_id":"${DEPLOYMENT}","parameters":${given}}`],
    [`PATCH /api/flow_runs/${RUN}`, (given) => `{"parameters":${given}}`],
    [`PATCH /api/deployments/${DEPLOYMENT}`, (given) => `{"parameters":${given}}`],
    [`POST /api/deployments/${DEPLOYMENT}/schedules`, (given) => `[{"schedule":{"interval":60},"parameters":${given}}]`],
    ['POST /api/automations/', (given) => `{"name":"a","actions":[${action(given)}],"trigger":{"type":"event"}}`],
  ),
  anyParameters,
  fc.constantFrom('operator', 'deployer', 'admin'),
);

it('explain says what the gateway does, whatever the parameters', async () => {
  const gate = startMediator({ policies: OWN, prefect: ({ method }) => (method === 'GET' ? { status: 404 } : { status: 201 }) });
  const parts = explainerParts(async () => null, { own: OWN });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyRequest, async ([[line, bodyOf], given, who]) => {
      const [method = '', path = ''] = line.split(' ');
      const body = bodyOf(given);
      const answer = await gate.send({ role: who, method, path, body });
      const said = await explainRequest(parts, await role(who), { line, body: Buffer.from(body) });
      const done = answer.status < 300 ? 'policy-permits' : codeOf(answer);
      seen.add(done);
      expect([line, given, who, said.reason]).toEqual([line, given, who, done]);
    }),
    { numRuns: 400, seed: 6 },
  );
  for (const reason of ['policy-permits', 'policy-forbids', 'parameters-unreadable', 'policy-default-deny', 'automation-exceeds-rights'])
    expect([...seen]).toContain(reason);
});
