// Real clients of MCP at a real gateway before a real Prefect: what each lists, reads and changes is its scope, as for any client.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type ClientKind, callPatiently, connectClient, mcpProgram, mcpVenv, type ToolResult } from '../env/mcp-clients.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { run } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `mcp${Date.now().toString(36)}`;
const SCRIPT = join(import.meta.dirname, 'mcp/fastmcp-client.py');

let gateway: Gateway;
let token: string;
let own: Made;
let other: Made;

interface Made {
  readonly tag: string;
  readonly deployment: string;
  readonly run: string;
}

beforeAll(async () => {
  [own, other] = await Promise.all([make('own'), make('other')]);
  gateway = await startGateway({ upstream: prefect });
  token = (await gateway.token('copilot', ['agent'], '--scope', `tag=${own.tag}`)).secret;
});
afterAll(() => gateway?.close());

async function make(name: string): Promise<Made> {
  const tag = `${mark}-${name}`;
  const flow = text(field(await server.post('/flows/', { name: `${tag}-flow` }), 'id'));
  const body = { name: 'nightly', flow_id: flow, tags: [tag], enforce_parameter_schema: false };
  const deployment = text(field(await server.post('/deployments/', body), 'id'));
  const made = text(field(await server.post(`/deployments/${deployment}/create_flow_run`, {}), 'id'));
  await server.post('/logs/', [{ name: 'x', level: 20, message: `log of ${name}`, timestamp: new Date().toISOString(), flow_run_id: made }]);
  return { tag, deployment, run: made };
}

async function runsOf(deployment: string): Promise<readonly string[]> {
  const runs = list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } } }));
  return runs.map((run) => text(field(run, 'id'))).sort();
}

const idsIn = (result: unknown, key: string): readonly string[] => list(field(result, key)).map((item) => text(field(item, 'id')));

describe.each<ClientKind>(['2026', '2025', '1.x'])('the client in TypeScript, %s', (kind) => {
  const using = async <T>(use: (call: (name: string, given?: object) => Promise<ToolResult>, names: readonly string[]) => Promise<T>): Promise<T> => {
    const client = await connectClient(kind, { url: gateway.url, token });
    try {
      const { tools } = await client.listTools();
      return await use(
        (name, given = {}) => callPatiently(client, name, given),
        tools.map((tool) => tool.name),
      );
    } finally {
      await client.close();
    }
  };

  it('lists the tools of its role, and reads its scope', () =>
    using(async (call, names) => {
      expect(names).toContain('run_deployment');
      expect(names).not.toContain('pause_schedule');
      expect(idsIn((await call('get_deployments')).structuredContent, 'deployments')).toEqual([own.deployment]);
      const runs = idsIn((await call('get_flow_runs', { limit: 200 })).structuredContent, 'flow_runs');
      expect(runs).toContain(own.run);
      expect(runs).not.toContain(other.run);
      expect((await call('get_flow_run_logs', { flow_run_id: own.run })).structuredContent).toMatchObject({
        logs: [{ untrusted_text: { message: 'log of own' } }],
      });
      expect((await call('get_flow_run_logs', { flow_run_id: other.run })).structuredContent).toMatchObject({ logs: [] });
    }));

  it('runs and cancels in its scope, and nowhere else', () =>
    using(async (call) => {
      const begun = await call('run_deployment', { deployment: own.deployment, parameters: { day: 1 } });
      const id = text(field(field(begun.structuredContent, 'flow_run'), 'id'));
      expect(field(await server.get(`/flow_runs/${id}`), 'parameters')).toEqual({ day: 1 });
      expect((await call('cancel_flow_run', { flow_run_id: id })).structuredContent).toMatchObject({ success: true, state_type: 'CANCELLED' });
      expect(await server.runState(id)).toBe('CANCELLED');

      const before = await runsOf(other.deployment);
      const refused = await call('run_deployment', { deployment: other.deployment });
      expect([refused.isError, refused.structuredContent]).toMatchObject([true, { success: false, error: { code: 'not-found', status: 404 } }]);
      expect(await runsOf(other.deployment)).toEqual(before);
      expect((await call('cancel_flow_run', { flow_run_id: other.run })).structuredContent).toMatchObject({ error: { code: 'not-found' } });
      expect(await server.runState(other.run)).toBe('SCHEDULED');
    }));
});

