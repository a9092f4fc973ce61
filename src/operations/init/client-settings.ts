// Where the stock client of this machine finds its Prefect: the environment, its active profile, usual local ports.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import type { Environment } from '../../config/load.ts';

export interface ClientSettings {
  /** What the client uses; undefined: nothing names one. Without `/api`. */
  readonly url: string | undefined;
  readonly authString: string | undefined;
  readonly caFile: string | undefined;
}

/** The ports of Prefect's documentation and its images. */
export const LOCAL_URLS: readonly string[] = ['http://127.0.0.1:4200', 'http://127.0.0.1:4201', 'http://127.0.0.1:8080'];

/** The environment wins over the active profile, as in the stock client. An unreadable profile counts as none. */
export function readClientSettings(env: Environment): ClientSettings {
  const profile = activeProfile(env);
  const setting = (name: string): string | undefined => [env[name], profile[name]].find((value) => value !== undefined && value !== '');
  return {
    url: setting('PREFECT_API_URL')?.replace(/\/api\/?$/, ''),
    authString: setting('PREFECT_API_AUTH_STRING') ?? setting('PREFECT_SERVER_API_AUTH_STRING'),
    caFile: setting('PREFECT_API_SSL_CERT_FILE'),
  };
}

function activeProfile(env: Environment): Readonly<Record<string, string>> {
  const home = env['PREFECT_HOME'] ?? join(env['HOME'] ?? '/', '.prefect');
  const file = parsed(env['PREFECT_PROFILES_PATH'] ?? join(home, 'profiles.toml'));
  const name = env['PREFECT_PROFILE'] ?? file['active'];
  const profiles = file['profiles'];
  if (typeof name !== 'string' || !isTable(profiles)) return {};
  const profile = profiles[name];
  if (!isTable(profile)) return {};
  return Object.fromEntries(Object.entries(profile).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function parsed(file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch {
    return {}; // No such file, or not readable as TOML: the person is asked.
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
