// Health checks of service servers: a server that does not answer gets no calls until it does.
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { Config } from '../../config/config.ts';
import type { Service, ServiceHealth } from '../../config/service.ts';
import { isHealthChecked, serverId } from '../../config/service-way.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Health } from '../../prefect/client/health.ts';
import { startBalancer } from './balancer.ts';
import { type PrefectWatch, watchPrefect } from './watch-prefect.ts';

export interface WatchParts {
  readonly paths: StatePaths;
  readonly log: Logger;
  /** Adds the credential of the service. Undefined: none at present. */
  readonly authenticate: (service: Service, url: URL) => Promise<HealthRequest | undefined>;
}

interface HealthRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface ServicesHealth {
  stop(): Promise<void>;
}

/** A wrong status counts as slow. A slow server is only skipped while another is usable, so a wrong health path stops no service. */
function watchServices({ services }: Pick<Config, 'services'>, parts: WatchParts): ServicesHealth {
  const watched = services.flatMap((service) => (service.health !== null && isHealthChecked(service) ? [watch(service, service.health, parts)] : []));
  return { stop: async () => void (await Promise.all(watched.map((one) => one.stop()))) };
}

/** Prefect's servers and those of services, for the life of one configuration. */
export function watchUpstreams(config: Config, parts: WatchParts): PrefectWatch {
  const prefect = watchPrefect(config, parts);
  const services = watchServices(config, parts);
  return { usable: prefect.usable, status: prefect.status, stop: async () => void (await Promise.all([prefect.stop(), services.stop()])) };
}

function watch(service: Service, health: ServiceHealth, { paths, log, authenticate }: WatchParts): ServicesHealth {
  const agent = agentFor(service, health);
  const origins = new Map(service.servers.map((server) => [serverId(service, server), server.origin]));
  const balancer = startBalancer({
    paths,
    servers: [...origins.keys()],
    probe: (id) => ask({ service, health, agent, authenticate, url: `${origins.get(id) ?? ''}${health.path}` }),
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

/** With the same authorities and client certificate as nginx. */
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
  readonly authenticate: WatchParts['authenticate'];
  readonly url: string;
}

async function ask({ service, health, agent, authenticate, url }: Question): Promise<Health> {
  try {
    const asked = await authenticate(service, new URL(url));
    if (asked === undefined) return 'slow';
    const { statusCode, body } = await request(asked.url, { dispatcher: agent, headers: asked.headers, signal: AbortSignal.timeout(timeoutOf(health)) });
    await body.dump();
    return statusCode < 400 ? 'usable' : 'slow';
  } catch {
    return 'slow'; // refused, too late, or not trusted: the log reports the change
  }
}
