// Programs of the system that the tests and the bench need, brought by apt when they are missing.
import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailed } from '../../src/cli/errors.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Environment } from '../../src/config/load.ts';

interface ProgramNeed {
  /** Any of these on PATH will do. */
  readonly programs: readonly string[];
  /** Or a file of this pattern: Debian has Postgres beside PATH. */
  readonly files?: string;
  readonly packages: readonly string[];
  /** An environment variable that names another one. */
  readonly override?: string;
}

const NEEDS = {
  // Chromium without a window needs half of the CPU time of the whole one.
  browser: {
    programs: ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'],
    packages: ['chromium-headless-shell', 'fonts-dejavu-core'],
    override: 'LICTOR_CHROMIUM',
  },
  wrk: { programs: ['wrk'], packages: ['wrk'] },
  java: { programs: ['java'], packages: ['default-jre-headless'] },
  maven: { programs: ['mvn'], packages: ['maven'] },
  postgres: { programs: ['initdb'], files: '/usr/lib/postgresql/*/bin/initdb', packages: ['postgresql'] },
  pgbouncer: { programs: ['pgbouncer'], files: '/usr/sbin/pgbouncer', packages: ['pgbouncer'] },
  redis: { programs: ['redis-server'], packages: ['redis-server'] },
  rsyslog: { programs: ['rsyslogd'], files: '/usr/sbin/rsyslogd', packages: ['rsyslog'] },
  ip: { programs: ['ip'], packages: ['iproute2'] },
  nft: { programs: ['nft'], files: '/usr/sbin/nft', packages: ['nftables'] },
  mmdebstrap: { programs: ['mmdebstrap'], packages: ['mmdebstrap'] },
  buildah: { programs: ['buildah'], packages: ['buildah'] },
  docker: { programs: ['dockerd'], packages: ['docker.io'] },
  lintian: { programs: ['lintian'], packages: ['lintian'] },
  haproxy: { programs: ['haproxy'], files: '/usr/sbin/haproxy', packages: ['haproxy'] },
  caddy: { programs: ['caddy'], packages: ['caddy'] },
  faketime: { programs: [], files: '/usr/lib/*/faketime/libfaketimeMT.so.1', packages: ['libfaketime'] },
  openssl: { programs: ['openssl'], packages: ['openssl'] },
} as const satisfies Record<string, ProgramNeed>;

export type ProgramName = keyof typeof NEEDS;

/** Nothing when it is there; else by apt, as root or with passwordless sudo; else CommandFailed with the remedy. */
export async function bringProgram(name: ProgramName, env: Environment, onProgress: (line: string) => void): Promise<void> {
  const need: ProgramNeed = NEEDS[name];
  if (isThere(need, env)) return;
  const packages = need.packages.join(' ');
  const remedy = `${need.programs[0]} is missing: run apt-get install ${packages} as root.`;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  onProgress(`bringing ${packages}`);
  const [command = '', ...args] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-eu', APT_INSTALL, ...need.packages];
  const { status, output } = await runCommand({ command, args, env });
  if (status !== 0) throw new CommandFailed(`${output.trim().split('\n').slice(-5).join('\n')}\n${remedy}`);
}

/** No service of a package is started. */
const APT_INSTALL = fileURLToPath(new URL('../../packaging/apt-install.sh', import.meta.url));

function isThere({ programs, files, override }: ProgramNeed, env: Environment): boolean {
  if (files !== undefined && globSync(files).length > 0) return true;
  if (override !== undefined && (env[override] ?? '') !== '') return true;
  const path = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return path.some((directory) => programs.some((program) => existsSync(join(directory, program))));
}
