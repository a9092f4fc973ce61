// The real, rendered edge with stubs behind its sockets: what nginx alone does, measured at both of its ends.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEdgeInputs } from '../../src/authorization/decide/inputs.ts';
import type { Config } from '../../src/config/config.ts';
import { prepareStateDir, removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import type { StatePaths } from '../../src/config/state-dir.ts';
import type { EdgeInputs } from '../../src/contract/inputs.ts';
import { noWay, OUTPUT } from '../../src/contract/names.ts';
import type { ReasonCode } from '../../src/contract/reasons.ts';
import { applyEdge } from '../../src/edge/nginx/apply.ts';
import { renderHere } from '../../src/edge/nginx/check.ts';
import { freePort } from './free-port.ts';
import { start, waitFor } from './process.ts';
import { type Recorder, startRecorder } from './upstream-recorder.ts';

export type Decide = (inputs: EdgeInputs, response: ServerResponse, request: IncomingMessage) => void;

export interface StubEdge {
  readonly port: number;
  readonly url: string;
  readonly paths: StatePaths;
  readonly upstream: Recorder;
  /** What the decision socket was asked since the last `clear`. */
  asked(): readonly EdgeInputs[];
  /** What reached the control socket. */
  controlled(): readonly { readonly url: string; readonly headers: IncomingMessage['headers'] }[];
  decideWith(decide: Decide): void;
  /** Closes the decision socket, as a dead control plane does; `restoreDecisions` opens it again. */
  killDecisions(): Promise<void>;
  restoreDecisions(): Promise<void>;
  clear(): void;
  accessLog(): readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** Allows everything that carries a token, by the path that the catalogue would name. */
export const allowTokens: Decide = (inputs, response) => {
  if (inputs.token === '' && inputs.session === '' && inputs.authorization === '') return refuse(response, 401, 'credential-missing');
  response.writeHead(200, { 'x-lictor-path': 'direct', 'x-lictor-limit': 'stub', 'x-lictor-facts': 'e30', 'cache-control': 'max-age=1, stale-if-error=30' });
  response.end();
};

/** A cacheable allow on the direct path. */
export function allow(response: ServerResponse): void {
  response.writeHead(200, { 'x-lictor-path': 'direct', 'cache-control': 'max-age=1' });
  response.end();
}

export function refuse(response: ServerResponse, status: 401 | 403, code: ReasonCode, absent?: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="lictor"' } : {};
  response.writeHead(status, { [OUTPUT.path]: noWay(code, absent), 'cache-control': 'no-store', ...challenge });
  response.end();
}

/** `env`: LICTOR_NGINX names another nginx than the machine's. `basePath`: of public_url; `url` is without it. */
export async function startStubEdge(overrides: Partial<Config> = {}, env: NodeJS.ProcessEnv = process.env, basePath = ''): Promise<StubEdge> {
  const root = mkdtempSync(join(tmpdir(), 'lictor-edge-'));
  const paths = prepareStateDir(join(root, 'state'));
  const port = await freePort();
  const upstream = await startRecorder();
  const config = { ...stubConfig(port, upstream, basePath), ...overrides };
  const { files, version } = await renderHere(config, paths, env);
  const applied = await applyEdge(files, paths, version);

  const asked: EdgeInputs[] = [];
  const controlled: { url: string; headers: IncomingMessage['headers'] }[] = [];
  let decide: Decide = allowTokens;
  const startDecisions = (): Promise<Server> =>
    listenUnix(paths.decisionSocket, (request, response) => {
      const inputs = parseEdgeInputs(request.headers);
      asked.push(inputs);
      decide(inputs, response, request);
    });
  let decisions = await startDecisions();
  const control = await listenUnix(paths.controlSocket, (request, response) => {
    controlled.push({ url: request.url ?? '', headers: request.headers });
    // It is asked by a new connection each time: a test that takes the socket away has then taken it from every worker of nginx.
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{"from":"control"}'));
  });
  const nginx = await start({ name: 'nginx', command: version.binary, args: applied.args, env, ready: () => answers(port) });

  const closeDecisions = (): Promise<void> =>
    new Promise((resolve) => {
      decisions.closeAllConnections();
      decisions.close(() => {
        rmSync(paths.decisionSocket, { force: true });
        resolve();
      });
    });
  return {
    port,
    url: `http://localhost:${port}`,
    paths,
    upstream,
    asked: () => asked,
    controlled: () => controlled,
    decideWith: (next) => {
      decide = next;
    },
    killDecisions: closeDecisions,
    async restoreDecisions() {
      decisions = await startDecisions();
    },
    clear() {
      asked.length = 0;
      controlled.length = 0;
      upstream.clear();
      decide = allowTokens;
    },
    accessLog: () =>
      readFileSync(paths.accessLog, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): Record<string, unknown> => JSON.parse(line)),
    async stop() {
      await nginx.stop({ graceMs: 2000 });
      await closeDecisions();
      control.closeAllConnections();
      await new Promise((resolve) => control.close(resolve));
      await upstream.close();
      removeRuntimeDir(paths);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Resolves true once nginx answers anything. */
async function answers(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/`).then(
    () => true,
    () => false,
  );
}

/** Plain http on `port`, one Prefect behind it. */
export function stubConfig(port: number, upstream: Pick<Recorder, 'url' | 'authString'>, basePath = ''): Config {
  return {
    publicUrl: { origin: `http://localhost:${port}`, hostname: 'localhost', port, secure: false, basePath },
    listen: [{ host: '127.0.0.1', port }],
    node: 'n1',
    mode: 'enforce',
    tls: null,
    proxies: { terminateTls: false, trusted: [] },
    prefect: {
      servers: [upstream.url],
      authString: upstream.authString,
      apiKey: null,
      credentialFile: null,
      next: null,
      caFile: null,
      answerTimeoutMs: 55_000,
    },
    identityProviders: [],
    roles: [],
    policies: null,
    sessions: { idleSeconds: 60, absoluteSeconds: 60 },
    cliSeconds: 2_592_000,
    limits: [{ kind: 'everyone', name: '', rate: { perSecond: 100_000, burst: 100_000 }, concurrency: null }],
    forwardHeaders: [],
    forwardProxy: null,
    oauthClients: [],
    oauthClientHosts: [],
    agents: [],
    approvals: [],
    services: [],
    startedByTag: false,
    ledger: { failClosed: true, retentionSeconds: null },
    exports: [],
    metrics: null,
    traces: null,
    scim: [],
    storeAt: join(tmpdir(), 'unused.db'),
    storeListen: null,
    shutdownDelaySeconds: 0,
  };
}

/** A stand-in for a server of the control plane. */
export async function listenUnix(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer({ keepAliveTimeout: 120_000 }, handler);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o666);
  return server;
}

export { waitFor };
