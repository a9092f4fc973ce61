// The thread of the service proxy, so that bodies, signatures and stored answers do not delay decisions.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { createFromEdge } from '../../authorization/decide/from-edge.ts';
import type { Config } from '../../config/config.ts';
import { downFile } from '../../config/down-file.ts';
import { isHealthChecked, serverId } from '../../config/service-way.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { steadyClock, systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { createServiceProxy } from '../../proxies/egress/proxy/service-proxy.ts';
import { closeServer, listenOn } from './listening.ts';

export type ProxyConfig = Pick<Config, 'services' | 'forwardHeaders'>;

export interface ProxySetup {
  readonly paths: Pick<StatePaths, 'proxySocket' | 'memberSockets'>;
  readonly edgeSecret: string;
  readonly config: ProxyConfig;
  /** Above it, nginx answers 503, because the control plane needs descriptors for decisions. */
  readonly mostCalls: number;
}

export type ToProxy = { readonly kind: 'use'; readonly config: ProxyConfig } | { readonly kind: 'close' };
export type FromProxy = { readonly kind: 'listening' } | { readonly kind: 'warn'; readonly fields: object; readonly text: string };

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The service proxy is a worker thread only.');
// Only openServiceProxy sends these, so the shape is trusted.
const { paths, edgeSecret, config, mostCalls } = workerData as ProxySetup;
const post = (message: FromProxy): void => port.postMessage(message);

const proxy = createServiceProxy({
  clock: systemClock,
  steady: steadyClock,
  log: { warn: (fields, text) => post({ kind: 'warn', fields, text }) },
  isDown: (service, server) => isHealthChecked(service) && existsSync(downFile(paths, serverId(service, server))),
});
proxy.use(config);
const fromEdge = createFromEdge(edgeSecret);
const HEADER_BYTES = 256 << 10;
/** nginx limits the time that a client has for a body. */
const options = { maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000, requestTimeout: 0 };
const server = createServer(options, (request, response) => {
  if (fromEdge(request)) proxy.handle(request, response);
  else request.socket.destroy();
});
server.maxConnections = mostCalls;
server.on('clientError', (_error, socket) => void socket.destroy());
await listenOn(server, paths.proxySocket);
post({ kind: 'listening' });
port.on('message', (message: ToProxy) => {
  if (message.kind === 'use') proxy.use(message.config);
  else void closeServer(server).then(() => process.exit());
});
