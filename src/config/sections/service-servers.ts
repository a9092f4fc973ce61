// services[].servers and health: the addresses of a service, and how the gateway checks them.
import { z } from 'zod';
import { type Complaint, checkedBy, ONLY_IF_SOUND, reject, says } from '../schema/issues.ts';
import { count, httpUrl, text, timerSeconds } from '../schema/scalars.ts';
import type { ServiceHealth, ServiceServer } from '../service.ts';
import type { Context } from './context.ts';
import { isLoopback, type PlainUrl, parsePlainUrl } from './public-url.ts';

type Neighbours = Pick<Context, 'listen' | 'prefectServers'>;

export function serversKey(neighbours: Neighbours) {
  const address = httpUrl.transform((written, issues) => {
    const read = readAddress(written, neighbours);
    return 'message' in read ? reject(issues, read) : read;
  });
  const server = z.union([
    address.transform((parts) => ({ ...parts, weight: 1, backup: false })),
    z
      .strictObject({
        url: address.describe('Address of one server; a path is put before that of the call, and is the same for all.'),
        weight: count.default(1).describe('Share of the requests.'),
        backup: z.boolean().default(false).describe('true: only while the others are away.'),
      })
      .transform(({ url, weight, backup }) => ({ ...url, weight, backup })),
  ]);
  return z.array(server).min(1).superRefine(checkedBy(listComplaint), ONLY_IF_SOUND);
}

function readAddress(written: string, { listen, prefectServers }: Neighbours): PlainUrl | Complaint {
  const parts = parsePlainUrl(written);
  const path = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;
  if (parts === undefined || !path.test(parts.path) || written.replace(/^https?:\/\/[^/]*/, '').replace(/\/+$/, '') !== parts.path)
    return {
      message: 'must be scheme, host, maybe a port and a plain path, and nothing else',
      remedy: 'Write it as http://10.1.0.1:8080; credentials go to inject.',
    };
  if (prefectServers.includes(parts.origin))
    return { message: 'is the Prefect server, which has its own way through the gateway', remedy: 'Remove it: flows reach Prefect by PREFECT_API_URL.' };
  if (listen.some(({ port }) => port === parts.port) && isLoopback(parts.hostname))
    return { message: 'is where the gateway itself listens', remedy: 'Name the service itself.' };
  return parts;
}

function listComplaint(servers: readonly (PlainUrl & ServiceServer)[]): Complaint | undefined {
  const distinct = (key: 'origin' | 'path' | 'secure'): number => new Set(servers.map((server) => server[key])).size;
  if (distinct('origin') < servers.length) return { message: 'names a server twice', remedy: 'Name each once, and give it a weight.' };
  if (distinct('path') > 1) return { message: 'has different paths', remedy: 'Give all the same path, or make two services of them.' };
  if (distinct('secure') > 1) return { message: 'has http and https', remedy: 'Let all speak the same.' };
  if (servers.every(({ backup }) => backup)) return { message: 'has no server but backups', remedy: 'Leave backup out for at least one.' };
  return undefined;
}

const HEALTH_PATH = /^(?:\/[A-Za-z0-9._~!'()*+,=:@&%-]*)+(?:\?[A-Za-z0-9._~!'()*+,=:@&%/-]*)?$/;

export const healthKey = z
  .strictObject({
    path: text
      .refine((path) => HEALTH_PATH.test(path), says('is no path', 'Write it as /health.'))
      .describe('What is asked of each: /health. An answer below 400 is a success.'),
    interval: timerSeconds.prefault('1s').describe('How often, at most 24d.'),
    unhealthy_after: count.default(2).describe('Failures in a row until a server is out.'),
    healthy_after: count.default(2).describe('Successes in a row until it is back.'),
  })
  .transform(({ path, interval, unhealthy_after: unhealthyAfter, healthy_after: healthyAfter }): ServiceHealth => {
    return { path, intervalMs: Math.max(100, interval * 1000), unhealthyAfter, healthyAfter };
  });
