// ledger.export and traces: where records and spans are sent, and the secrets that go with them.
import { createHash } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { LedgerExport, Traces } from '../config.ts';
import { type Complaint, reject, reporter, withoutDuplicates } from '../schema/issues.ts';
import { filePath, httpUrl, slug, text, timerSeconds } from '../schema/scalars.ts';
import type { Files } from './context.ts';
import { noPem } from './files.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';

/** Not checked: that the address answers. */
export function exportsSection(files: Files) {
  return z
    .array(ledgerExport(files))
    .superRefine(...withoutDuplicates('name', () => ['has the name of another one', 'Give each a name of its own: name: siem-2']))
    .describe('Where records are sent as well (docs/how-to/exports.md).');
}

function ledgerExport(files: Files) {
  return wireExport(files).transform((wire, issues): LedgerExport => {
    const url = addressOf(wire, files);
    if (typeof url !== 'string') return reject(issues, url, ['url']);
    const { type, format, from, events, headers_file: headers = {} } = wire;
    checkHeaders({ ...wire, url }, issues);
    const ca = authoritiesOf({ ...wire, url }, files, issues);
    const name = wire.name ?? `${type}-${createHash('sha256').update(url).digest('hex').slice(0, 8)}`;
    const secret = secretOf(wire, issues);
    return { name, type, url, format, from, events, timeoutMs: toMs(wire.timeout), ca, headers, secret };
  });
}

function wireExport(files: Files) {
  return z.strictObject({
    type: z
      .enum(['otlp', 'syslog', 'ndjson', 'webhook'])
      .describe('How: OTLP logs over HTTP, syslog (RFC 5424) over TCP or TLS, NDJSON into a file or over HTTP, or a signed webhook.'),
    url: text.describe('Where to: https://collector:4318, tls://host:6514 or tcp://host:514, a path or https://..., https://...'),
    name: slug.optional().describe('Name of the sink in doctor, metrics and records. Default: its type and a digest of its address.'),
    format: z.enum(['record', 'ocsf']).default('record').describe('record: the fields of lictor audit --json. ocsf: events of OCSF 1.6.'),
    from: z.enum(['now', 'start']).default('now').describe('Where a new sink begins: with what comes from now on, or with the first record that there is.'),
    events: z.boolean().default(false).describe('The stored events of Prefect too, each once, before the record that speaks of them. Default: records alone.'),
    timeout: timerSeconds.prefault('15s').describe('How long one delivery may take, at most 24d.'),
    ca_file: filePath.optional().describe('Authorities that signed its certificate, PEM. Default: those of the system.'),
    headers_file: headersFile(files).optional(),
    secret_file: signingSecret(files).optional().describe('File with the secret that webhooks are signed with.'),
  });
}

type Wire = z.output<ReturnType<typeof wireExport>>;

export function tracesSection(files: Files) {
  return wireTraces(files)
    .optional()
    .transform((wire, issues): Traces | null => {
      if (wire === undefined) return null;
      const url = new URL(wire.url);
      if (hasUser(url)) return reject(issues, NO_USER, ['url']);
      checkHeaders({ ...wire, url: url.href }, issues);
      const ca = authoritiesOf(wire, files, issues);
      return { url: url.href, headers: wire.headers_file ?? {}, ca, timeoutMs: toMs(wire.timeout), share: Number.parseFloat(wire.sample) / 100 };
    })
    .describe('Spans of requests by OTLP over HTTP (docs/how-to/traces.md). Default: none.');
}

function wireTraces(files: Files) {
  return z.strictObject({
    url: httpUrl.describe('The collector: https://collector:4318; /v1/traces is added to an address without a path.'),
    sample: z
      .string()
      .regex(/^(?:100|[1-9]?[0-9](?:\.[0-9]{1,3})?)%$/, 'must be a share: 10%')
      .default('10%')
      .describe('Of the traces that begin at the gateway: 10%. Those that a client began are as it decided.'),
    timeout: timerSeconds.prefault('5s').describe('How long a delivery may take, at most 24d.'),
    ca_file: filePath.optional().describe("Authorities that signed the collector's certificate, PEM. Default: those of the system."),
    headers_file: headersFile(files).optional(),
  });
}

function toMs(timeout: number): number {
  return Math.max(1, timeout) * 1000;
}

