// The whole of lictor.yaml as the contract fixes it; lictor.schema.json is generated from here.
import { z } from 'zod';
import { DESCRIPTIONS } from './descriptions.ts';
import { ledgerExport, traces } from './exports.ts';
import { identityProvider } from './identity.ts';
import { schemaKeys } from './keys.ts';
import { roleBinding } from './roles.ts';
import { count, duration, filePath, headerName, hostPort, httpUrl, rate, strings, text, unixSocket } from './scalars.ts';
import { forwardProxy, service } from './services.ts';

const tls = z
  .strictObject({
    cert: filePath.optional().describe('Certificate chain of public_url, PEM.'),
    key: filePath.optional().describe('Its private key, PEM without a passphrase.'),
    self_made: z.boolean().optional().describe('Instead of cert and key: the gateway makes them, with an authority of its own that clients are given.'),
    client_ca: filePath.optional().describe('Authorities that sign client certificates, PEM; with an identity provider of type mtls.'),
    client_crl: filePath.optional().describe('Their revocation lists, PEM: one for every authority of a chain.'),
  })
  .describe('The certificate of public_url: cert and key, or self_made: true.');

const prefect = z
  .strictObject({
    url: httpUrl.optional().describe('The Prefect server, without /api: http://127.0.0.1:4200'),
    servers: z.array(httpUrl).min(1).optional().describe('The same for several servers.'),
    auth_string: text.optional().describe('user:password of Prefect, from the environment: ${PREFECT_AUTH}'),
    auth_string_file: filePath.optional().describe('File with user:password, as in PREFECT_SERVER_API_AUTH_STRING.'),
    api_key_file: filePath.optional().describe('Instead: file with a key that is shown as Bearer, where what stands before Prefect wants one.'),
    ca_file: filePath.optional(),
    timeout: duration.default('55s'),
  })
  .describe('The server behind the gateway.');

const sessions = z
  .strictObject({ idle: duration.default('8h'), absolute: duration.default('24h'), cli: duration.default('30d') })
  .describe('How long a browser session lives without use, and at most; and a login of the command line.');

const limit = z.strictObject({
  for: z.string().regex(/^(?:\*|role:.+|principal:.+|service:.+)$/u, 'must be "*", role:NAME, principal:ID or service:NAME'),
  rate: rate.optional(),
  burst: count.optional(),
  concurrency: count.optional(),
});

const ledger = z.strictObject({
  fail_closed: z.boolean().default(true).describe('Refuse changes while the ledger cannot be written.'),
  retention: duration.optional(),
  export: z.array(ledgerExport).optional(),
});

export const configSchema = z
  .strictObject({
    public_url: httpUrl.describe('What people and workers type: https://prefect.example.com, or with a path: https://example.com/prefect'),
    listen: z
      .union([hostPort, z.array(hostPort).min(1)])
      .optional()
      .describe('HOST:PORT, or a list; default from public_url.'),
    tls: tls.optional(),
    tls_terminated_upstream: z.boolean().optional(),
    trusted_proxies: strings.optional(),
    prefect,
    identity_providers: z.array(identityProvider).default([]),
    roles: z.array(roleBinding).default([]),
    policies: filePath.optional(),
    sessions: sessions.prefault({}),
    limits: z.array(limit).default([]),
    forward_headers: z.array(headerName).default([]).describe('Request headers that reach Prefect beside the built-in list.'),
    started_by_tag: z
      .boolean()
      .default(false)
      .describe('true: runs that somebody creates get the tag started-by:NAME, and nobody else may put, change or remove such a tag.'),
    services: z.array(service).optional(),
    forward_proxy: forwardProxy.optional(),
    ledger: ledger.prefault({}),
    store: text.default('sqlite:lictor.db').describe('sqlite:FILE, relative to the state directory.'),
    metrics: z.strictObject({ listen: z.union([hostPort, unixSocket]) }).optional(),
    traces: traces.optional(),
    agents: z.array(z.unknown()).optional(),
    approvals: z.record(z.string(), z.unknown()).optional(),
  })
  .describe('Configuration of Lictor, an identity-aware gateway for Prefect.');

/** The file's content after validation, in its own spelling. */
export type WireConfig = z.output<typeof configSchema>;

/** The same with any section absent, to check the sound ones of a broken file. */
export const sectionsSchema = configSchema.partial();
export type WireSections = z.output<typeof sectionsSchema>;

/** The JSON Schema that is published as lictor.schema.json. */
export function jsonSchema(): Record<string, unknown> {
  const schema = { title: 'lictor.yaml', ...z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) };
  for (const { place, node } of schemaKeys(schema)) node['description'] = DESCRIPTIONS[place] ?? node['description'];
  return schema;
}

/** The same as text. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
