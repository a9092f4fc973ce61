// Versions of everything that a request goes through.
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, release, totalmem, type } from 'node:os';
import type { Config } from '../../config/config.ts';
import { findNginx } from '../../edge/nginx/version.ts';
import { credentialsOf } from '../../prefect/client/members.ts';
import { parseJson } from '../doctor/outside/http-probe.ts';
import { authorizationOf, type UpstreamSubject } from '../doctor/outside/upstream.ts';

export interface Versions {
  readonly lictor: string;
  readonly node: string;
  readonly nginx: string;
  /** One for each server. */
  readonly prefect: readonly string[];
  readonly system: string;
  readonly kernel: string;
  readonly processors: number;
  readonly memory_mib: number;
}

export interface VersionParts {
  readonly lictor: string;
  readonly env: NodeJS.ProcessEnv;
  /** Undefined: it is broken. */
  readonly config: Config | undefined;
  readonly probe: UpstreamSubject['probe'];
  readonly tlsFor: (config: Config) => UpstreamSubject['tls'];
}

export async function versionsOf({ lictor, env, config, probe, tlsFor }: VersionParts): Promise<Versions> {
  const nginx = await findNginx(env)
    .then(({ text }) => text)
    .catch(messageOf);
  const prefect = config === undefined ? [] : await Promise.all(config.prefect.servers.map((url) => prefectAt(url, config, { probe, tls: tlsFor(config) })));
  const machine = {
    system: systemName(),
    kernel: `${type()} ${release()} ${arch()}`,
    processors: availableParallelism(),
    memory_mib: Math.round(totalmem() / 2 ** 20),
  };
  return { lictor, node: process.versions.node, nginx, prefect, ...machine };
}

async function prefectAt(url: string, { prefect }: Config, { probe, tls }: Pick<UpstreamSubject, 'probe' | 'tls'>): Promise<string> {
  const answer = await probe({ url: `${url}/api/admin/version`, headers: authorizationOf(credentialsOf(prefect)[0].authorization), tls });
  if (!answer.ok) return `no answer (${answer.error})`;
  const version = parseJson(answer.body);
  return answer.status === 200 && typeof version === 'string' ? version : `answers ${answer.status}`;
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
