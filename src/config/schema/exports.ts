// One sink of ledger.export.
import { z } from 'zod';
import { duration, filePath, slug, text } from './scalars.ts';

export const ledgerExport = z.strictObject({
  type: z.enum(['otlp', 'syslog', 'ndjson', 'webhook']),
  url: text,
  name: slug.optional(),
  format: z.enum(['record', 'ocsf']).default('record'),
  from: z.enum(['now', 'start']).default('now'),
  timeout: duration.default('15s'),
  ca_file: filePath.optional(),
  headers_file: filePath.optional(),
  secret_file: filePath.optional(),
});
