import { describe, expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, type Options, prefectWith, type Sent, startMediator } from './mediator.fixture.ts';

const RUN_IT = `/api/deployments/${DEPLOYMENT}/create_flow_run`;
const EVENT = {
  event: 'lictor.request',
  resource: { 'prefect.resource.id': 'x' },
  occurred: '2026-01-01T00:00:00Z',
  id: '0199c0de-0000-7000-8000-000000000001',
};

async function sent(request: Sent, options: Options = {}) {
  const gate = startMediator({ prefect: prefectWith({}, { status: 201 }), observed: true, ...options });
  const response = await gate.send(request);
  const { decision, reason, mode } = gate.record();
  return { gate, status: response.status, header: response.headers['x-lictor-would-deny'], code: response.refusal?.code, record: { decision, reason, mode } };
}

describe('an observed request that the role does not permit', () => {
  const request = { role: 'viewer', path: RUN_IT, body: {} };
  it('reaches Prefect; the record and a header say what would be denied', async () => {
    expect(await sent(request)).toMatchObject({
      ...{ status: 201, header: 'policy-default-deny', record: { decision: 'deny', reason: 'policy-default-deny', mode: 'observe' } },
    });
  });

  it('twin: is refused without observe mode', async () => {
    expect(await sent(request, { observed: false })).toMatchObject({ status: 403, header: undefined, record: { decision: 'deny', mode: 'enforce' } });
  });

  it('has no header if it is permitted', async () => {
    expect(await sent({ ...request, role: 'operator' })).toMatchObject({ status: 201, header: undefined, record: { decision: 'allow', mode: 'observe' } });
  });
});

describe('a rule about the body', () => {
  const env = { job_variables: { env: { PREFECT_API_URL: 'http://elsewhere/api' } } };
  it('that only bounds rights is recorded', async () => {
    expect(await sent({ role: 'admin', path: RUN_IT, body: env })).toMatchObject({ status: 201, header: 'env-reserved' });
  });

  it('twin: without observe mode it refuses', async () => {
    expect(await sent({ role: 'admin', path: RUN_IT, body: env }, { observed: false })).toMatchObject({ status: 403, code: 'env-reserved' });
  });

  it.each([
    ['a forged event', { role: 'viewer', path: '/api/events', body: [EVENT] }, 'event-reserved'],
    ['a forged label', { role: 'viewer', method: 'PATCH', path: `/api/flow_runs/${DEPLOYMENT}/labels`, body: { 'lictor.principal': 'x' } }, 'label-reserved'],
    ['a body that is no JSON', { role: 'viewer', path: RUN_IT, body: '{"a":1,"a":2}' }, 'body-not-json'],
    ['an encoding', { role: 'viewer', path: RUN_IT, body: {}, headers: { 'content-encoding': 'gzip' } }, 'content-encoding-unsupported'],
  ] as const)('twin: %s is refused also for an observed principal', async (_what, request, code) => {
    const { gate, ...said } = await sent(request);
    expect(said).toMatchObject({ code, record: { decision: 'deny', reason: code, mode: 'enforce' } });
    expect(gate.forwarded.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

describe('a list that enforcement would narrow', () => {
  const scope = { tags: ['team-a'] };
  const body = { flow_runs: { name: { any_: ['x'] } } };
  it('is whole, and the record says so', async () => {
    const { gate, ...said } = await sent({ role: 'viewer', path: '/api/flow_runs/filter', body }, { scope });
    expect(said).toMatchObject({ status: 200, header: undefined, record: { decision: 'allow', reason: 'scope-narrows', mode: 'observe' } });
    expect(gate.last()).toEqual(body);
  });

  it('twin: without observe mode Prefect gets the scope in the filter', async () => {
    const { gate } = await sent({ role: 'viewer', path: '/api/flow_runs/filter', body }, { scope, observed: false });
    expect(JSON.stringify(gate.last())).toContain('team-a');
  });

  it('is a denial if enforcement could not narrow it', async () => {
    const joined = { flow_runs: { operator: 'or_', name: { any_: ['x'] }, id: { any_: [DEPLOYMENT] } } };
    const { gate, ...said } = await sent({ role: 'viewer', path: '/api/flow_runs/filter', body: joined }, { scope });
    expect(said).toMatchObject({ status: 200, header: 'scope-filter', record: { decision: 'deny', reason: 'scope-filter', mode: 'observe' } });
    const enforced = await sent({ role: 'viewer', path: '/api/flow_runs/filter', body: joined }, { scope, observed: false });
    expect(codeOf(await enforced.gate.send({ role: 'viewer', path: '/api/flow_runs/filter', body: joined }))).toBe('scope-filter');
  });
});