describe.each(['legacy', 'modern'])('the inspector on the command line, protocol era %s', (era) => {
  const inspect = async (...args: readonly string[]) => {
    const config = { mcpServers: { lictor: { type: 'streamable-http', url: `${gateway.url}/.lictor/mcp`, headers: { Authorization: `Bearer ${token}` } } } };
    const file = join(gateway.stateDir, '..', `inspector-${era}.json`);
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    const program = [await mcpProgram('inspector'), '--cli', '--config', file, '--server', 'lictor', '--protocol-era', era, '--format', 'json', '--quiet'];
    const finished = await run({
      name: `inspector ${era}`,
      command: process.execPath,
      args: [...program, ...args],
      env: { PATH: process.env['PATH'], HOME: gateway.stateDir },
    });
    return JSON.parse(finished.output);
  };

  it('lists and calls', async () => {
    const listed = await inspect('--method', 'tools/list');
    expect(JSON.stringify(listed)).toContain('get_flow_runs');
    const called = await inspect('--method', 'tools/call', '--tool-name', 'get_deployments');
    expect(JSON.stringify(called)).toContain(own.deployment);
    expect(JSON.stringify(called)).not.toContain(other.deployment);
  });
});

describe('in Python', () => {
  const script = async (env: NodeJS.ProcessEnv, name: string, given: object) => {
    const venv = await mcpVenv();
    const options = {
      command: join(venv, 'bin/python'),
      args: [SCRIPT, name, JSON.stringify(given)],
      env: { PATH: process.env['PATH'], HOME: gateway.stateDir, ...env },
    };
    const finished = await run({ name: `python ${name}`, ...options });
    const last = finished.output.trim().split('\n').at(-1) ?? '';
    return JSON.parse(last);
  };

  it('FastMCP lists and calls', async () => {
    const answer = await script({ LICTOR_MCP_URL: `${gateway.url}/.lictor/mcp`, LICTOR_MCP_TOKEN: token }, 'get_deployments', {});
    expect(answer.tools).toContain('cancel_flow_run');
    expect(idsIn(answer.result, 'deployments')).toEqual([own.deployment]);
  });

  it('Prefect’s own MCP server, with the same token, reads exactly the scope', async () => {
    const env = { PREFECT_API_URL: `${gateway.url}/api`, PREFECT_API_AUTH_STRING: `any:${token}` };
    const answer = await script(env, 'get_deployments', {});
    expect([answer.result.success, idsIn(answer.result, 'deployments')]).toEqual([true, [own.deployment]]);
    const runs = await script(env, 'get_flow_runs', { limit: 200 });
    expect(idsIn(runs.result, 'flow_runs')).toContain(own.run);
    expect(idsIn(runs.result, 'flow_runs')).not.toContain(other.run);
  });
});

describe('each call', () => {
  it('has the records of its requests, with the tool', async () => {
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:copilot', '--json'));
    const ran = records.find((record) => field(record, 'tool') === 'run_deployment' && field(record, 'decision') === 'allow');
    expect(ran).toMatchObject({ action: 'deployments.run', resource_id: own.deployment, path_taken: 'mediated', method: 'POST' });
    expect(records.filter((record) => field(record, 'path') === '/.lictor/mcp').length).toBeGreaterThan(0);
  });
});

describe('the edge', () => {
  const send = (init: RequestInit = {}) =>
    fetch(`${gateway.url}/.lictor/mcp`, {
      method: 'POST',
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      ...init,
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}`, ...init.headers },
    });

  it('answers a program', async () => {
    expect((await send()).status).toBe(200);
  });

  it.each([
    ['an Origin of another site', { headers: { origin: 'https://attacker.example' } }, 403],
    ['the Origin null', { headers: { origin: 'null' } }, 403],
    ['no credential', { headers: { authorization: '' } }, 401],
    ['a body of more than 256 KiB', { body: `"${'x'.repeat(300_000)}"` }, 413],
    ['GET', { method: 'GET', body: null }, 405],
  ])('refuses %s', async (_what, init, status) => {
    const answer = await send(init);
    expect([answer.status, await answer.json()]).toMatchObject([status, { request_id: expect.any(String) }]);
  });

  it('answers the line of the page; a retry says that the run has not ended, and nothing about a foreign one', async () => {
    const { secret } = await gateway.token('hand', ['operator'], '--scope', `tag=${own.tag}`);
    const line = docsBlock('reference/mcp.md', 'curl ').replace('https://prefect.example.com', gateway.url).replace('lct_...', secret);
    const answer = async (script: string) => (await run({ name: 'curl', command: 'sh', args: ['-c', script], env: { PATH: process.env['PATH'] } })).output;
    expect(await answer(line)).toMatch(/^event: message\ndata: \{.*token:hand/);
    expect(await answer(line.replace('tools/call', 'tools/list'))).toContain('"retry_flow_run"');
    expect(await answer(line.replace('application/json, text/event-stream', 'application/json'))).toContain('Not Acceptable');
    const retry = (id: string) => answer(line.replace('get_identity', 'retry_flow_run').replace('{}', `{"flow_run_id": "${id}"}`));
    expect(await retry(own.run)).toContain('The flow run has not ended yet (SCHEDULED).');
    expect(await retry(other.run)).toContain('You may read no flow run of this id');
  });

  it('takes 200 KiB, which other pages of the gateway do not', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { filler: 'x'.repeat(200_000) } });
    expect((await send({ body })).status).toBe(200);
  });
});
