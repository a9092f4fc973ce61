// services: the keys of a service. Those that depend on each other become values in src/config/sections/services.ts.
import { z } from 'zod';
import type { Files } from '../sections/context.ts';
import { injectKey } from '../sections/service-credential.ts';
import { limitKey } from '../sections/service-limit.ts';
import { forwardHeaders } from '../sections/traffic.ts';
import type { ServiceHealth, ServiceRetries } from '../service.ts';
import { says } from './issues.ts';
import { count, duration, filePath, httpUrl, seconds, slug, strings, text } from './scalars.ts';

const server = z.union([
  httpUrl,
  z.strictObject({
    url: httpUrl.describe('Address of one server; a path is put before that of the call, and is the same for all.'),
    weight: count.default(1).describe('Share of the requests.'),
    backup: z.boolean().default(false).describe('true: only while the others are away.'),
  }),
]);

const routes = z.strictObject({
  methods: strings.optional().describe('These methods; GET stands for HEAD as well. Default: all.'),
  paths: strings.optional().describe('These paths, each a route that policies can name; * stands for any text: ["/v1/*"]. Default: all.'),
});

const tls = z.strictObject({
  ca_file: filePath.optional().describe('Authorities that signed their certificates, PEM. Default: those of the system.'),
  cert: filePath.optional().describe('Certificate of the gateway as a client, PEM.'),
  key: filePath.optional().describe('Its private key, PEM.'),
});

const cacheRule = z.strictObject({
  paths: strings.describe('Of these paths, as in allow; the most specific pattern counts.'),
  ttl: z.union([duration, z.literal('upstream')]).describe('For so long: 60s. upstream: as long as its Cache-Control or Expires says.'),
  shared: z.boolean().default(false).describe('true: one answer for everybody. Default: each principal has its own.'),
  stale_if_error: duration.optional().describe('And so long beyond, while the service is away or answers 500, 502, 503 or 504. Default: not at all.'),
  max_answer: z
    .string()
    .regex(/^[1-9][0-9]{0,5}(kB|MB)$/, 'Write bytes: 10MB.')
    .optional()
    .describe('A larger answer is not stored: 10MB (kB, MB), which is the default; at most 64MB.'),
});

const HEALTH_PATH = /^(?:\/[A-Za-z0-9._~!'()*+,=:@&%-]*)+(?:\?[A-Za-z0-9._~!'()*+,=:@&%/-]*)?$/;

const health = z
  .strictObject({
    path: text
      .refine((path) => HEALTH_PATH.test(path), says('is no path', 'Write it as /health.'))
      .describe('What is asked of each: /health. An answer below 400 is a success.'),
    interval: seconds.prefault('1s').describe('How often.'),
    unhealthy_after: count.default(2).describe('Failures in a row until a server is out.'),
    healthy_after: count.default(2).describe('Successes in a row until it is back.'),
  })
  .transform(({ path, interval, unhealthy_after: unhealthyAfter, healthy_after: healthyAfter }): ServiceHealth => {
    return { path, intervalMs: Math.max(100, interval * 1000), unhealthyAfter, healthyAfter };
  });

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

export function serviceShape(files: Files) {
  return z.strictObject({
    name: slug.describe('Below /.lictor/svc/NAME: small letters, digits, hyphens.'),
    servers: z.array(server).min(1).describe('Where it is: addresses, or { url, weight, backup }.'),
    balance: z
      .enum(['round_robin', 'least_connections', 'hash_by_run'])
      .default('round_robin')
      .describe(
        'Which server gets the next call: round_robin by weight, least_connections the one with the fewest calls under way, hash_by_run always the same one for a run (no backup, no health).',
      ),
    allow: z.array(routes).optional().describe('What may be called. Default: everything; who may is policy.'),
    tls: tls.optional().describe('How its servers are met by https.'),
    inject: injectKey(files).optional(),
    limit: limitKey.optional(),
    sockets: z.boolean().default(false).describe('true: WebSockets pass, decided like a GET of their path. Default: an Upgrade is refused.'),
    cache: z
      .array(cacheRule)
      .optional()
      .describe('Which answers of GET and HEAD are stored, so that the service is asked less often: docs/how-to/service-cache.md.'),
    health: health.optional().describe('How its servers are checked, where there are several: docs/how-to/service-servers.md.'),
    retries: retries.optional().describe('How often a call without a body that broke off is made again. Default: once at each other server.'),
    timeout: seconds.prefault('60s').describe('How long it may take until an answer begins, and between two pieces of it.'),
    forward_headers: forwardHeaders.prefault([]).describe('Request headers that reach it beside the built-in list (docs/reference/service-calls.md).'),
  });
}

export type WireService = z.output<ReturnType<typeof serviceShape>>;
