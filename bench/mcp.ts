// Read calls of an agent over MCP: through the whole gateway, and to a bare handler of the same library that has the same result.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Running } from '../demo/running.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { startProcess } from '../src/operations/supervise/processes/start-process.ts';
import type { AddedParts } from './added.ts';
import { measureMemory } from './memory.ts';
import { ratios, spread } from './numbers.ts';
import type { McpCost } from './result.ts';
import { interleaved } from './rounds.ts';
import { type Load, type Measured, wrk } from './wrk.ts';

const BARE_SERVER = fileURLToPath(new URL('./bare-mcp.ts', import.meta.url));
/** One principal may have 32 requests in progress. */
const CONNECTIONS = 16;
const PROTOCOL = '2026-07-28';
const TOOL = 'get_deployments';

export interface McpParts extends AddedParts {
  readonly root: string;
  readonly running: Running;
  /** Of `lictor up`. */
  readonly supervisor: number;
}

export async function measureMcp(parts: McpParts): Promise<McpCost> {
  const { gateway, supervisor, seconds, rounds, progress } = parts;
  const through = loadOf(gateway.port, `localhost:${gateway.port}`, gateway.agentToken);
  const bare = await startBare(parts, await resultOf(through));
  const contenders = [
    { name: 'bare', measure: () => wrk(loadOf(bare, `localhost:${bare}`, gateway.agentToken), seconds) },
    { name: 'gateway', measure: () => wrk(through, seconds) },
  ];
  for (const { measure } of contenders) await measure();
  const beforeMiB = controlMiB(supervisor);
  const measured = await interleaved(contenders, rounds, progress, 'Read calls of an agent over MCP');
  const of = (name: string, what: keyof Measured): readonly number[] => (measured.get(name) ?? []).map((one) => one[what]);
  const each = (name: string) => ({ perSecond: spread(of(name, 'perSecond')), p50Ms: spread(of(name, 'p50Ms')), p99Ms: spread(of(name, 'p99Ms')) });
  return {
    connections: CONNECTIONS,
    bare: each('bare'),
    gateway: each('gateway'),
    ofBare: ratios(of('gateway', 'perSecond'), of('bare', 'perSecond')),
    p99OfBare: ratios(of('gateway', 'p99Ms'), of('bare', 'p99Ms')),
    control: { beforeMiB, afterMiB: controlMiB(supervisor) },
  };
}

function loadOf(port: number, host: string, token: string): Load {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': PROTOCOL,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return {
    url: `http://127.0.0.1:${port}`,
    method: 'POST',
    path: '/.lictor/mcp',
    objects: 1,
    headers: {
      Host: host,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': PROTOCOL,
      'mcp-method': 'tools/call',
      'mcp-name': TOOL,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: TOOL, arguments: {}, _meta: meta } }),
    connections: CONNECTIONS,
  };
}

const Answer = z.object({ result: z.looseObject({ isError: z.literal(false), structuredContent: z.looseObject({ count: z.number().positive() }) }) });

/** A refused call has status 200 too, so this throws unless the call succeeds. */
async function resultOf({ url, path, headers, body }: Load): Promise<object> {
  const { Host: _host, ...rest } = headers;
  const answer = await fetch(`${url.replace('127.0.0.1', 'localhost')}${path}`, { method: 'POST', headers: rest, body: body ?? null });
  return Answer.parse(await answer.json()).result;
}

async function startBare({ root, running, upstreamPort }: McpParts, result: object): Promise<number> {
  const port = await freePort();
  const resultFile = join(root, 'bare-mcp.json');
  writeFileSync(resultFile, JSON.stringify(result));
  await running.add((isEnding) =>
    startProcess({
      name: 'bare MCP handler',
      command: process.execPath,
      args: [BARE_SERVER, String(port), resultFile, `http://127.0.0.1:${upstreamPort}/api/deployments/filter`],
      logFile: join(root, 'bare-mcp.log'),
      ready: async () => isEnding() || (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' })).status > 0,
    }),
  );
  return port;
}

function controlMiB(supervisor: number): number {
  return measureMemory(supervisor).find(({ name }) => name === 'control plane')?.residentMiB ?? Number.NaN;
}
