// Prefect, Postgres, Redis and HAProxy of this machine in the place of the images of compose.yaml, which come from a registry: a file that compose
// reads after it. Settings, users, volumes, networks and commands stay those of compose.yaml.
import { globSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bringProgram } from '../../runner/programs.ts';
import { scaledPrefectVenv } from '../venv.ts';

/** The images of compose.yaml that a small Debian stands in for. */
export const STOOD_IN: readonly string[] = ['prefecthq/prefect:3.9.1-python3.12', 'postgres:17', 'redis:7', 'haproxy:3.2'];

/** Writes `file`, and `second` for what compose.two-nodes.yaml adds. */
export async function writeStandIns(file: string, second: string): Promise<void> {
  for (const name of ['postgres', 'redis', 'haproxy'] as const) await bringProgram(name, process.env, (line) => void process.stderr.write(`${line}\n`));
  const venv = await scaledPrefectVenv();
  const python = dirname(dirname(realpathSync(join(venv, 'bin/python'))));
  const [postgres = ''] = globSync('/usr/lib/postgresql/*/bin');
  const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const programs = (bin: string, ...more: readonly string[]) => ({
    environment: { PATH: `${bin}:${usual}` },
    volumes: ['/usr', ...more].map((path) => `${path}:${path}:ro`),
  });
  const prefect = programs(join(venv, 'bin'), venv, ...(python.startsWith('/usr') ? [] : [python]));
  const ofPostgres = programs(postgres);
  const database = {
    ...ofPostgres,
    // Where its stand-in has the socket.
    environment: { ...ofPostgres.environment, PGHOST: '/tmp' },
    volumes: [...ofPostgres.volumes, `${join(import.meta.dirname, 'postgres-stand-in.sh')}:/stand-in.sh:ro`],
    entrypoint: ['sh', '/stand-in.sh'],
  };
  const services = {
    postgres: database,
    redis: { ...programs('/usr/bin'), entrypoint: ['redis-server', '--protected-mode', 'no', '--dir', '/data'] },
    'prefect-server': prefect,
    'prefect-services': prefect,
    worker: prefect,
  };
  // JSON is YAML of every version.
  writeFileSync(file, JSON.stringify({ services }));
  writeFileSync(second, JSON.stringify({ services: { store: database, balancer: programs('/usr/sbin') } }));
}
