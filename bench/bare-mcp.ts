// A bare handler of the MCP library in a separate process: its tool asks the upstream, and has the same result as Lictor's. Arguments: port, file with the
// result, URL of the upstream.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type CallToolResult, createMcpHandler, Server } from '@modelcontextprotocol/server';

const [port = '', resultFile = '', upstream = ''] = process.argv.slice(2);
const result: CallToolResult = JSON.parse(readFileSync(resultFile, 'utf8'));

const handler = createMcpHandler(() => {
  const server = new Server({ name: 'bare', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/call', async () => {
    const answer = await fetch(upstream, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await answer.json();
    return result;
  });
  return server;
});

createServer((incoming, outgoing) => {
  void (async () => {
    const body = await bodyOf(incoming);
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const answer = await handler.fetch(new Request(`http://localhost${incoming.url}`, { method: 'POST', headers, body }));
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  })();
}).listen(Number(port), '127.0.0.1');

async function bodyOf(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
