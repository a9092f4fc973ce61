// services: what tasks may call. Some keys are built later (not-built.ts).
import { z } from 'zod';
import { count, duration, filePath, headerName, httpUrl, rate, secretText, slug, strings, text } from './scalars.ts';

const server = z.union([httpUrl, z.strictObject({ url: httpUrl, weight: count.optional(), backup: z.boolean().optional() })]);

const oauth = z.strictObject({
  token_url: httpUrl,
  client_id: text,
  client_secret_file: filePath.optional(),
  client_secret: secretText.optional(),
  client_auth: z.enum(['basic', 'post']).optional(),
  scope: text.optional(),
  audience: text.optional(),
  ca_file: filePath.optional(),
});

const parameterName = z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be a name of letters, digits, dots, hyphens and underscores, at most 64');
const awsName = z.string().regex(/^[a-z0-9-]{1,60}$/, 'must be small letters, digits and hyphens: eu-west-1');

const inject = z.union([
  z.strictObject({ header: z.strictObject({ name: headerName, value_file: filePath.optional(), value: secretText.optional() }) }),
  z.strictObject({ basic: z.strictObject({ user: text, password_file: filePath.optional(), password: secretText.optional() }) }),
  z.strictObject({ query: z.strictObject({ name: parameterName, value_file: filePath.optional(), value: secretText.optional() }) }),
  z.strictObject({ oauth }),
  z.strictObject({ sigv4: z.strictObject({ region: awsName, service: awsName, profile: text.optional() }) }),
]);

const limit = z.strictObject({
  per: z.enum(['principal', 'service']).optional(),
  rate: rate.optional(),
  burst: count.optional(),
  max_wait: duration.optional(),
  concurrency: count.optional(),
  bandwidth: z
    .string()
    .regex(/^[1-9][0-9]{0,5}(kB|MB|GB)\/s$/, 'Write bytes per second: 10MB/s.')
    .optional(),
});

const cacheRule = z.strictObject({
  paths: strings,
  ttl: z.union([duration, z.literal('upstream')]),
  shared: z.boolean().optional(),
  stale_if_error: duration.optional(),
  max_answer: z
    .string()
    .regex(/^[1-9][0-9]{0,5}(kB|MB)$/, 'Write bytes: 10MB.')
    .optional(),
});

const health = z.strictObject({
  path: text,
  interval: duration.optional(),
  unhealthy_after: count.optional(),
  healthy_after: count.optional(),
});

export const service = z.strictObject({
  name: slug,
  servers: z.array(server).min(1),
  balance: z.enum(['round_robin', 'least_connections', 'hash_by_run']).optional(),
  allow: z.array(z.strictObject({ methods: strings.optional(), paths: strings.optional() })).optional(),
  tls: z.strictObject({ ca_file: filePath.optional(), cert: filePath.optional(), key: filePath.optional() }).optional(),
  inject: inject.optional(),
  limit: limit.optional(),
  sockets: z.boolean().optional(),
  cache: z.array(cacheRule).optional(),
  health: health.optional(),
  retries: z
    .strictObject({
      attempts: z.int().min(1).max(5),
      budget: z
        .string()
        .regex(/^[1-9][0-9]?%$/, 'Write a percentage: 10%.')
        .optional(),
    })
    .optional(),
  timeout: duration.optional(),
  forward_headers: z.array(headerName).optional(),
});

export type WireService = z.output<typeof service>;
