// Checks which Prefect servers are usable, with the gateway's credential.
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Health } from '../../prefect/client/health.ts';
import { createUpstream, type Upstream } from '../../prefect/client/upstream.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { startBalancer } from './balancer.ts';

interface Watcher {
  readonly paths: StatePaths;
  readonly log: Logger;
}

/** Each of several servers has a separate client. */
export function watchPrefect({ prefect, publicUrl }: Config, { paths, log }: Watcher): ReturnType<typeof startBalancer> {
  const clients = new Map(prefect.servers.map((server) => [server, createUpstream({ ...prefect, servers: [server], publicUrl, connectTimeoutMs: 500 })]));
  const probe = async (server: string): Promise<Health> => {
    const client = clients.get(server);
    return client === undefined ? 'away' : healthOf(client);
  };
  const health = startBalancer({ paths, servers: prefect.servers, probe, log });
  return {
    usable: health.usable,
    async stop() {
      await health.stop();
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** Not /api/health, which Prefect answers without a credential: a server that rejects the gateway's credential is unusable. */
export async function prefectAnswers(upstream: Upstream, signal = AbortSignal.timeout(2000)): Promise<boolean> {
  const answer = await upstream.request({ method: 'GET', path: '/api/admin/version', signal });
  return answer.status === 200;
}

async function healthOf(client: Upstream): Promise<Health> {
  const signal = AbortSignal.timeout(1000);
  try {
    return (await prefectAnswers(client, signal)) ? 'usable' : 'away';
  } catch (error) {
    if (signal.aborted) return 'slow';
    return error instanceof UpstreamError && error.refused ? 'refuses' : 'away';
  }
}
