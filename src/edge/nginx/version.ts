// The installed nginx: its version, and the supported features.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LictorError } from '../../contract/error.ts';

const run = promisify(execFile);

export interface NginxVersion {
  readonly binary: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly text: string;
}

/** The oldest and the newest that the tests run, major and minor. */
export const TESTED_NGINX = { oldest: [1, 18], newest: [1, 30] } as const;

const BINARIES = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/nginx/sbin/nginx'];

/** Asks `nginx -v`. `LICTOR_NGINX` names another binary. Throws `nginx-missing`, `nginx-too-old`. */
export async function findNginx(env: NodeJS.ProcessEnv): Promise<NginxVersion> {
  const candidates = env['LICTOR_NGINX'] === undefined ? BINARIES : [env['LICTOR_NGINX']];
  for (const binary of candidates) {
    const output = await run(binary, ['-v']).then(
      (result) => result.stderr,
      () => undefined,
    );
    if (output === undefined) continue;
    const version = parseNginxVersion(binary, output);
    if (!atLeast(version, ...TESTED_NGINX.oldest, 0)) throw new LictorError('nginx-too-old', `${binary} is ${version.text}; Lictor needs nginx 1.18 or newer.`);
    return version;
  }
  throw new LictorError('nginx-missing', 'nginx is not installed: install it (Debian, Ubuntu: apt-get install nginx), or name it in LICTOR_NGINX.');
}

export function parseNginxVersion(binary: string, output: string): NginxVersion {
  const match = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(output);
  if (match === null) throw new LictorError('nginx-missing', `${binary} does not answer like nginx.`);
  const [major, minor, patch] = match.slice(1).map(Number);
  return { binary, major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0, text: match[0].slice('nginx/'.length) };
}

export function atLeast(version: NginxVersion, major: number, minor: number, patch: number): boolean {
  const have = version.major * 1e6 + version.minor * 1e3 + version.patch;
  return have >= major * 1e6 + minor * 1e3 + patch;
}

/** The arguments of every start, test and reload. They are the same, so the test covers the start. */
export function nginxArgs(version: NginxVersion, edgeDir: string, confFile: string, errorLog: string): readonly string[] {
  return [...(atLeast(version, 1, 19, 5) ? ['-e', errorLog] : []), '-p', `${edgeDir}/`, '-c', confFile];
}
