// services: what tasks may call, where it is, and with which credentials the gateway goes there.
import { z } from 'zod';
import type { Report } from '../report.ts';
import { reporter, says, withoutDuplicates } from '../schema/issues.ts';
import { slug, timerSeconds } from '../schema/scalars.ts';
import type { Service, ServiceRetries, ServiceServer } from '../service.ts';
import type { Context } from './context.ts';
import { cacheKey } from './service-cache.ts';
import { injectKey } from './service-credential.ts';
import { limitKey } from './service-limit.ts';
import { allowKey } from './service-routes.ts';
import { healthKey, serversKey } from './service-servers.ts';
import { readServiceTls, tlsKey } from './service-tls.ts';
import { forwardHeaders } from './traffic.ts';

export function servicesSection(context: Context) {
  return z
    .array(service(context))
    .superRefine(...withoutDuplicates('name', () => ['is the name of another service', 'Give each a name of its own.'], ['name']))
    .prefault([])
    .describe('What tasks may call through the gateway (docs/how-to/services.md).');
}

function service(context: Context) {
  return wireService(context).transform((wire, issues): Service => {
    const report = reporter(issues);
    checkHostNames(wire, report);
    checkBalance(wire, report);
    checkSockets(wire, report);
    return {
      name: wire.name,
      servers: wire.servers.map(({ origin, weight, backup }): ServiceServer => ({ origin, weight, backup })),
      balance: wire.balance,
      path: wire.servers[0]?.path ?? '',
      routes: wire.allow,
      ...readServiceTls(wire, context, report),
      injected: wire.inject ?? null,
      timeoutSeconds: Math.ceil(wire.timeout),
      forwardHeaders: wire.forward_headers,
      limit: wire.limit ?? null,
      sockets: wire.sockets,
      cache: wire.cache ?? [],
      retries: wire.retries ?? null,
      health: wire.health ?? null,
    };
  });
}

/** The audience of an ID token is a client, and the key that signs ID tokens signs assertions for services too. */
const CLIENT_IDS: readonly string[] = ['lictor-cli'];

const retries = z
  .strictObject({
    attempts: z.int().min(1).max(5).describe('How often it is made at most: 1 to 5.'),
    budget: z
      .string()
      .regex(/^[1-9][0-9]?%$/, 'Write a percentage: 10%.')
      .transform((percent) => Number.parseInt(percent, 10) / 100)
      .optional()
      .describe('Share of the calls of the last minute that may be repeats: 10%. Default: no bound.'),
  })
  .transform(({ attempts, budget = null }): ServiceRetries => ({ attempts, budget }));

function wireService(context: Context) {
  return z.strictObject({
    name: slug
      .refine((name) => !CLIENT_IDS.includes(name), says('is the name of a client of the gateway', 'Take another name.'))
      .describe('Below /.lictor/svc/NAME: small letters, digits, hyphens.'),
    servers: serversKey(context).describe('Where it is: addresses, or { url, weight, backup }.'),
    balance: z
      .enum(['round_robin', 'least_connections', 'hash_by_run'])
      .default('round_robin')
      .describe(
        'Which server gets the next call: round_robin by weight, least_connections the one with the fewest calls under way, hash_by_run always the same one for a run (no backup, no health).',
      ),
    allow: allowKey.describe('What may be called. Default: everything. Policies decide who may call it.'),
    tls: tlsKey.optional().describe('How Lictor verifies its https servers.'),
    inject: injectKey(context).optional(),
    limit: limitKey.optional(),
    sockets: z.boolean().default(false).describe('true: WebSockets pass, decided like a GET of their path. Default: an Upgrade is refused.'),
    cache: cacheKey.optional().describe('Which answers of GET and HEAD are stored, so that the service is asked less often: docs/how-to/service-cache.md.'),
    health: healthKey.optional().describe('How its servers are checked, where there are several: docs/how-to/service-servers.md.'),
    retries: retries.optional().describe('How often a call without a body that broke off is made again. Default: once at each other server.'),
    timeout: timerSeconds.prefault('60s').describe('How long it may take until an answer begins, and between two pieces of it; at most 24d.'),
    forward_headers: forwardHeaders.prefault([]).describe('Request headers that reach it beside the built-in list (docs/reference/service-calls.md).'),
  });
}

type Wire = z.output<ReturnType<typeof wireService>>;

/** nginx verifies the certificates of all servers against one name. With health checks, each server has its own. */
function checkHostNames({ servers, health }: Wire, report: Report): void {
  const [first, ...others] = servers;
  if (first?.secure !== true || health !== undefined || others.every(({ hostname }) => hostname === first.hostname)) return;
  report(
    ['servers'],
    'has https servers with different host names',
    'Give all of them one host name, which nginx verifies in their certificates, or add health.',
  );
}

/** The hash of nginx supports neither backup servers nor the server of the gateway that answers when all others are out. */
function checkBalance({ balance, health, servers, retries: repeats, inject }: Wire, report: Report): void {
  if (balance !== 'hash_by_run') return;
  const beside = (what: string, remedy: string): void => report(['balance'], `stands beside ${what}`, remedy);
  if (servers.some(({ backup }) => backup)) beside('a backup server', 'Remove backup: the runs of a server that is away go to the others.');
  if (health !== undefined && servers.length > 1) beside('health', 'Remove one of them: a server that takes no connection is left out without health too.');
  if (repeats !== undefined) beside('retries', 'Remove one of them: a call that breaks off is made again without retries too.');
  if (inject !== undefined && ('query' in inject || 'sigv4' in inject))
    beside('a credential that goes through the control plane', 'Remove it, or take another balance.');
}

/** A socket is one long call. A rule that counts, paces, signs or balances each call cannot hold for it. */
function checkSockets({ sockets, inject, limit, balance }: Wire, report: Report): void {
  if (!sockets) return;
  const beside = (what: string, remedy: string): void => report(['sockets'], `stands beside ${what}`, remedy);
  const apart = 'Make a service of its own for sockets, with the same servers and without it.';
  if (inject !== undefined && 'query' in inject)
    beside('inject.query, which would be in no handshake', 'Show the key in a header (inject.header), or make a service of its own for sockets.');
  if (inject !== undefined && 'sigv4' in inject) beside('inject.sigv4, which signs calls and no handshake', apart);
  if (limit !== undefined)
    beside(`limit.${Object.entries(limit).find(([key, value]) => key !== 'per' && value !== null)?.[0] ?? 'per'}, which counts and paces calls`, apart);
  if (balance === 'hash_by_run') beside('balance: hash_by_run, which holds for calls alone', 'Take another balance, or make a service of its own for sockets.');
}
