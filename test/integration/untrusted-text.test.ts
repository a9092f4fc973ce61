// A real flow logs instructions and secrets. An agent reads them over MCP below untrusted_text alone, and its next write waits, on every path.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disguises, INSTRUCTION, invisibleCharacters } from '../../src/contract/untrusted/disguises.fixture.ts';
import { secretCases } from '../../src/contract/untrusted/secrets.fixture.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { run } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `untrusted-${Date.now().toString(36)}`;
const AGENTS = ['copilot', 'strict', 'loose'] as const;
const TAINT = { copilot: 'approve', strict: 'deny', loose: 'allow' };
// Prefect takes no lone surrogate.
const instructions = Object.values(disguises()).map((each) => each.toWellFormed());
const secrets = Object.values(secretCases());

let gateway: Gateway;
const tokens: Record<string, string> = {};
let hostile: string;
let victim: string;

beforeAll(async () => {
  const agents = AGENTS.map((name) => ({ name, sponsor: 'user:alice@local', credential: 'token', roles: [{ role: 'agent' }], taint: TAINT[name] }));
  gateway = await startGateway({ upstream: prefect, config: { agents } });
  await gateway.account('alice', 'operator');
  for (const name of AGENTS) tokens[name] = (await gateway.token(name, [])).secret;
  [hostile, victim] = await Promise.all([runHostile(), scheduledRun()]);
});
afterAll(() => gateway?.close());

async function runHostile(): Promise<string> {
  const file = join(gateway.stateDir, '..', `${mark}.json`);
  const messages = [...instructions, ...secrets.map((each) => each.text)];
  writeFileSync(file, JSON.stringify({ flow: `${mark}-flow`, name: INSTRUCTION, messages, secret: secrets[0]?.secret }));
  const env = { PATH: process.env['PATH'], HOME: gateway.stateDir, PREFECT_API_URL: `${prefect.url}/api`, PREFECT_API_AUTH_STRING: prefect.authString ?? '' };
  const script = join(import.meta.dirname, 'untrusted-text/hostile.py');
  const { code, output } = await run({ name: 'a hostile flow', command: join(prefect.venv, 'bin/python'), args: [script, file], env });
  if (code !== 0) throw new Error(output);
  const [made] = list(await server.post('/flow_runs/filter', { flows: { name: { any_: [`${mark}-flow`] } } }));
  return text(field(made, 'id'));
}

async function scheduledRun(): Promise<string> {
  const flow = text(field(await server.post('/flows/', { name: `${mark}-victim` }), 'id'));
  const deployment = text(field(await server.post('/deployments/', { name: 'nightly', flow_id: flow }), 'id'));
  return text(field(await server.post(`/deployments/${deployment}/create_flow_run`, {}), 'id'));
}

async function callTool(agent: string, name: string, given: object): Promise<{ readonly whole: string; readonly content: unknown }> {
  const answer = await gateway.fetch('/.lictor/mcp', {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${tokens[agent]}` },
      ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: {
        ...{ name, arguments: given },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  const whole = await answer.text();
  return { whole, content: field(field(JSON.parse(whole), 'result'), 'structuredContent') };
}

function curlLogs(agent: string): Promise<Response> {
  return gateway.fetch('/api/logs/filter', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[agent]}` },
    body: JSON.stringify({ logs: { flow_run_id: { any_: [hostile] } } }),
  });
}

function curlCancel(agent: string): Promise<Response> {
  return gateway.fetch(`/api/flow_runs/${victim}/set_state`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[agent]}` },
    body: JSON.stringify({ state: { type: 'CANCELLING', name: 'Cancelling' } }),
  });
}

/** The value without every `untrusted_text`. */
function factsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(factsOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (key === 'untrusted_text' ? [] : [[key, factsOf(item)]])));
}

describe('an agent that reads what a flow has logged', () => {
  it('gets the logs, with no instruction outside of untrusted_text and no secret anywhere', async () => {
    const { whole, content } = await callTool('copilot', 'get_flow_run_logs', { flow_run_id: hostile, limit: 200 });
    const messages = list(field(content, 'logs')).map((line) => String(field(field(line, 'untrusted_text'), 'message')));
    expect(messages.filter((message) => message.includes(INSTRUCTION)).length).toBeGreaterThan(5);
    for (const message of messages) expect(message).not.toMatch(invisibleCharacters);
    expect(JSON.stringify(factsOf(content))).not.toContain('ignore');
    expect(messages.filter((message) => message.includes('[redacted: ')).length).toBeGreaterThanOrEqual(20);
    for (const { secret } of secrets) expect(whole).not.toContain(secret);
    expect(content).toMatchObject({ redactions: expect.any(Number), cut: 1 });
  });

  it('gets no secret over HTTP either', async () => {
    const answer = await (await curlLogs('copilot')).text();
    expect(answer).toContain(INSTRUCTION);
    expect(answer).toContain('[redacted: ');
    for (const { secret } of secrets) expect(answer).not.toContain(secret);
  });

  it('has the number of redacted secrets in the ledger, for MCP and HTTP', async () => {
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'agent:copilot', '--json')).filter(({ redactions }) => redactions !== null);
    expect(records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: '/.lictor/mcp', tool: 'get_flow_run_logs', redactions: expect.any(Number) }),
        expect.objectContaining({ path: '/api/logs/filter', tool: null, redactions: expect.any(Number) }),
      ]),
    );
    await gateway.lictorOk('audit', 'verify');
  });

  it('gets the run, its name and parameters, in the same way', async () => {
    const { whole, content } = await callTool('copilot', 'get_flow_runs', { filter: { id: { any_: [hostile] } } });
    expect(content).toMatchObject({ flow_runs: [{ id: hostile, untrusted_text: { name: INSTRUCTION, parameters: { api_key: '[redacted: named secret]' } } }] });
    expect(JSON.stringify(factsOf(content))).not.toContain('ignore');
    for (const { secret } of secrets) expect(whole).not.toContain(secret);
  });

  it('cancels no run until its sponsor approves it, over MCP and over HTTP', async () => {
    const { content } = await callTool('copilot', 'cancel_flow_run', { flow_run_id: victim });
    expect(content).toMatchObject({ success: false, error: { code: 'approval-required', approval_id: expect.any(String) } });
    const answer = await curlCancel('copilot');
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { code: 'approval-required', approval_id: field(field(content, 'error'), 'approval_id') },
    ]);
    expect(await server.runState(victim)).toBe('SCHEDULED');
  });

  it('is held over MCP after it read over HTTP, also after a restart of the gateway', async () => {
    expect((await curlLogs('strict')).status).toBe(200);
    expect((await callTool('strict', 'cancel_flow_run', { flow_run_id: victim })).content).toMatchObject({ error: { code: 'taint-denied' } });
    await gateway.stop();
    await gateway.up();
    expect((await callTool('strict', 'cancel_flow_run', { flow_run_id: victim })).content).toMatchObject({ error: { code: 'taint-denied' } });
    expect(await server.runState(victim)).toBe('SCHEDULED');
  });

  it('cancels with taint: allow', async () => {
    await callTool('loose', 'get_flow_run_logs', { flow_run_id: hostile });
    expect((await callTool('loose', 'cancel_flow_run', { flow_run_id: victim })).content).toMatchObject({ success: true });
    expect(await server.runState(victim)).not.toBe('SCHEDULED');
  });
});
