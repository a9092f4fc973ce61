// ledger.export: where records are sent, and the secrets that go with them.
import { createHash } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LedgerExport } from '../config.ts';
import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';

type Wire = NonNullable<WireConfig['ledger']['export']>[number];

export interface ExportsSection {
  readonly wire: readonly Wire[];
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
}

/** What is wrong has been reported. Not checked: that anybody is there. */
export function readExports({ wire, baseDir, secrets }: ExportsSection, report: Report): readonly LedgerExport[] {
  const read = wire.map((one, index) => readExport(one, { keys: ['ledger', 'export', index], baseDir, secrets, report }));
  for (const [index, one] of read.entries()) {
    if (one !== undefined && read.findIndex((other) => other?.name === one.name) < index)
      report(['ledger', 'export', index], 'has the name of another one', 'Give each a name of its own: name: siem-2');
  }
  return read.filter((one) => one !== undefined);
}

export interface Place {
  readonly keys: Keys;
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
  readonly report: Report;
}

const SCHEMES: Readonly<Record<Wire['type'], { readonly schemes: readonly string[]; readonly example: string }>> = {
  otlp: { schemes: ['http:', 'https:'], example: 'https://collector.example.com:4318' },
  webhook: { schemes: ['http:', 'https:'], example: 'https://hooks.example.com/lictor' },
  ndjson: { schemes: ['http:', 'https:', 'file:'], example: '/var/log/lictor/records.ndjson, or https://logs.example.com/ingest' },
  syslog: { schemes: ['tcp:', 'tls:'], example: 'tls://syslog.example.com:6514' },
};

function readExport(wire: Wire, place: Place): LedgerExport | undefined {
  const { keys, report } = place;
  const url = readUrl(wire, place);
  const headers = readHeaders(wire, place);
  const secret = readSecret(wire, place);
  const ca = readAuthorities(wire, place);
  if (url === undefined || headers === undefined || secret === undefined || ca === undefined) return undefined;
  const overHttp = url.startsWith('http');
  if (wire.headers_file !== undefined && !overHttp) return void report([...keys, 'headers_file'], 'is set, and only http has headers', 'Remove it.');
  if (!keepsHeaders(url, wire.headers_file, place)) return undefined;
  const name = wire.name ?? `${wire.type}-${createHash('sha256').update(url).digest('hex').slice(0, 8)}`;
  const timeoutMs = Math.max(1, parseDurationSeconds(wire.timeout) ?? 15) * 1000;
  return { name, type: wire.type, url, format: wire.format, from: wire.from, events: wire.events, timeoutMs, ca, headers, secret };
}

/** False: reported. */
export function keepsHeaders(url: string, headersFile: string | undefined, { keys, report }: Place): boolean {
  if (headersFile === undefined || !url.startsWith('http:') || isLoopback(new URL(url).hostname)) return true;
  report([...keys, 'url'], 'is http, and headers_file would cross the network in the clear', 'Write https://, or remove headers_file.');
  return false;
}

/** In its normal form; a path of a file becomes a file: URL. */
function readUrl({ type, url }: Wire, { keys, baseDir, report }: Place): string | undefined {
  const { schemes, example } = SCHEMES[type];
  const isPath = type === 'ndjson' && !/^[a-z+]+:/i.test(url);
  const parsed = isPath ? new URL(`file://${encodeURI(isAbsolute(url) ? url : resolve(baseDir, url))}`) : (URL.parse(url) ?? undefined);
  const at = [...keys, 'url'];
  if (parsed === undefined || !schemes.includes(parsed.protocol)) report(at, `is no address of a sink of type ${type}`, `Write it as ${example}`);
  else if (parsed.username !== '' || parsed.password !== '') report(at, 'holds a user or a password', 'Put it into headers_file: Authorization: Basic ...');
  else if (type === 'syslog' && (parsed.port === '' || parsed.hostname === '')) report(at, 'names no host and port', `Write it as ${example}`);
  else if (parsed.protocol === 'file:' && fileURLToPath(parsed).endsWith('/')) report(at, 'is a directory', `Write it as ${example}`);
  else return parsed.href;
  return undefined;
}

/** Lines of `Name: value`; undefined: reported. The values never stand in a problem. */
export function readHeaders(
  { headers_file: file }: Pick<Wire, 'headers_file'>,
  { keys, baseDir, secrets, report }: Place,
): Readonly<Record<string, string>> | undefined {
  if (file === undefined || secrets === 'skip') return {};
  const at = [...keys, 'headers_file'];
  const text = readSecretFile(resolve(baseDir, file), at, report);
  if (text === undefined) return undefined;
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const pairs = lines.map((line) => /^([A-Za-z0-9-]{1,64}):[ \t]*([\x20-\x7e]+?)[ \t]*$/.exec(line));
  if (pairs.some((pair) => pair === null) || pairs.length === 0)
    return void report(at, `${resolve(baseDir, file)} does not hold lines of Name: value`, 'Write one header a line: Authorization: Bearer ...');
  return Object.fromEntries(pairs.map((pair) => [(pair?.[1] ?? '').toLowerCase(), pair?.[2] ?? '']));
}

/** Null: there is none. Undefined: reported. */
function readSecret({ type, secret_file: file }: Wire, { keys, baseDir, secrets, report }: Place): string | null | undefined {
  const at = [...keys, 'secret_file'];
  if (type !== 'webhook') return file === undefined ? null : void report(at, 'is for webhooks alone', 'Remove it.');
  if (file === undefined)
    return void report(
      at,
      'is missing: a webhook is signed',
      "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))', and give it to the receiver.",
    );
  if (secrets === 'skip') return '';
  const text = readSecretFile(resolve(baseDir, file), at, report)?.trim();
  if (text !== undefined && text.length < 16) return void report(at, 'holds less than 16 characters', 'Give a long random one to both sides.');
  return text;
}

/** Their PEM; null: the system's. Undefined: reported. */
export function readAuthorities({ url, ca_file: file }: Pick<Wire, 'url' | 'ca_file'>, { keys, baseDir, report }: Place): string | null | undefined {
  if (file === undefined) return null;
  const at = [...keys, 'ca_file'];
  if (!/^(?:https|tls):/.test(url)) return void report(at, 'is set, though the address has no TLS', 'Write https:// or tls://, or remove ca_file.');
  const pem = readPemFile(resolve(baseDir, file));
  if (pem !== null) return pem.text;
  return void report(at, `${resolve(baseDir, file)} cannot be read as PEM certificates`, 'Give the authorities that signed its certificate, as PEM.');
}
