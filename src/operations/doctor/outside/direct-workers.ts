// Workers that bypass the gateway, or use it with Prefect's own auth string. `lictor migrate workers` counts the same.
import { ok, type Verdict, warn } from '../finding.ts';
import { allWorkers } from './all-workers.ts';
import { type ComparedWorker, compareWorkers, type SeenAtGateway } from './compare-workers.ts';
import { notReached, type UpstreamSubject } from './upstream.ts';

const NAMED = 5;

/** Empty where no worker is online, or the gateway does not run. */
export async function checkDirectWorkers(
  servers: readonly UpstreamSubject[],
  readSeen: () => Promise<SeenAtGateway | undefined>,
  apiUrl: string,
): Promise<readonly Verdict[]> {
  const workers = await allWorkers(servers, 'online');
  if (!workers.ok) return [notReached('the workers', `${servers[0]?.url ?? ''}/api/work_pools/filter`, workers.why)];
  const { online } = workers;
  // Prefect first: a worker that moves between the two answers is then seen here with a later heartbeat.
  const seen = online.length === 0 ? undefined : await readSeen();
  if (seen === undefined) return [];
  const compared = compareWorkers(online, seen);
  const direct = compared.filter(({ way }) => way === 'direct' || way === 'both');
  const shared = compared.filter(({ way }) => way === 'shared-password');
  if (direct.length + shared.length === 0)
    return [ok(`${online.length === 1 ? 'the one online worker uses' : `all ${online.length} online workers use`} the gateway`)];
  const restart = `Restart them with PREFECT_API_URL=${apiUrl} and a token (lictor migrate workers prints the lines)`;
  const bypassing = warn(
    `${direct.length} of ${online.length} workers bypass the gateway, and Prefect accepts their direct requests: ${named(direct)}`,
    `${restart}, then close Prefect's port to all but the gateway: docs/how-to/network-rules.md.`,
  );
  const byPassword = warn(
    `${shared.length} of ${online.length} workers use the gateway with Prefect's auth string, which only observe mode accepts: ${named(shared)}`,
    `${restart}, before you enforce or change the auth string: both end these workers.`,
  );
  return [...(direct.length > 0 ? [bypassing] : []), ...(shared.length > 0 ? [byPassword] : [])];
}

function named(workers: readonly ComparedWorker[]): string {
  const names = workers.slice(0, NAMED).map(({ name, pool }) => `${JSON.stringify(name)} of pool ${JSON.stringify(pool)}`);
  return `${names.join(', ')}${workers.length > NAMED ? ', ...' : ''}`;
}
