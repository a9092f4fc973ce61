// From a clone, the wheel and the image: an enforced boundary before a Prefect that runs, by the lines that `lictor init` prints and no others.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { startDocker } from '../env/container/docker.ts';
import { buildImage } from '../env/container/image.ts';
import { docsBlock } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { CLIENT, type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { logInThroughKeycloak } from '../env/keycloak-login.ts';
import { buildPackage, buildTree, installWheel, must, pathWithoutNode } from '../env/packages.ts';
import { directTo, field, list } from '../env/prefect.ts';
import { type PrefectServer, startPrefect } from '../env/prefect-server.ts';
import { start, waitFor } from '../env/process.ts';
import { stockWorker } from '../env/several/worker.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-boundary-'));
let prefect: PrefectServer;
let keycloak: Keycloak;
const workers = () => ['one', 'two', 'three'].map((name) => stockWorker(prefect.venv, name));
let running: ReturnType<typeof workers>;

beforeAll(async () => {
  [prefect, keycloak] = await Promise.all([startPrefect(), sharedKeycloak()]);
  running = workers();
  const direct = { PREFECT_API_URL: `${prefect.url}/api`, PREFECT_API_AUTH_STRING: prefect.authString };
  for (const worker of running) await worker.start(direct);
}, 300_000);
afterAll(async () => {
  await Promise.all(running.map((worker) => worker.stop()));
  await prefect.stop();
  rmSync(directory, { recursive: true });
});

/** What a platform engineer types, in which directory. */
interface Installed {
  readonly init: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends what outlives the commands. */
  readonly stop: () => Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

async function cloned(home: string): Promise<Installed> {
  const cwd = join(directory, 'clone');
  await must('git', ['clone', '-q', REPOSITORY, cwd]);
  return { init: `./lictor ${initIn(home)}`, cwd, env: {}, stop: nothing };
}

async function wheel(home: string): Promise<Installed> {
  const venv = join(directory, 'venv');
  await installWheel(await buildPackage('wheel', await builtTree(), join(directory, 'wheel')), venv);
  return { init: `${venv}/bin/lictor ${initIn(home)}`, cwd: directory, env: { PATH: pathWithoutNode(join(directory, 'path')) }, stop: nothing };
}

async function image(home: string): Promise<Installed> {
  const release = join(directory, 'release');
  mkdirSync(release);
  const built = await buildImage(await builtTree(), join(directory, 'image'));
  cpSync(built, join(release, basename(built)));
  const { env, stop } = await startDocker();
  await must('sh', ['-euc', `cd ${release}; ${docsBlock('how-to/install.md', 'docker load')}`], env);
  const init = docsBlock('how-to/init.md', 'chown').replace(/(?<=65532 |--volume )\/etc\/lictor/g, home);
  return { init, cwd: directory, env, stop };
}

async function builtTree(): Promise<string> {
  const tree = join(directory, 'tree');
  if (!existsSync(tree)) await buildTree(tree);
  return tree;
}

const initIn = (home: string): string => `init --answers ${home}/answers.yaml --out ${home}/made`;

describe.each([
  ['a clone', cloned],
  ['the wheel', wheel],
  ['the image', image],
])('from %s', (name, install) => {
  const home = join(directory, `home-${name.replace(' ', '-')}`);
  let installed: Installed;
  let url: string;
  let printed: string;

  const shell = (script: string) =>
    start({
      ...{ name: script.slice(0, 50), command: 'sh', args: ['-euc', script], cwd: installed.cwd },
      // The machine may reach the package registries only by its settings.
      env: { ...process.env, HOME: home, ...installed.env },
    });

  async function output(script: string): Promise<string> {
    const process = await shell(script);
    const { code } = await process.exited;
    expect(code, process.output()).toBe(0);
    return process.output();
  }

  beforeAll(async () => {
    mkdirSync(home);
    installed = await install(home);
    url = `http://localhost:${await freePort()}`;
    await keycloak.serve(url, 'corp');
    writeFileSync(join(home, 'prefect-auth'), prefect.authString, { mode: 0o600 });
    writeFileSync(join(home, 'client-secret'), CLIENT.secret, { mode: 0o600 });
    const answers = [
      ...[`prefect_url: ${prefect.url}`, 'auth_string_file: prefect-auth', `public_url: ${url}`, `issuer: ${keycloak.issuer}`],
      ...[`client_id: ${CLIENT.id}`, 'client_secret_file: client-secret', 'admins: [group:platform]'],
    ];
    writeFileSync(join(home, 'answers.yaml'), `${answers.join('\n')}\n`);
    printed = await output(installed.init);
  }, 600_000);
  afterAll(() => installed.stop());

  it('the printed lines start it, alice logs in, and a worker gets its token', async () => {
    const lines = printed.split('Next:')[1]?.match(/^ {2}\S.*$/gm) ?? [];
    expect(lines).toHaveLength(3);
    const [up = '', token = '', doctor = ''] = lines.map((line) => line.trim());
    const gateway = await shell(`exec ${up}`);
    await waitFor(async () => (await fetch(`${url}/.lictor/ready`).catch(() => undefined))?.status === 200, { what: up, timeoutMs: 60_000 });
    try {
      expect((await fetch(`${url}/api/admin/version`)).status).toBe(401);
      const { cookie } = await logInThroughKeycloak(url, PEOPLE.alice);
      expect((await fetch(`${url}/api/admin/version`, { headers: { cookie } })).status).toBe(200);
      const secret = /lct_\S+/.exec(await output(token))?.[0] ?? '';
      expect((await fetch(`${url}/api/work_pools/filter`, { method: 'POST', headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
      expect(await output(doctor)).toContain(' 0 FAIL');
    } finally {
      await gateway.stop({ graceMs: 15_000 });
    }
  }, 300_000);

  if (install === image)
    it('it is not root, has no capability, and a read-only root', async () => {
      const format = '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}';
      expect(await output(`docker inspect -f '${format}' lictor`)).toBe('65532:65532 true [ALL] [no-new-privileges]\n');
      expect(await must('sh', ['-c', 'docker exec lictor touch /etc/lictor/lictor.yaml 2>&1 || true'], installed.env)).toContain('Read-only file system');
    });

  it('Prefect and its workers ran all the time', async () => {
    expect(running.map((worker) => worker.running())).toEqual([true, true, true]);
    for (const { name: worker, pool } of running) {
      const known = list(await directTo(prefect).post(`/work_pools/${pool}/workers/filter`, {}));
      expect(known.map((each) => [field(each, 'name'), field(each, 'status')])).toEqual([[worker, 'ONLINE']]);
    }
  });
});
