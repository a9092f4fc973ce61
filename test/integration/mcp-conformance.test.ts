// The conformance suite of the MCP project, at a real gateway: its scenarios for servers that need no tool of a fixture.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { mcpProgram } from '../env/mcp-clients.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { run } from '../env/process.ts';
import { startProxy, type TestProxy } from '../env/proxy.ts';

let gateway: Gateway;
let proxy: TestProxy;

/** The suite sends no credential, so a proxy adds one. */
beforeAll(async () => {
  gateway = await startGateway({ upstream: sharedPrefect() });
  const { secret } = await gateway.token('conformance', ['viewer']);
  proxy = await startProxy({ to: gateway.url, standsIn: true, adds: { authorization: `Bearer ${secret}` } });
});
afterAll(async () => {
  await proxy?.close();
  await gateway?.close();
});

/** docs/reference/mcp.md names those left out, with the reason. */
const SCENARIOS: readonly (readonly [name: string, version: string])[] = [
  ['server-initialize', '2025-11-25'],
  ['server-session-lifecycle', '2025-11-25'],
  ['ping', '2025-11-25'],
  ['server-sse-polling', '2025-11-25'],
  ['dns-rebinding-protection', '2025-11-25'],
  ['tools-list', '2025-11-25'],
  ['server-stateless', '2026-07-28'],
  ['dns-rebinding-protection', '2026-07-28'],
  ['http-header-validation', '2026-07-28'],
  ['tools-list', '2026-07-28'],
  ['resources-list', '2026-07-28'],
  ['prompts-list', '2026-07-28'],
  ['caching', '2026-07-28'],
  ['sep-2164-resource-not-found', '2026-07-28'],
  ['server-sse-multiple-streams', '2026-07-28'],
  ['input-required-result-unsupported-methods', '2026-07-28'],
];

it.each(SCENARIOS)('%s of %s', async (name, version) => {
  const program = await mcpProgram('conformance');
  const args = [program, 'server', '--url', `${proxy.url}/.lictor/mcp`, '--scenario', name, '--spec-version', version];
  const { output } = await run({ name: `conformance ${name}`, command: process.execPath, args, env: { PATH: process.env['PATH'], HOME: gateway.stateDir } });
  expect(output, output).toMatch(/^Passed: \d+\/\d+, /m);
  // Single checks of a scenario may need a tool of the fixture.
  const problems = (output.match(/^ {4}Error: .*$/gm) ?? []).filter((line) => !line.includes('Not testable'));
  expect(problems, output).toEqual([]);
});
