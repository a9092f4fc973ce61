// Real clients of MCP, which the gateway's own packages do not include: brought once into the cache of tools, pinned.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PREFECT_VERSION } from '../../src/cli/prefect-venv.ts';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { field } from './prefect.ts';
import { waitFor } from './process.ts';

const PACKAGES = {
  '@modelcontextprotocol/client': '2.4.0',
  '@modelcontextprotocol/conformance': '0.2.0-alpha.12',
  '@modelcontextprotocol/inspector': '2.12.0',
  '@modelcontextprotocol/sdk': '1.32.2',
};

const FASTMCP = '4.2.3';
const PREFECT_MCP = '0.0.1b13';

const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);

/** A directory whose node_modules has the clients of the MCP project. */
async function clientsDirectory(): Promise<string> {
  const versions = Object.values(PACKAGES).join('-');
  const directory = join(toolCacheDir(process.env), `mcp-clients-${versions}`);
  if (existsSync(directory)) return directory;
  mkdirSync(toolCacheDir(process.env), { recursive: true });
  const fresh = mkdtempSync(`${directory}.`);
  writeFileSync(join(fresh, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }));
  onProgress('bringing clients of MCP');
  const { status, output } = await runCommand({
    command: 'npm',
    args: ['install', '--no-audit', '--no-fund', '--ignore-scripts'],
    env: process.env,
    cwd: fresh,
  });
  if (status !== 0) throw new Error(`npm install of the MCP clients failed:\n${output.slice(-2_000)}`);
  try {
    renameSync(fresh, directory);
  } catch (error) {
    // Another run was first.
    if (!existsSync(directory)) throw error;
    rmSync(fresh, { recursive: true });
  }
  return directory;
}

/** Python with FastMCP, Prefect and Prefect's own MCP server. */
export async function mcpVenv(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `prefect-${PREFECT_VERSION}-mcp-${PREFECT_MCP}-fastmcp-${FASTMCP}`);
  const requirements = [`prefect==${PREFECT_VERSION}`, `prefect-mcp==${PREFECT_MCP}`, `fastmcp==${FASTMCP}`];
  await ensureVenv({ directory, requirements, cacheDir, env: process.env, onProgress });
  return directory;
}

/** The program of a package, for Node. */
export async function mcpProgram(name: 'inspector' | 'conformance'): Promise<string> {
  const directory = await clientsDirectory();
  const manifest = join(directory, 'node_modules/@modelcontextprotocol', name, 'package.json');
  const bin: Readonly<Record<string, string>> = createRequire(manifest)(manifest).bin;
  return join(manifest, '..', bin[name] ?? '');
}

export interface ToolResult {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

/** What the tests use of a client in TypeScript. */
export interface McpClient {
  connect(transport: object): Promise<void>;
  /** The clients of the second generation only. */
  setRequestHandler(method: string, handler: (request: { readonly params: unknown }) => Promise<object>): void;
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(call: { readonly name: string; readonly arguments: object }): Promise<ToolResult>;
  close(): Promise<void>;
}

/** Repeats a call that met a busy database of Prefect, as `hint` says. No other result is asked for twice, and no lost answer. */
export async function callPatiently(client: McpClient, name: string, given: object = {}): Promise<ToolResult> {
  const ask = (): Promise<(() => ToolResult) | undefined> =>
    client.callTool({ name, arguments: given }).then(
      (result) => (isDatabaseBusy(result.structuredContent?.['error']) ? undefined : () => result),
      (error: unknown) => () => {
        throw error;
      },
    );
  const done = await waitFor(ask, { what: 'Prefect to have its database to itself', timeoutMs: 60_000, everyMs: 500 });
  if (done === undefined) throw new Error(`no result of ${name}`);
  return done();
}

/** Without a number of seconds, Prefect may have carried out the request. */
function isDatabaseBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retry_after_seconds' in error && field(error, 'code') === 'upstream-unavailable';
}

/** `2026` and `2025`: the client of the second generation, for both eras. `1.x`: the client of the first generation. */
export type ClientKind = '2026' | '2025' | '1.x';

export async function connectClient(kind: ClientKind, { url, token }: { readonly url: string; readonly token: string }): Promise<McpClient> {
  const { Client, StreamableHTTPClientTransport } = await importClient(kind);
  const client = new Client({ name: 'lictor-test', version: '1' }, clientOptions(kind));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/.lictor/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  return client;
}

/** The protocol version of the client, as an option. */
export function clientOptions(kind: ClientKind): object {
  const modes = { '2026': { pin: '2026-07-28' }, '2025': 'legacy', '1.x': undefined } as const;
  return modes[kind] === undefined ? {} : { versionNegotiation: { mode: modes[kind] } };
}

export interface Transport {
  /** The second generation takes what came to the redirect URI, the first the code. */
  finishAuth(came: URLSearchParams | string): Promise<void>;
}

interface ClientModule {
  readonly Client: new (info: object, options: object) => McpClient;
  readonly StreamableHTTPClientTransport: new (url: URL, options: object) => Transport;
}

export async function importClient(kind: ClientKind): Promise<ClientModule> {
  const load = createRequire(join(await clientsDirectory(), 'package.json'));
  if (kind !== '1.x') return load('@modelcontextprotocol/client') as ClientModule;
  const base = '@modelcontextprotocol/sdk/client';
  return { ...(load(`${base}/index.js`) as ClientModule), ...(load(`${base}/streamableHttp.js`) as ClientModule) };
}
