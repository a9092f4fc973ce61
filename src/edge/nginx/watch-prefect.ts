// Checks which Prefect servers are usable, with the gateway's credential.
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Health } from '../../prefect/client/health.ts';
import { createUpstream, type Upstream, type UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { startBalancer } from './balancer.ts';

/** One answer of a server, asked for now. */
export interface ServerStatus {
  readonly url: string;
  readonly state: Health;
  /** Of Prefect. Null: unknown. */
  readonly version: string | null;
  /** Null: no answer. */
  readonly latencyMs: number | null;
}

export interface PrefectWatch {
  usable(): readonly string[];
  /** Asks every server. Never rejects. */
  status(): Promise<readonly ServerStatus[]>;
  stop(): Promise<void>;
}

interface Watcher {
  readonly paths: StatePaths;
  readonly log: Logger;
}

/** Each of several servers has a separate client. */
export function watchPrefect({ prefect, publicUrl }: Config, { paths, log }: Watcher): PrefectWatch {
  const clients = new Map(prefect.servers.map((server) => [server, createUpstream({ ...prefect, servers: [server], publicUrl, connectTimeoutMs: 500 })]));
  const probe = async (server: string): Promise<Health> => {
    const client = clients.get(server);
    return client === undefined ? 'away' : healthOf(client);
  };
  const health = startBalancer({ paths, servers: prefect.servers, probe, log });
  return {
    usable: health.usable,
    status: () => Promise.all([...clients].map(([server, client]) => statusOf(server, client))),
    async stop() {
      await health.stop();
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** Not /api/health, which Prefect answers without a credential: a server that rejects the gateway's credential is unusable. */
export async function prefectAnswers(upstream: Upstream, signal = AbortSignal.timeout(2000)): Promise<boolean> {
  return (await askVersion(upstream, signal)).status === 200;
}

function askVersion(upstream: Upstream, signal: AbortSignal): Promise<UpstreamAnswer> {
  return upstream.request({ method: 'GET', path: '/api/admin/version', signal });
}

async function statusOf(server: string, client: Upstream): Promise<ServerStatus> {
  const url = new URL(server).origin;
  const signal = AbortSignal.timeout(1000);
  try {
    const { status, body, upstreamMs } = await askVersion(client, signal);
    const version = /^"([0-9A-Za-z.+-]{1,64})"$/.exec(body.toString('utf8', 0, 100).trim())?.[1] ?? null;
    return { url, state: status === 200 ? 'usable' : 'away', version, latencyMs: upstreamMs };
  } catch (error) {
    return { url, state: stateAfter(error, signal), version: null, latencyMs: null };
  }
}

async function healthOf(client: Upstream): Promise<Health> {
  const signal = AbortSignal.timeout(1000);
  try {
    return (await prefectAnswers(client, signal)) ? 'usable' : 'away';
  } catch (error) {
    return stateAfter(error, signal);
  }
}

function stateAfter(error: unknown, signal: AbortSignal): Health {
  if (signal.aborted) return 'slow';
  return error instanceof UpstreamError && error.refused ? 'refuses' : 'away';
}
