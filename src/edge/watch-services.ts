// Asks the servers of services by themselves, so that one that does not answer gets no calls until it does.
import { readFileSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { Config } from '../config/config.ts';
import type { Service, ServiceHealth } from '../config/service.ts';
import { isHealthChecked, serverId } from '../config/service-way.ts';
import type { StatePaths } from '../config/state-dir.ts';
import type { ServiceCredentials } from '../egress/credentials.ts';
import type { Health } from '../prefect/health.ts';
import { startBalancer } from './balancer.ts';
import { watchPrefect } from './watch-prefect.ts';

export interface WatchParts {
  readonly paths: StatePaths;
  readonly log: Logger;
  readonly credentials: ServiceCredentials;
}

interface ServicesHealth {
  stop(): Promise<void>;
}

/** What answers as it should not counts as slow: it is out only while another is not, so that a wrong path of health ends no service. */
function watchServices({ services }: Pick<Config, 'services'>, parts: WatchParts): ServicesHealth {
  const watched = services.flatMap((service) => (service.health !== null && isHealthChecked(service) ? [watch(service, service.health, parts)] : []));
  return { stop: async () => void (await Promise.all(watched.map((one) => one.stop()))) };
}

/** Prefect's servers and those of services, for the life of one configuration. */
export function watchUpstreams(config: Config, parts: WatchParts): ReturnType<typeof watchPrefect> {
  const prefect = watchPrefect(config, parts);
  const services = watchServices(config, parts);
  return { usable: prefect.usable, stop: async () => void (await Promise.all([prefect.stop(), services.stop()])) };
}

function watch(service: Service, health: ServiceHealth, { paths, log, credentials }: WatchParts): ServicesHealth {
  const agent = agentFor(service, health);
  const origins = new Map(service.servers.map((server) => [serverId(service, server), server.origin]));
  const balancer = startBalancer({
    paths,
    servers: [...origins.keys()],
    probe: (id) => ask({ service, health, agent, credentials, url: `${origins.get(id) ?? ''}${health.path}` }),
    intervalMs: health.intervalMs,
    answers: (seen) => (seen === 'usable' ? health.healthyAfter : health.unhealthyAfter),
    whose: `service ${service.name}:`,
    log,
  });
  return {
    async stop() {
      await balancer.stop();
      await agent.close();
    },
  };
}

/** As nginx meets it: the same authorities, the same certificate. */
function agentFor({ caFile, certificate }: Service, health: ServiceHealth): Agent {
  const own = certificate === null ? {} : { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) };
  const timeoutMs = timeoutOf(health);
  return new Agent({
    connect: { timeout: timeoutMs, ...(caFile !== null && { ca: readFileSync(caFile) }), ...own },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

function timeoutOf({ intervalMs }: ServiceHealth): number {
  return Math.min(2_000, Math.max(500, intervalMs));
}

interface Question {
  readonly service: Service;
  readonly health: ServiceHealth;
  readonly agent: Agent;
  readonly credentials: ServiceCredentials;
  readonly url: string;
}

async function ask({ service, health, agent, credentials, url }: Question): Promise<Health> {
  try {
    const asked = await authenticated(service, new URL(url), credentials);
    if (asked === undefined) return 'slow';
    const { statusCode, body } = await request(asked.url, { dispatcher: agent, headers: asked.headers, signal: AbortSignal.timeout(timeoutOf(health)) });
    await body.dump();
    return statusCode < 400 ? 'usable' : 'slow';
  } catch {
    return 'slow'; // refused, too late, or nobody to trust: told by the log as a change
  }
}

/** With the service's own credential. Undefined: there is none just now. */
async function authenticated({ name, injected }: Service, { origin, host, pathname, search }: URL, { tokens, strategyOf }: ServiceCredentials) {
  const target = `${pathname}${search}`;
  const headers = { 'user-agent': 'lictor-health' };
  const made = await strategyOf(name)?.authenticateCall({ method: 'GET', target, headers: { ...headers, host }, body: Buffer.alloc(0) });
  if (made?.ok === false) return undefined;
  if (made !== undefined) return { url: `${origin}${made.target}`, headers: withText(made.headers) };
  const url = `${origin}${target}`;
  if (injected !== null && 'header' in injected) return { url, headers: { ...headers, [injected.header]: injected.value } };
  const token = await tokens.of(name);
  return { url, headers: token == null ? headers : { ...headers, authorization: `Bearer ${token.token}` } };
}

function withText(headers: OutgoingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
