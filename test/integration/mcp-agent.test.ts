// An agent within its bounds: the same answers over MCP, by the stock command line, and by plain HTTP, whichever it uses.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { callPatiently, connectClient, type McpClient, mcpVenv } from '../env/mcp-clients.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { run } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const flow = `ma${Date.now().toString(36)}`;
const NIGHTLY = `${flow}/nightly-report`;

let gateway: Gateway;
let token: string;
let client: McpClient;
let own: string;
let other: string;

beforeAll(async () => {
  const flowId = text(field(await server.post('/flows/', { name: flow }), 'id'));
  const schema = { type: 'object', properties: { region: { type: 'string' } } };
  const whole = { flow_id: flowId, parameter_openapi_schema: schema, enforce_parameter_schema: false };
  const make = async (name: string) => text(field(await server.post('/deployments/', { name, ...whole }), 'id'));
  [own, other] = [await make('nightly-report'), await make('payroll')];
  gateway = await startGateway({ upstream: prefect, config: { roles: [{ role: 'operator', members: ['user:alice@local'] }], agents: [copilot()] } });
  await gateway.account('alice', 'operator');
  token = (await gateway.token('copilot', [])).secret;
  client = await connectClient('2026', { url: gateway.url, token });
});
afterAll(async () => {
  await client?.close();
  await gateway?.close();
});

function copilot() {
  return {
    name: 'copilot',
    sponsor: 'user:alice@local',
    credential: 'token',
    roles: [{ role: 'agent', scope: { deployments: [NIGHTLY] } }],
    parameters: { [NIGHTLY]: { type: 'object', properties: { region: { enum: ['eu', 'us'] } }, additionalProperties: false } },
    budgets: { runs: '5/h' },
    taint: 'allow',
  };
}

interface Refusal {
  readonly code: unknown;
  readonly detail: unknown;
}

async function byMcp(name: string, given: object): Promise<{ readonly refusal: Refusal; readonly answer: unknown }> {
  const { structuredContent: answer } = await callPatiently(client, name, given);
  const error = field(answer, 'error') ?? {};
  return { refusal: { code: field(error, 'code'), detail: field(error, 'detail') }, answer };
}

async function byHttp(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly refusal: Refusal; readonly answer: unknown }> {
  const json = body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await gateway.fetch(`/api${path}`, { method, token, ...json });
  const answer: unknown = await response.json();
  return { status: response.status, refusal: { code: field(answer, 'code'), detail: field(answer, 'detail') }, answer };
}

function stockPrefect(args: readonly string[]) {
  const env = { PATH: process.env['PATH'], HOME: gateway.stateDir, COLUMNS: '2000', PREFECT_LOGGING_LEVEL: 'DEBUG', PREFECT_LOGGING_TO_API_ENABLED: 'false' };
  const own = { PREFECT_API_URL: `${gateway.url}/api`, PREFECT_API_AUTH_STRING: `any:${token}` };
  return { name: `prefect ${args.join(' ')}`, command: join(prefect.venv, 'bin/prefect'), args, env: { ...env, ...own } };
}

/** What the stock command line prints: of a refusal only the detail. */
async function byPrefect(...args: readonly string[]): Promise<string> {
  return (await run(stockPrefect(args))).output.replaceAll(/\s+/g, ' ');
}

/** Without the seconds, which differ between two calls. */
const words = ({ code, detail }: Refusal): Refusal => ({ code, detail: String(detail).replace(/\d+ s\./, 'N s.') });

async function runs(): Promise<readonly string[]> {
  const found = list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [own, other] } } }));
  return found.map((each) => text(field(each, 'id')));
}

describe('within its bounds', () => {
  it('the agent finds its deployment alone, as stock tools with its token do', async () => {
    const { answer } = await byMcp('get_deployments', {});
    expect(list(field(answer, 'deployments')).map((each) => field(each, 'id'))).toEqual([own]);
    expect(list((await byHttp('POST', '/deployments/filter', {})).answer).map((each) => field(each, 'id'))).toEqual([own]);
    const venv = await mcpVenv();
    const env = { PATH: process.env['PATH'], HOME: gateway.stateDir, PREFECT_API_URL: `${gateway.url}/api`, PREFECT_API_AUTH_STRING: `any:${token}` };
    const args = [join(import.meta.dirname, 'mcp/fastmcp-client.py'), 'get_deployments', '{}'];
    const finished = await run({ name: 'prefect-mcp', command: join(venv, 'bin/python'), args, env });
    const found = JSON.parse(finished.output.trim().split('\n').at(-1) ?? '');
    expect(list(field(field(found, 'result'), 'deployments')).map((each) => field(each, 'id'))).toEqual([own]);
  });
});