const SCHEMES: Readonly<Record<LedgerExport['type'], { readonly schemes: readonly string[]; readonly example: string }>> = {
  otlp: { schemes: ['http:', 'https:'], example: 'https://collector.example.com:4318' },
  webhook: { schemes: ['http:', 'https:'], example: 'https://hooks.example.com/lictor' },
  ndjson: { schemes: ['http:', 'https:', 'file:'], example: '/var/log/lictor/records.ndjson, or https://logs.example.com/ingest' },
  syslog: { schemes: ['tcp:', 'tls:'], example: 'tls://syslog.example.com:6514' },
};

const NO_USER: Complaint = { message: 'holds a user or a password', remedy: 'Put it into headers_file: Authorization: Basic ...' };

function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** In its normal form; a path of a file becomes a file: URL. */
function addressOf({ type, url }: Wire, { baseDir }: Files): string | Complaint {
  const { schemes, example } = SCHEMES[type];
  const isPath = type === 'ndjson' && !/^[a-z+]+:/i.test(url);
  const parsed = isPath ? new URL(`file://${encodeURI(isAbsolute(url) ? url : resolve(baseDir, url))}`) : URL.parse(url);
  const remedy = `Write it as ${example}`;
  if (parsed === null || !schemes.includes(parsed.protocol)) return { message: `is no address of a sink of type ${type}`, remedy };
  if (hasUser(parsed)) return NO_USER;
  if (type === 'syslog' && (parsed.port === '' || parsed.hostname === '')) return { message: 'names no host and port', remedy };
  if (parsed.protocol === 'file:' && fileURLToPath(parsed).endsWith('/')) return { message: 'is a directory', remedy };
  return parsed.href;
}

/** Headers hold secrets: they cross the network encrypted. */
function checkHeaders({ url, headers_file: headers }: Pick<Wire, 'url' | 'headers_file'>, issues: z.RefinementCtx): void {
  const report = reporter(issues);
  if (headers === undefined) return;
  if (!url.startsWith('http')) report(['headers_file'], 'is set, and only http has headers', 'Remove it.');
  else if (url.startsWith('http:') && !isLoopback(new URL(url).hostname))
    report(['url'], 'is http, and headers_file would cross the network in the clear', 'Write https://, or remove headers_file.');
}

/** Becomes the headers, in lower case, from lines of `Name: value`. The values never stand in a problem. */
function headersFile({ baseDir, secrets }: Files) {
  return filePath
    .transform((path, issues): Readonly<Record<string, string>> => {
      const file = resolve(baseDir, path);
      const content = secrets === 'skip' ? undefined : readSecretFile(file, [], reporter(issues));
      if (content === undefined) return {};
      const lines = content.split(/\r?\n/).filter((line) => line.trim() !== '');
      const pairs = lines.map((line) => /^([A-Za-z0-9-]{1,64}):[ \t]*([\x20-\x7e]+?)[ \t]*$/.exec(line));
      if (pairs.length > 0 && pairs.every((pair) => pair !== null))
        return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value]));
      return reject(issues, { message: `${file} does not hold lines of Name: value`, remedy: 'Write one header a line: Authorization: Bearer ...' });
    })
    .describe('File with request headers, one a line: Authorization: Bearer ...');
}

export function signingSecret({ baseDir, secrets }: Files) {
  return filePath.transform((path, issues) => {
    if (secrets === 'skip') return '';
    const secret = readSecretFile(resolve(baseDir, path), [], reporter(issues))?.trim();
    if (secret !== undefined && secret.length < 16)
      reject(issues, { message: 'holds less than 16 characters', remedy: 'Give a long random one to both sides.' });
    return secret ?? '';
  });
}

function secretOf({ type, secret_file: secret }: Wire, issues: z.RefinementCtx): string | null {
  if (type !== 'webhook' && secret !== undefined) return reject(issues, { message: 'is for webhooks alone', remedy: 'Remove it.' }, ['secret_file']);
  if (type !== 'webhook' || secret !== undefined) return secret ?? null;
  const remedy = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))', and give it to the receiver.";
  return reject(issues, { message: 'is missing: a webhook is signed', remedy }, ['secret_file']);
}

/** Their PEM; null: the system's. */
function authoritiesOf({ url, ca_file: path }: Pick<Wire, 'url' | 'ca_file'>, { baseDir }: Files, issues: z.RefinementCtx): string | null {
  if (path === undefined) return null;
  if (!/^(?:https|tls):/.test(url))
    return reject(issues, { message: 'is set, though the address has no TLS', remedy: 'Write https:// or tls://, or remove ca_file.' }, ['ca_file']);
  const file = resolve(baseDir, path);
  return readPemFile(file)?.text ?? reject(issues, noPem(file, 'its certificate'), ['ca_file']);
}
