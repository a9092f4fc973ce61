// Keycloak from Maven: unpacked and built once, with a database that has the realm already. Stored in the cache directory.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toolCacheDir } from '../../../src/cli/repository.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { freePort } from '../free-port.ts';
import { once } from '../once.ts';
import { start } from '../process.ts';

const VERSION = '26.7.3';
const UNPACK = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';
const REALM_FILE = join(import.meta.dirname, '../realm.json');

/** Of a Keycloak that lives for one test run, on loopback. */
export const ADMIN = { name: 'admin', password: 'admin' } as const;

export interface Distribution {
  readonly home: string;
  /** A copy of it is the database of a run: an empty one takes half a minute to fill. */
  readonly seed: string;
}

/** Brings what is missing; of two runs at once one brings it, and the other waits. */
export async function bringKeycloak(onProgress: (line: string) => void): Promise<Distribution> {
  const cache = resolve(toolCacheDir(process.env));
  const home = join(cache, `keycloak-${VERSION}`);
  if (!existsSync(home)) await once(home, (work) => unpack(work, onProgress));
  const realm = createHash('sha256').update(readFileSync(REALM_FILE)).digest('hex').slice(0, 12);
  const seed = join(cache, `keycloak-${VERSION}-realm-${realm}`);
  if (!existsSync(seed)) {
    onProgress('filling the database of Keycloak');
    await once(seed, (work) => fill(home, work));
  }
  return { home, seed };
}

async function unpack(work: string, onProgress: (line: string) => void): Promise<void> {
  onProgress(`bringing keycloak ${VERSION}`);
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  const args = ['-q', '-B', UNPACK, `-Dartifact=${artifact}`, `-DoutputDirectory=${join(work, 'archive')}`];
  // Maven notes below its working directory what it has unpacked, and does not unpack it again.
  await must('mvn', args, 'apt-get install maven default-jre-headless', work);
  rmSync(join(work, 'target'), { recursive: true, force: true });
  cpSync(join(work, 'archive', `keycloak-${VERSION}`), work, { recursive: true });
  rmSync(join(work, 'archive'), { recursive: true });
  await must('sh', [join(work, 'bin/kc.sh'), 'build', '--db=dev-file', '--health-enabled=true', '--cache=local'], 'read the output above');
}

async function must(command: string, args: readonly string[], remedy: string, cwd = process.cwd()): Promise<void> {
  const { status, output } = await runCommand({ command, args, cwd, env: { ...process.env, ...JAVA } });
  if (status !== 0) throw new Error(`Keycloak could not be brought: ${command} exited ${status}: ${output.slice(-2000)}\n${remedy}`);
}

/** An empty database, the realm imported, and stopped again. */
async function fill(home: string, work: string): Promise<void> {
  const imports = join(home, 'data/import');
  mkdirSync(imports, { recursive: true });
  cpSync(REALM_FILE, join(imports, 'data-realm.json'));
  const [port, managementPort] = [await freePort(), await freePort()];
  const keycloak = await start(serverProcess({ home, database: work, port, ownPort: port, managementPort, more: ['--import-realm'] }));
  await keycloak.stop({ graceMs: 20_000 });
  rmSync(imports, { recursive: true, force: true });
}

/** The first compiler alone: half the time to start. The heap is otherwise a share of the machine's memory. */
const JAVA = { JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m', JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1' } as const;

export interface ServerPlace {
  readonly home: string;
  /** Directory of the H2 files. */
  readonly database: string;
  /** In its address. */
  readonly port: number;
  /** That it listens on. */
  readonly ownPort: number;
  readonly managementPort: number;
  readonly more?: readonly string[];
}

/** How Keycloak is started; ready when it says so itself. */
export function serverProcess({ home, database, port, ownPort, managementPort, more = [] }: ServerPlace): Parameters<typeof start>[0] {
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'keycloak',
    command: 'sh',
    args: [
      join(home, 'bin/kc.sh'),
      'start',
      '--optimized',
      ...more,
      `--db-url=jdbc:h2:file:${join(database, 'keycloakdb')};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=0`,
      '--http-enabled=true',
      '--http-host=127.0.0.1',
      `--http-port=${ownPort}`,
      '--http-management-host=127.0.0.1',
      `--http-management-port=${managementPort}`,
      `--hostname=${url}`,
    ],
    env: { ...process.env, ...JAVA, KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.name, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password },
    ready: async () => (await fetch(`http://127.0.0.1:${managementPort}/health/ready`)).ok,
    readyTimeoutMs: 180_000,
  };
}
