// Outgoing connections: with additional authorities, and through the proxy of HTTPS_PROXY, for requests and sockets alike.
import { type ClientRequest, Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isLoopback } from '../../config/sections/public-url.ts';

export interface Transport {
  /** Not sent yet: the caller writes and ends the body. */
  open(url: URL, options: RequestOptions): ClientRequest;
  /** For a socket to that URL. */
  agentFor(url: URL): HttpAgent;
  close(): void;
}

export interface TransportOptions {
  /** PEM texts. */
  readonly authorities: readonly string[];
  /** HTTP_PROXY, HTTPS_PROXY, NO_PROXY in either case; loopback addresses never go through a proxy. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** nginx closes idle connections after 75 s. Close earlier, or a request meets a closing connection. */
const IDLE_MS = 50_000;

export function createTransport({ authorities, env }: TransportOptions): Transport {
  const common = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const trust = { ca: [...authorities] };
  const proxyEnv = pickProxies(env);
  const near = { http: new HttpAgent(common), https: new HttpsAgent({ ...common, ...trust }) };
  const far = { http: new HttpAgent({ ...common, proxyEnv }), https: new HttpsAgent({ ...common, ...trust, proxyEnv }) };
  const agentFor = ({ protocol, hostname }: URL): HttpAgent => {
    const agents = isLoopback(hostname) ? near : far;
    return protocol === 'https:' ? agents.https : agents.http;
  };
  return {
    open: (url, options) => (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { ...options, agent: agentFor(url) }),
    agentFor,
    close() {
      for (const { http, https } of [near, far]) {
        http.destroy();
        https.destroy();
      }
    },
  };
}

const PROXY_NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'] as const;

function pickProxies(env: TransportOptions['env']): Record<string, string> {
  return Object.fromEntries(PROXY_NAMES.flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])));
}
