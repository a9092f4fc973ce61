// The service proxy on a socket, with services that a test writes, and requests in nginx's form.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, type RequestListener, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareService } from '../../../config/service.fixture.ts';
import type { Service } from '../../../config/service.ts';
import { SERVICE_PROXY } from '../../../contract/names.ts';
import { createServiceProxy, type ServiceProxyParts } from './service-proxy.ts';

export const opened: { close(): unknown }[] = [];

/** Call it after each test. */
export function closeOpened(): void {
  for (const one of opened.splice(0).toReversed()) one.close();
}

/** Returns its origin. */
export async function startService(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  opened.push(server, { close: () => server.closeAllConnections() });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return originOf(server.address() as AddressInfo);
}

export async function originOfNone(): Promise<string> {
  const server = createTcpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = originOf(server.address() as AddressInfo);
  await once(server.close(), 'close');
  return origin;
}

function originOf({ port }: AddressInfo): string {
  return `http://127.0.0.1:${port}`;
}

export interface Answered {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The refusal that nginx must send. */
export const refusalOf = ({ headers }: Pick<Answered, 'headers'>): unknown => headers[SERVICE_PROXY.refusal];
export const stateOf = ({ headers }: Pick<Answered, 'headers'>): unknown => headers[SERVICE_PROXY.cache];

export interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
  readonly caller?: string;
  readonly generation?: string | null;
}

export const RULE = { patterns: ['/*'], ttlSeconds: 60, shared: false, staleSeconds: 0, mostBytes: 1_000 };

export async function startProxy(origins: readonly string[], more: Partial<Service> = {}, parts: Partial<ServiceProxyParts> = {}) {
  const state = { nowMs: 1_000_000 };
  const servers = more.servers ?? origins.map((origin) => ({ origin, weight: 1, backup: false }));
  const service = bareService('billing', [], { timeoutSeconds: 20, ...more, servers });
  const log: object[] = [];
  const clock = () => state.nowMs;
  const proxy = createServiceProxy({ clock, steady: clock, log: { warn: (fields) => void log.push(fields) }, isDown: () => false, ...parts });
  const use = (next: Partial<Service> = {}): void => proxy.use({ services: [{ ...service, ...next }], forwardHeaders: [] });
  use();
  const directory = mkdtempSync(join(tmpdir(), 'lictor-proxy-'));
  const socketPath = join(directory, 'proxy.sock');
  const server = createServer((incoming, outgoing) => proxy.handle(incoming, outgoing));
  await once(server.listen(socketPath), 'listening');
  // One connection, like nginx's for all calls.
  const agent = new Agent({ keepAlive: true });
  opened.push({ close: () => rmSync(directory, { recursive: true, force: true }) }, { close: () => agent.destroy() }, server, {
    close: () => server.closeAllConnections(),
  });
  const begin = ({ method = 'GET', path = '/v1', headers = {}, body, caller = 'run:1', generation = '0' }: Asking = {}) => {
    const own = { [SERVICE_PROXY.service]: 'billing', [SERVICE_PROXY.caller]: caller, ...(generation !== null && { [SERVICE_PROXY.generation]: generation }) };
    const call = request({ socketPath, agent, method, path, headers: { ...own, ...headers } });
    const answered = once(call, 'response').then(([answer]) => answer as IncomingMessage);
    answered.catch(() => undefined);
    call.end(body);
    return { call, answered };
  };
  const ask = async (asking?: Asking): Promise<Answered> => {
    const answer = await begin(asking).answered;
    const body = Buffer.concat(await answer.toArray()).toString();
    return { status: answer.statusCode, headers: answer.headers, body };
  };
  return { state, log, begin, ask, use };
}
