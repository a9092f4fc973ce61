// prefect: where the server is, and the one credential for it that only the gateway knows.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config, ListenAddress } from '../config.ts';
import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback, parsePlainUrl } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';

type Wire = WireConfig['prefect'];

/** From documentation and examples, Prefect's and others' (lower case): whoever reads those would have the password. */
const EXAMPLE_AUTH_STRINGS: ReadonlySet<string> = new Set(
  ['admin', 'user', 'username', 'prefect', 'lictor'].flatMap((user) =>
    ['pass', 'password', 'admin', 'prefect', 'changeme', 'change-me', 'secret', 'your-password', 'replace-me', 'replace_me', '1234', '123456'].map(
      (password) => `${user}:${password}`,
    ),
  ),
);

export interface PrefectSection {
  readonly wire: Wire;
  readonly listen: readonly ListenAddress[];
  /** True when `servers` has been reported and taken out: a missing address is then no second problem. */
  readonly serversReported: boolean;
  /** Relative files are below it. */
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
}

/** Undefined when something is wrong; then it has been reported. */
export function readPrefect(section: PrefectSection, report: Report): Config['prefect'] | undefined {
  const { wire, baseDir, secrets } = section;
  const servers = readServers(section, report);
  const credentials = secrets === 'skip' ? NO_CREDENTIALS : readCredentials(wire, baseDir, report);
  const caFile = readCaFile(section, servers ?? [], report);
  const file = wire.auth_string_file ?? wire.api_key_file;
  const credentialFile = file === undefined ? null : resolve(baseDir, file);
  const answerTimeoutMs = readTimeout(wire, report);
  if (servers === undefined || credentials === undefined || caFile === undefined || answerTimeoutMs === undefined) return undefined;
  return { servers, ...credentials, credentialFile, caFile, answerTimeoutMs };
}

/** Undefined: reported. */
function readTimeout({ timeout }: Wire, report: Report): number | undefined {
  const seconds = parseDurationSeconds(timeout);
  if (seconds !== undefined && seconds >= 1 && seconds <= 3600) return seconds * 1000;
  report(['prefect', 'timeout'], 'must be from 1s to 1h', 'Leave it out for 55s, or write how long the slowest request of yours takes.');
  return undefined;
}

type Credentials = Pick<Config['prefect'], 'authString' | 'apiKey' | 'next'>;

const NO_CREDENTIALS: Credentials = { authString: null, apiKey: null, next: null };

/** Beside the file of a credential, while `lictor rotate upstream` replaces it: the one that comes. */
export function nextCredentialFile(file: string): string {
  return `${file}.next`;
}

function readCredentials(wire: Wire, baseDir: string, report: Report): Credentials | undefined {
  const given = (['auth_string_file', 'auth_string', 'api_key_file'] as const).filter((key) => wire[key] !== undefined);
  const [first, second] = given;
  if (first !== undefined && second !== undefined) {
    report(['prefect', second], `stands beside ${first}`, 'Keep one of them: the credential that Prefect wants.');
    return undefined;
  }
  if (wire.auth_string !== undefined) return withAuthString(checkAuthString(wire.auth_string, ['prefect', 'auth_string'], report), null);
  if (wire.auth_string_file !== undefined) {
    const read = readBoth(resolve(baseDir, wire.auth_string_file), { keys: ['prefect', 'auth_string_file'], check: checkAuthString }, report);
    return read === undefined ? undefined : withAuthString(read.present, read.next);
  }
  if (wire.api_key_file === undefined) return NO_CREDENTIALS;
  const read = readBoth(resolve(baseDir, wire.api_key_file), { keys: ['prefect', 'api_key_file'], check: checkApiKey }, report);
  return read === undefined ? undefined : { authString: null, apiKey: read.present, next: read.next };
}

function withAuthString(authString: string | undefined, next: string | null): Credentials | undefined {
  return authString === undefined ? undefined : { authString, apiKey: null, next };
}

interface Reading {
  readonly keys: Keys;
  readonly check: (value: string, keys: Keys, report: Report) => string | undefined;
}

