// prefect: where the server is, and the one shared password that only the gateway knows.
import { resolve } from 'node:path';
import type { Config, ListenAddress } from '../config.ts';
import { notBuiltText } from '../not-built.ts';
import type { Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';
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
  const url = readUrl(section, report);
  if (wire.auth_string !== undefined && wire.auth_string_file !== undefined) {
    report(['prefect', 'auth_string'], 'stands beside auth_string_file', 'Keep one of the two.');
  }
  const authString = secrets === 'skip' ? null : readAuthString(wire, baseDir, report);
  return url === undefined || authString === undefined ? undefined : { url, authString };
}

function readUrl({ wire, listen, serversReported }: PrefectSection, report: Report): string | undefined {
  const text = wire.url ?? wire.servers?.[0];
  const keys = wire.url === undefined ? ['prefect', 'servers', 0] : ['prefect', 'url'];
  if (text === undefined) {
    if (!serversReported) report(['prefect', 'url'], 'is missing', 'Add the address of the Prefect server: url: http://127.0.0.1:4200');
    return undefined;
  }
  if (wire.url !== undefined && wire.servers !== undefined) report(['prefect', 'servers'], 'stands beside url', 'Keep one of the two.');
  const parts = parsePlainUrl(text);
  if (parts === undefined) {
    report(keys, 'must be scheme, host and maybe a port, and nothing else', 'Write it as http://127.0.0.1:4200; the password goes to auth_string_file.');
  } else if (parts.secure) {
    const { message, remedy } = notBuiltText('TLS to Prefect');
    report(keys, message, remedy);
  } else if (parts.path !== '') {
    report(keys, `has a path (${parts.path})`, `Write it without: ${parts.origin}`);
  } else if (listen.some((address) => address.port === parts.port && isLoopback(parts.hostname))) {
    report(keys, 'is where the gateway itself listens', 'Let Prefect listen on another port, e.g. 4200.');
  } else {
    return parts.origin;
  }
  return undefined;
}

/** Null: Prefect has no password. */
function readAuthString(wire: Wire, baseDir: string, report: Report): string | null | undefined {
  if (wire.auth_string !== undefined) return checkAuthString(wire.auth_string, ['prefect', 'auth_string'], report);
  if (wire.auth_string_file === undefined) return null;
  const keys = ['prefect', 'auth_string_file'];
  const text = readSecretFile(resolve(baseDir, wire.auth_string_file), keys, report);
  return text === undefined ? undefined : checkAuthString(text.replace(/\r?\n$/, ''), keys, report);
}

function checkAuthString(value: string, keys: readonly string[], report: Report): string | undefined {
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
