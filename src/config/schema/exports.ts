// Where records and spans are sent.
import { z } from 'zod';
import { duration, filePath, httpUrl, slug, text } from './scalars.ts';

export const ledgerExport = z.strictObject({
  type: z.enum(['otlp', 'syslog', 'ndjson', 'webhook']),
  url: text,
  name: slug.optional(),
  format: z.enum(['record', 'ocsf']).default('record'),
  from: z.enum(['now', 'start']).default('now'),
  events: z.boolean().default(false),
  timeout: duration.default('15s'),
  ca_file: filePath.optional(),
  headers_file: filePath.optional(),
  secret_file: filePath.optional(),
});

export const traces = z.strictObject({
  url: httpUrl,
  sample: z
    .string()
    .regex(/^(?:100|[1-9]?[0-9](?:\.[0-9]{1,3})?)%$/, 'must be a share: 10%')
    .default('10%'),
  timeout: duration.default('5s'),
  ca_file: filePath.optional(),
  headers_file: filePath.optional(),
});
