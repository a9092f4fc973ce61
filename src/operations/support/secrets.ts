// The secrets that no file of a support bundle may contain: of the configuration, the environment and the state directory.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { Environment } from '../../config/expand.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { SECRET_NAME } from '../../contract/untrusted/shapes.ts';
import { knownSecrets } from '../../edge/mcp/known-secrets.ts';

export interface SecretSources {
  /** Undefined: it is broken. */
  readonly config: Config | undefined;
  /** The text of lictor.yaml: names of variables in it. */
  readonly configText: string;
  readonly env: Environment;
  readonly paths: Pick<StatePaths, 'edgeSecret'>;
}

export function secretsForSupport({ config, configText, env, paths }: SecretSources): readonly string[] {
  return [
    ...(config === undefined ? [] : knownSecrets(config)),
    ...environmentSecrets(configText, env),
    ...keysOf(dirname(paths.edgeSecret)),
    ...addressSecrets(configText),
  ];
}

/** Of the shell. */
const DIRECTORIES: ReadonlySet<string> = new Set(['PWD', 'OLDPWD']);

/** Variables that lictor.yaml names, and those whose name says it. */
function environmentSecrets(configText: string, env: Environment): readonly string[] {
  const named = new Set([...configText.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name]) => name));
  const isSecret = (name: string): boolean => named.has(name) || (!DIRECTORIES.has(name) && (SECRET_NAME.test(name) || /_KEY$|_AUTH/i.test(name)));
  return Object.entries(env).flatMap(([name, value]) => (value !== undefined && isSecret(name) ? [value] : []));
}

/** Each line of each key: a PEM file is found in parts too. */
function keysOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory).flatMap((name) =>
      readFileSync(join(directory, name), 'utf8')
        .split('\n')
        .filter((line) => !line.startsWith('-----')),
    );
  } catch {
    return []; // Before the first start there are no keys.
  }
}

/** User, path and query of an address: error messages may repeat it. */
function addressSecrets(configText: string): readonly string[] {
  const addresses = [...configText.matchAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"']+/gi)].flatMap(([text]) => (URL.canParse(text) ? [new URL(text)] : []));
  return addresses
    .flatMap(({ username, password, pathname, searchParams }) => [username, password, ...longParts(pathname), ...searchParams.values()])
    .map(decoded);
}

/** The secret of a webhook is a part of its path. */
function longParts(pathname: string): readonly string[] {
  return pathname.split('/').filter(({ length }) => length >= 16);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