/** Undefined: reported. */
function readBoth(file: string, { keys, check }: Reading, report: Report): { readonly present: string; readonly next: string | null } | undefined {
  const read = (path: string): string | undefined => {
    const text = readSecretFile(path, keys, report);
    return text === undefined ? undefined : check(text.replace(/\r?\n$/, ''), keys, report);
  };
  const present = read(file);
  const next = existsSync(nextCredentialFile(file)) ? read(nextCredentialFile(file)) : null;
  return present === undefined || next === undefined ? undefined : { present, next };
}

function readServers(section: PrefectSection, report: Report): readonly string[] | undefined {
  const { wire } = section;
  if (wire.url !== undefined && wire.servers !== undefined) report(['prefect', 'servers'], 'stands beside url', 'Keep one of the two.');
  const places =
    wire.url === undefined
      ? (wire.servers ?? []).map((text, index) => ({ text, keys: ['prefect', 'servers', index] }))
      : [{ text: wire.url, keys: ['prefect', 'url'] }];
  if (places.length === 0) {
    if (!section.serversReported) report(['prefect', 'url'], 'is missing', 'Add the address of the Prefect server: url: http://127.0.0.1:4200');
    return undefined;
  }
  const servers = places.map(({ text, keys }) => readServer(text, keys, section, report));
  for (const [index, server] of servers.entries()) {
    if (server !== undefined && servers.indexOf(server) < index) report(['prefect', 'servers', index], 'stands there twice', 'Name each server once.');
  }
  const good = servers.filter((server) => server !== undefined);
  return good.length === servers.length && new Set(good).size === good.length ? good : undefined;
}

function readServer(text: string, keys: Keys, { listen }: PrefectSection, report: Report): string | undefined {
  const parts = parsePlainUrl(text);
  if (parts === undefined) {
    report(keys, 'must be scheme, host and maybe a port, and nothing else', 'Write it as http://127.0.0.1:4200; the password goes to auth_string_file.');
  } else if (/^\/api\/accounts\//.test(parts.path)) {
    report(keys, 'is a workspace of Prefect Cloud', 'Lictor is for Prefect servers of your own; Prefect Cloud has users and roles itself.');
  } else if (parts.path !== '') {
    report(keys, `has a path (${parts.path})`, `Write it without: ${parts.origin}`);
  } else if (listen.some((address) => address.port === parts.port && isLoopback(parts.hostname))) {
    report(keys, 'is where the gateway itself listens', 'Let Prefect listen on another port, e.g. 4200.');
  } else {
    return parts.origin;
  }
  return undefined;
}

/** Null: the system's authorities. Undefined: reported. */
function readCaFile({ wire, baseDir }: PrefectSection, servers: readonly string[], report: Report): string | null | undefined {
  if (wire.ca_file === undefined) return null;
  const keys = ['prefect', 'ca_file'];
  const file = resolve(baseDir, wire.ca_file);
  if (servers.length > 0 && !servers.some((server) => server.startsWith('https:'))) {
    report(keys, 'is set, though no server is https', 'Write https:// in the address, or remove ca_file.');
    return undefined;
  }
  if (!checkNginxPath(file, keys, report)) return undefined;
  if (readPemFile(file) !== null) return file;
  return void report(keys, `${file} cannot be read as PEM certificates`, "Give the certificates of the authorities that signed the servers' own, as PEM.");
}

/** A key travels in a header: RFC 6750, 2.1. */
export function checkApiKey(value: string, keys: Keys, report: Report): string | undefined {
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(value)) return value;
  report(keys, 'must hold the key alone, on one line', 'Write the key of Prefect, pnu_... or pnb_..., into the file and nothing else.');
  return undefined;
}

export function checkAuthString(value: string, keys: Keys, report: Report): string | undefined {
  const remedy = 'Make one: python3 -c \'import secrets; print("lictor:" + secrets.token_urlsafe(32))\', and start Prefect with it.';
  if (!/^[^:\p{Cc}]+:\P{Cc}+$/u.test(value)) {
    report(keys, 'must hold user:password on one line', remedy);
  } else if (EXAMPLE_AUTH_STRINGS.has(value.toLowerCase())) {
    report(keys, 'holds a password that stands in examples', remedy);
  } else {
    return value;
  }
  return undefined;
}
