// One call of an MCP tool as a program without a library sends it: one POST, protocol 2026-07-28.
import { z } from 'zod';
import type { Gateway } from './gateway.ts';

const PROTOCOL = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': PROTOCOL,
  'io.modelcontextprotocol/clientInfo': { name: 'lictor-test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const Refused = z.object({ code: z.string(), detail: z.string().default('') });
const Answer = z.object({ result: z.object({ structuredContent: z.object({ error: Refused.nullable() }) }) });

export interface Outcome {
  /** Null: it succeeded. */
  readonly code: string | null;
  readonly detail: string;
}

const SUCCEEDED: Outcome = { code: null, detail: '' };

export interface ToolAsked {
  readonly token: string;
  readonly tool: string;
  readonly args?: object;
}

/** The refusal of the tool, or of the endpoint before it. Nothing is sent twice. */
export async function callTool({ url }: Pick<Gateway, 'url'>, { token, tool, args = {} }: ToolAsked): Promise<Outcome> {
  const response = await fetch(`${url}/.lictor/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': PROTOCOL,
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args, _meta: META } }),
  });
  const body: unknown = await response.json();
  return response.ok ? (Answer.parse(body).result.structuredContent.error ?? SUCCEEDED) : Refused.parse(body);
}

/** The same of a POST to Prefect's API. An error of Prefect has the code `prefect`. */
export async function postOnce(
  { url }: Pick<Gateway, 'url'>,
  { token, path, body }: { readonly token: string; readonly path: string; readonly body: object },
): Promise<Outcome> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const refused = Refused.safeParse(await response.json());
  if (response.ok) return SUCCEEDED;
  return refused.data ?? { code: 'prefect', detail: '' };
}