describe('beyond its bounds, nothing runs', () => {
  it('another deployment is one that does not exist', async () => {
    const before = await runs();
    expect((await byMcp('run_deployment', { deployment: other })).refusal.code).toBe('not-found');
    expect((await byMcp('run_deployment', { deployment: `${flow}/payroll` })).refusal.code).toBe('not-found');
    expect((await byHttp('POST', `/deployments/${other}/create_flow_run`, {})).status).toBe(404);
    expect(await byPrefect('deployment', 'run', `${flow}/payroll`)).toContain('not found');
    expect(await runs()).toEqual(before);
  });

  it('a parameter outside its rule is refused in the same words', async () => {
    const before = await runs();
    const mcp = (await byMcp('run_deployment', { deployment: own, parameters: { region: 'mars' } })).refusal;
    expect(mcp.code).toBe('parameters-refused');
    expect((await byHttp('POST', `/deployments/${own}/create_flow_run`, { parameters: { region: 'mars' } })).refusal).toEqual(mcp);
    const printed = await byPrefect('deployment', 'run', NIGHTLY, '--param', 'region=mars');
    expect(printed).toContain(String(mcp.detail));
    expect(await runs()).toEqual(before);
  });

  it('job variables are refused in the same words', async () => {
    const before = await runs();
    const given = { job_variables: { command: 'rm -rf /' } };
    const mcp = (await byMcp('run_deployment', { deployment: own, ...given })).refusal;
    expect(mcp.code).toBe('policy-default-deny');
    expect((await byHttp('POST', `/deployments/${own}/create_flow_run`, given)).refusal).toEqual(mcp);
    expect(await byPrefect('deployment', 'run', NIGHTLY, '--job-variable', 'command=rm')).toContain(String(mcp.detail));
    expect(await runs()).toEqual(before);
  });

  it('deleting, variables and blocks have no tool, and are refused on the other ways', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).filter((name) => /delete|variable|block/.test(name))).toEqual([]);
    for (const [method, path, body] of [
      ['DELETE', `/deployments/${own}`, undefined],
      ['POST', '/variables/', { name: `${flow}_x`, value: 1 }],
      ['POST', '/block_documents/', {}],
    ] as const) {
      const { status, refusal } = await byHttp(method, path, body);
      expect([path, status, refusal.code]).toEqual([path, 403, 'policy-default-deny']);
    }
    expect(await byPrefect('variable', 'set', `${flow}_x`, '1')).toContain('policy-default-deny');
    expect(await byPrefect('deployment', 'delete', NIGHTLY)).toContain('policy-default-deny');
    expect(field(await server.get(`/deployments/${own}`), 'id')).toBe(own);
  });
});

describe('five runs in an hour', () => {
  it('are five on all ways together; the sixth is refused in the same words', async () => {
    const started = [];
    for (const region of ['eu', 'us']) {
      const { answer } = await byMcp('run_deployment', { deployment: NIGHTLY, parameters: { region } });
      started.push(field(field(answer, 'flow_run'), 'id'));
      started.push(field((await byHttp('POST', `/deployments/${own}/create_flow_run`, { parameters: { region } })).answer, 'id'));
    }
    expect(await byPrefect('deployment', 'run', NIGHTLY, '--param', 'region=eu')).toContain('Created flow run');
    expect(await runs()).toHaveLength(5);
    expect(await runs()).toEqual(expect.arrayContaining(started));

    const mcp = await byMcp('run_deployment', { deployment: own });
    expect(mcp.refusal.code).toBe('budget-exceeded');
    expect(Number(field(field(mcp.answer, 'error'), 'retry_after_seconds'))).toBeGreaterThan(3_000);
    const http = await byHttp('POST', `/deployments/${own}/create_flow_run`, {});
    expect([http.status, words(http.refusal)]).toEqual([429, words(mcp.refusal)]);
    // The stock client tries again for some seconds, and then says why.
    expect(await byPrefect('deployment', 'run', NIGHTLY)).toContain('has used its budget runs: 5/h');
    expect(await runs()).toHaveLength(5);
  });

  it('are on their timelines as runs of copilot for alice, with the tool', async () => {
    const [first = ''] = [...(await runs())].reverse();
    const records = jsonLines(await gateway.lictorOk('audit', '--flow-run', first, '--json'));
    const shown = jsonLines(await gateway.lictorOk('timeline', first, '--json'));
    for (const some of [records, shown]) {
      const created = some.find((each) => field(each, 'action') === 'deployments.run');
      expect(created).toMatchObject({ principal: 'agent:copilot', on_behalf_of: ['alice@local'], decision: 'allow' });
    }
    const { answer } = await byMcp('get_timeline', { flow_run_id: first });
    expect(list(field(answer, 'requests')).find((each) => field(each, 'action') === 'deployments.run')).toMatchObject({
      principal: 'agent:copilot',
      on_behalf_of: ['alice@local'],
    });
  });
});

describe('without its sponsor', () => {
  it('the agent ends: the next call is refused', async () => {
    await gateway.lictorOk('account', 'remove', 'alice', '--yes').catch(() => gateway.lictorOk('account', 'remove', 'alice'));
    await expect(client.callTool({ name: 'get_identity', arguments: {} })).rejects.toThrow();
    expect((await byHttp('POST', '/deployments/filter', {})).status).toBe(403);
  });
});
