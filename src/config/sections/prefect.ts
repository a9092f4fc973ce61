// prefect: where the server is, and the one credential for it that only the gateway knows.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { type Complaint, checkedBy, reject, reporter, says } from '../schema/issues.ts';
import { filePath, httpUrl, seconds, secretText } from '../schema/scalars.ts';
import type { Context } from './context.ts';
import { noPem, readSecret } from './files.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback, parsePlainUrl } from './public-url.ts';

export function prefectSection(context: Context) {
  return wirePrefect(context)
    .transform((wire, issues): Config['prefect'] => {
      const { auth_string: given, auth_string_file: authFile, api_key_file: keyFile } = wire;
      const servers = readServers(wire, issues);
      const [first, second] = (['auth_string_file', 'auth_string', 'api_key_file'] as const).filter((key) => wire[key] !== undefined);
      if (second !== undefined) reporter(issues)([second], `stands beside ${first}`, 'Keep one of them: the credential that Prefect wants.');
      const isRead = context.secrets === 'read';
      return {
        servers,
        authString: (isRead ? given : undefined) ?? authFile?.present ?? null,
        apiKey: keyFile?.present ?? null,
        credentialFile: authFile?.file ?? keyFile?.file ?? null,
        next: authFile?.next ?? keyFile?.next ?? null,
        caFile: wire.ca_file === undefined ? null : readCaFile(resolve(context.baseDir, wire.ca_file), servers, issues),
        answerTimeoutMs: wire.timeout * 1000,
      };
    })
    .describe('The server behind the gateway.');
}

function wirePrefect(context: Context) {
  const server = httpUrl.transform((text, issues) => {
    const complaint = serverComplaint(text, context);
    return complaint === undefined ? (parsePlainUrl(text)?.origin ?? '') : reject(issues, complaint);
  });
  const timeout = seconds.refine(
    (value) => value >= 1 && value <= 3600,
    says('must be from 1s to 1h', 'Leave it out for 55s, or write how long the slowest request of yours takes.'),
  );
  const authString = context.secrets === 'skip' ? secretText : secretText.superRefine(checkedBy(authStringComplaint));
  return z.strictObject({
    url: server.optional().describe('The Prefect server, without /api: http://127.0.0.1:4200'),
    servers: z
      .array(server)
      .min(1)
      .optional()
      .describe('Several servers on one database, instead of url: balanced, taken out within 2 s when away, back without a reload.'),
    auth_string: authString.optional().describe('user:password of Prefect, from the environment: ${PREFECT_AUTH}'),
    auth_string_file: credentialFile(context, authStringComplaint).optional().describe('File with user:password, as in PREFECT_SERVER_API_AUTH_STRING.'),
    api_key_file: credentialFile(context, apiKeyComplaint)
      .optional()
      .describe('File with a key that is shown as Bearer, where what stands before Prefect wants one instead of an auth string.'),
    ca_file: filePath.optional().describe('Authorities that signed the certificates of https servers, PEM. Default: those of the system.'),
    timeout: timeout
      .prefault('55s')
      .describe('How long Prefect may say nothing of a request that it has taken, 1s to 1h: then it is 503 with Retry-After. Stock clients give up after 60s.'),
  });
}

type Wire = z.output<ReturnType<typeof wirePrefect>>;

/** Beside the file of a credential, while `lictor rotate upstream` replaces it: the one that comes. */
export function nextCredentialFile(file: string): string {
  return `${file}.next`;
}

/** Becomes the credential, and the one that comes. */
function credentialFile(context: Context, complaintOf: (text: string) => Complaint | undefined) {
  return filePath.transform((path, issues) => {
    const file = resolve(context.baseDir, path);
    const read = (at: string) => readSecret(at, { ...context, complaintOf }, issues);
    return { file, present: read(file), next: existsSync(nextCredentialFile(file)) ? read(nextCredentialFile(file)) : null };
  });
}

function readServers({ url, servers = [] }: Wire, issues: z.RefinementCtx): readonly string[] {
  const report = reporter(issues);
  const all = url === undefined ? servers : [url];
  if (url !== undefined && servers.length > 0) report(['servers'], 'stands beside url', 'Keep one of the two.');
  if (all.length === 0) report(['url'], 'is missing', 'Add the address of the Prefect server: url: http://127.0.0.1:4200');
  for (const [index, server] of all.entries()) {
    if (all.indexOf(server) < index) report(['servers', index], 'stands there twice', 'Name each server once.');
  }
  return all;
}

function serverComplaint(text: string, { listen }: Pick<Context, 'listen'>): Complaint | undefined {
  const parts = parsePlainUrl(text);
  if (parts === undefined)
    return {
      message: 'must be scheme, host and maybe a port, and nothing else',
      remedy: 'Write it as http://127.0.0.1:4200; the password goes to auth_string_file.',
    };
  if (/^\/api\/accounts\//.test(parts.path))
    return {
      message: 'is a workspace of Prefect Cloud',
      remedy: 'Lictor is for Prefect servers of your own; Prefect Cloud has users and roles itself.',
    };
  if (parts.path !== '') return { message: `has a path (${parts.path})`, remedy: `Write it without: ${parts.origin}` };
  if (listen.some(({ port }) => port === parts.port) && isLoopback(parts.hostname))
    return { message: 'is where the gateway itself listens', remedy: 'Let Prefect listen on another port, e.g. 4200.' };
  return undefined;
}

function readCaFile(file: string, servers: readonly string[], issues: z.RefinementCtx): string {
  const report = reporter(issues);
  if (!servers.some((server) => server.startsWith('https:')))
    report(['ca_file'], 'is set, though no server is https', 'Write https:// in the address, or remove ca_file.');
  else if (checkNginxPath(file, ['ca_file'], report) && readPemFile(file) === null) {
    const { message, remedy } = noPem(file, "the servers' certificates");
    report(['ca_file'], message, remedy);
  }
  return file;
}

/** A key travels in a header: RFC 6750, 2.1. */
export function apiKeyComplaint(value: string): Complaint | undefined {
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(value)) return undefined;
  return {
    message: 'must hold the key alone, on one line',
    remedy: 'Write the key of Prefect, pnu_... or pnb_..., into the file and nothing else.',
  };
}

export function authStringComplaint(value: string): Complaint | undefined {
  const remedy = 'Make one: python3 -c \'import secrets; print("lictor:" + secrets.token_urlsafe(32))\', and start Prefect with it.';
  if (!/^[^:\p{Cc}]+:\P{Cc}+$/u.test(value)) return { message: 'must hold user:password on one line', remedy };
  return EXAMPLE_AUTH_STRINGS.has(value.toLowerCase()) ? { message: 'holds a password that stands in examples', remedy } : undefined;
}

/** From documentation and examples, Prefect's and others' (lower case): every reader of those has the password. */
const EXAMPLE_AUTH_STRINGS: ReadonlySet<string> = new Set(
  ['admin', 'user', 'username', 'prefect', 'lictor'].flatMap((user) =>
    ['pass', 'password', 'admin', 'prefect', 'changeme', 'change-me', 'secret', 'your-password', 'replace-me', 'replace_me', '1234', '123456'].map(
      (password) => `${user}:${password}`,
    ),
  ),
);
