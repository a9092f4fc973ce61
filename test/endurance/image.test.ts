// The container image, built twice; then compose.yaml with that image in a real Docker, as docs/how-to/docker-compose.md says.
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { type Docker, startDocker } from '../env/container/docker.ts';
import { baseTar, buildImage } from '../env/container/image.ts';
import { STOOD_IN, writeStandIns } from '../env/container/stand-ins.ts';
import { docsBlock } from '../env/docs.ts';
import { lastJson } from '../env/gateway.ts';
import { buildPackage, buildTree, sha256 } from '../env/packages.ts';
import { waitFor } from '../env/process.ts';

const PAGE = 'how-to/docker-compose.md';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-image-'));
const tree = join(directory, 'tree');
/** Where a reader has the files of the release. */
const release = join(directory, 'release');
const project = join(release, 'lictor-compose');
let archive: string;
let password = '';
let docker: Docker;
let composeFiles: string | undefined = 'compose.yaml:stand-ins.yaml';
let run: Record<string, unknown> = {};

beforeAll(async () => {
  await buildTree(tree);
  archive = await buildImage(tree, join(directory, 'built'));
  mkdirSync(release);
  cpSync(archive, join(release, basename(archive)));
  await buildPackage('compose', tree, release);
  docker = await startDocker(['prefect.localhost']);
  await typed(block('tar -xf lictor-'), release);
  await writeStandIns(join(project, 'stand-ins.yaml'), join(project, 'stand-ins-2.yaml'));
  const base = await baseTar();
  for (const image of STOOD_IN) await typed(`docker import ${base} ${image}`);
}, 600_000);
afterAll(async () => {
  await docker?.stop();
  rmSync(directory, { recursive: true });
});

async function shell(script: string, cwd = project) {
  return docker.shell(script, { cwd, env: composeFiles === undefined ? {} : { COMPOSE_FILE: composeFiles } });
}

async function typed(script: string, cwd?: string): Promise<string> {
  const { code, output } = await shell(script, cwd);
  expect(code, output).toBe(0);
  return output;
}

const block = (beginning: string): string => docsBlock(PAGE, beginning);

async function inspect(services: string, format: string): Promise<readonly string[]> {
  return (await typed(`docker inspect -f '${format}' $(docker compose ps --all -q ${services})`)).trim().split('\n');
}

async function healthy(...services: string[]): Promise<void> {
  const all = async () => (await inspect(services.join(' '), '{{.State.Health.Status}}')).every((state) => state === 'healthy');
  await waitFor(all, { what: `${services.join(', ')} to be healthy`, timeoutMs: 120_000, everyMs: 1_000 });
}

it('the image has the same bytes again', async () => {
  expect(sha256(await buildImage(tree, join(directory, 'again')))).toBe(sha256(archive));
});

it('three commands start a guarded Prefect', async () => {
  password = /^ {2}((?:\w{5}-){3}\w{5})$/m.exec(await typed(block('docker load')))?.[1] ?? '';
  expect(password).not.toBe('');
  await healthy('lictor', 'worker', 'prefect-server', 'postgres', 'redis');
  // Nothing is wrong at a first start, so nothing is printed.
  expect(await typed('docker logs $(docker compose ps --all -q setup)')).toBe('');
});

it('the commands for a service that does not become healthy answer', async () => {
  const output = await typed(block('docker compose ps --all'));
  expect(output).toMatch(/setup.*Exited \(0\)/);
  expect(output).toContain('no problem');
  expect((await shell('docker compose exec lictor lictor doctor')).output).toContain('Prefect');
});

it('Lictor is not root, has no capability, and cannot write its own files', async () => {
  const output = await typed('docker compose exec lictor sh -c "grep -E \'^(Uid|CapBnd|NoNewPrivs)\' /proc/1/status; touch /usr/lib/lictor/x 2>&1 || true"');
  expect(output).toMatch(/^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
  expect(output).toMatch(/^CapBnd:\s+0+$/m);
  expect(output).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(output).toContain('Read-only file system');
});

it('alice runs a flow through the worker, and the timeline names her', async () => {
  const secret = /lct_\w+/.exec(await typed(block('docker compose exec lictor lictor token create')))?.[0] ?? '';
  await typed(block('docker compose exec --workdir').replace('lct_...', secret));
  const person = join(REPOSITORY, 'test/endurance/compose/person.ts');
  run = lastJson(await typed(`'${process.execPath}' '${person}' http://prefect.localhost:8200 alice '${password}' hello/first`));
  expect(run).toMatchObject({ state_type: 'COMPLETED' });
  expect(await typed(`docker compose exec lictor lictor timeline ${run['id']}`)).toContain('started by alice@local');
});

it('only Lictor is published, and workers reach Prefect through it alone', async () => {
  expect(await typed("docker ps --format '{{.Ports}}'")).toMatch(/^\s*127\.0\.0\.1:8200->8200\/tcp\s*$/);
  const proof = block('docker compose exec worker python');
  expect((await shell(proof)).output).toMatch(/Name or service not known|Temporary failure in name resolution/);
  for (const place of ['192.0.2.2', '127.0.0.1']) {
    const { code, output } = await shell(proof.replace('prefect-server', place));
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/timed out|unreachable|refused/) });
  }
  // The same command works where Prefect may be reached.
  await typed(proof.replace('exec worker', 'exec prefect-services'));
});

it('a second start changes no secret; a lost token of the worker is replaced', async () => {
  const digest = 'docker compose exec worker sha256sum /secrets/worker/token';
  const before = await typed(digest);
  await typed('docker compose up --detach');
  expect(await typed(digest)).toBe(before);
  await typed(block('docker compose run --rm --entrypoint "rm -f'));
  expect(await typed(digest)).not.toBe(before);
  await healthy('worker');
});

it('a second worker has its own token', async () => {
  await typed(block('mkdir -m 700 worker-2'));
  writeFileSync(join(project, 'compose.override.yaml'), block('services:\n  worker-2'));
  const { services } = JSON.parse(readFileSync(join(project, 'stand-ins.yaml'), 'utf8'));
  writeFileSync(join(project, 'stand-in-2.yaml'), JSON.stringify({ services: { 'worker-2': services.worker } }));
  composeFiles = 'compose.yaml:compose.override.yaml:stand-ins.yaml:stand-in-2.yaml';
  await typed('docker compose up --detach');
  const used = async () => (await typed('docker compose exec lictor lictor audit --principal token:worker-2 --json')).includes('"token:worker-2"');
  await waitFor(used, { what: 'a request with the token of worker-2', timeoutMs: 60_000, everyMs: 1_000 });
});

it('the new version checks the state of the gateway that runs, and its files leave the configuration as it is', async () => {
  appendFileSync(join(project, 'lictor/lictor.yaml'), '# own\n');
  writeFileSync(join(project, 'lictor/setup.sh'), 'exit 1\n');
  const upgrade = `${block('VERSION=0.1.0')}${block('tar -xf ../lictor-$VERSION')}`;
  expect(await typed(upgrade)).toContain('lictor 0.1.0');
  expect(readFileSync(join(project, 'lictor/lictor.yaml'), 'utf8')).toMatch(/# own\n$/);
  await healthy('lictor', 'worker');
});

it('without the password of Postgres nothing starts; a backup restores everything', async () => {
  const redis = (...words: readonly string[]) => `docker compose exec redis redis-cli ${words.join(' ')}`;
  await typed(redis('set', 'slot', 'taken'));
  await typed(block('sh backup.sh save'));
  await typed('docker compose run --rm --entrypoint "rm /secrets/postgres/password" setup');
  const rejected = { code: 1, output: expect.stringContaining('postgres-secret has no password') };
  expect(await shell('docker compose run --rm setup')).toMatchObject(rejected);
  await typed('docker compose run --rm --entrypoint "rm /var/lib/lictor/lictor.db" setup');
  expect(await shell('docker compose run --rm setup')).toMatchObject(rejected);
  rmSync(join(project, 'lictor'), { recursive: true });
  await typed(block('tar -xf ../backup-1'));
  await typed(block('sh backup.sh restore'));
  await healthy('lictor', 'worker', 'prefect-server', 'postgres');
  expect(await typed(`docker compose exec lictor lictor timeline ${run['id']}`)).toContain('started by alice@local');
  expect(await typed(redis('get', 'slot'))).toContain('taken');
});

it('a copy is never mixed, and an incomplete one deletes nothing', async () => {
  expect(await shell(block('sh backup.sh save'))).toMatchObject({ code: 1, output: expect.stringContaining('../backup-1 exists') });
  const image = 'localhost/lictor:0.1.0';
  await typed(`docker tag ${image} saved && docker rmi ${image}`);
  expect((await shell('sh backup.sh save ../backup-2')).code).not.toBe(0);
  expect((await shell(block('sh backup.sh restore'))).output).toContain(`Docker has no ${image}`);
  await typed(`docker tag saved ${image} && docker rmi saved`);
  expect(existsSync(join(release, 'backup-2'))).toBe(false);
  rmSync(join(release, 'backup-1/redis-data.tar'));
  expect((await shell(block('sh backup.sh restore'))).output).toContain('Nothing has changed');
  await healthy('lictor', 'postgres');
});

it('the database of another Prefect moves in, with its encryption key', async () => {
  await typed('docker compose stop prefect-server prefect-services');
  await typed('docker compose exec postgres pg_dump --no-owner --no-privileges --username=prefect prefect >../prefect.sql');
  await typed(block('docker compose down --volumes\n'));
  await typed(block('    docker compose up --detach postgres'));
  writeFileSync(join(release, 'encryption-key'), 'the key\n');
  await typed(block('    docker compose run --rm -T'));
  await typed('docker compose up --detach');
  await healthy('lictor', 'worker', 'prefect-server');
  expect(await typed("docker compose exec prefect-server sh -c \"tr '\\\\0' '\\\\n' </proc/1/environ | grep ENCRYPTION\"")).toContain('the key');
  const asked = `docker compose exec worker sh /etc/prefect/with-secrets.sh prefect flow-run inspect ${run['id']}`;
  expect(await typed(asked)).toContain('COMPLETED');
});

it('Lictor joins another Compose project', async () => {
  const other = join(directory, 'other');
  mkdirSync(join(other, 'lictor'), { recursive: true });
  writeFileSync(join(other, 'compose.yaml'), 'services: { prefect: { image: localhost/lictor:0.1.0, entrypoint: [sleep, inf] } }\n');
  writeFileSync(join(other, 'compose.override.yaml'), block('services:\n  lictor'));
  writeFileSync(join(other, 'lictor/lictor.yaml'), block('public_url: http://prefect.localhost').replace(', auth_string_file: prefect-auth', ''));
  const compose = 'COMPOSE_FILE=compose.yaml:compose.override.yaml docker compose';
  await typed('docker compose stop lictor');
  await typed(`${compose} up --detach`, other);
  await waitFor(async () => (await shell(`${compose} exec lictor lictor health`, other)).code === 0, {
    what: 'the gateway to run',
    timeoutMs: 60_000,
    everyMs: 1_000,
  });
  await typed(`${compose} down --volumes --timeout 1`, other);
  await typed('docker compose start lictor');
});

it('a second node continues with the store of one, and each is replaced while requests go on', async () => {
  const token = /lct_\w+/.exec(await typed('docker compose exec lictor lictor token create two --role viewer'))?.[0] ?? '';
  const files = `compose.two-nodes.yaml${composeFiles?.replace('compose.yaml', '')}:stand-ins-2.yaml`;
  const [stop, write, migrate, append, up, ...more] = block('docker compose stop lictor').replace('compose.two-nodes.yaml', files).trim().split('\n');
  expect(more).toEqual([]);
  composeFiles = undefined;
  await typed(`${stop}\n${write}`);
  expect(await shell('docker compose run --rm setup')).toMatchObject({ code: 1, output: expect.stringContaining('without a store in lictor/lictor.yaml') });
  const before = readFileSync(join(project, 'lictor/lictor.yaml'), 'utf8');
  await typed(append ?? '');
  expect(await shell('docker compose run --rm setup')).toMatchObject({ code: 1, output: expect.stringContaining('nothing of lictor.db') });
  writeFileSync(join(project, 'lictor/lictor.yaml'), before);
  expect(await typed(migrate ?? '')).toContain('counts and digests agree');
  await typed(`${append}\n${up}`);
  await healthy('lictor', 'lictor-2', 'balancer', 'store', 'worker');
  expect((await typed("docker ps --format '{{.Names}} {{.Ports}}'")).match(/.*->.*/g)).toEqual([
    expect.stringMatching(/balancer-1 127\.0\.0\.1:8200->8200\/tcp$/),
  ]);
  const known = async () => (await shell(`docker compose exec lictor-2 lictor timeline ${run['id']}`)).output.includes('started by alice@local');
  await waitFor(known, { what: 'the records of the first node at the second one', timeoutMs: 60_000, everyMs: 1_000 });

  const asks = `'${process.execPath}' '${join(REPOSITORY, 'test/endurance/compose/asks.ts')}' http://prefect.localhost:8200 ${token} '${join(directory, 'enough')}'`;
  const asked = typed(asks);
  await typed(block('docker compose up --detach --no-deps --wait').replaceAll('--no-deps', '--no-deps --force-recreate'));
  await typed('docker compose kill lictor-2');
  await waitFor(async () => (await shell('docker compose exec balancer timeout 3 bash -c "echo >/dev/tcp/198.51.100.4/8200"')).code !== 0, {
    what: 'the node to be away',
  });
  writeFileSync(join(directory, 'enough'), '');
  expect(lastJson(await asked)).toEqual({ 200: expect.any(Number) });
  await typed('docker compose exec lictor lictor token revoke two');
  rmSync(join(directory, 'enough'));
  writeFileSync(join(directory, 'enough'), '');
  expect(lastJson(await typed(asks))).toEqual({ 401: 1 });
  await typed('docker compose up --detach');
});

it('SIGTERM ends Lictor in order', async () => {
  await typed('docker compose stop lictor');
  expect(await inspect('lictor', '{{.State.ExitCode}}')).toEqual(['0']);
});

it('the image alone runs with an own configuration, and its health check knows https', async () => {
  const config = join(directory, 'etc');
  mkdirSync(config);
  const yaml = 'public_url: https://prefect.example.com:8443\nlisten: 0.0.0.0:8443\ntls: { self_made: true }\nprefect: { url: http://127.0.0.1:4200 }\n';
  writeFileSync(join(config, 'lictor.yaml'), `${yaml}identity_providers: [ { id: local, type: accounts } ]\n`);
  const output = await typed(docsBlock('how-to/install.md', 'docker volume create').replaceAll('--volume /etc/lictor:', `--volume ${config}:`));
  expect(output).toContain('no problem');
  const health = () => shell('docker exec lictor lictor health');
  await waitFor(async () => (await health()).code === 0, { what: 'the gateway to run', timeoutMs: 60_000, everyMs: 1_000 });
  expect((await health()).output).toContain('https://127.0.0.1:8443/.lictor/health answers');
  await typed('docker rm --force lictor && docker volume rm lictor');
});

it('nothing is left after down', async () => {
  await typed(block('docker compose down --volumes\n'));
  expect(await typed('docker ps -aq; docker volume ls -q')).toBe('');
});

it('two nodes start at once', async () => {
  rmSync(project, { recursive: true });
  await typed(block('tar -xf lictor-'), release);
  await writeStandIns(join(project, 'stand-ins.yaml'), join(project, 'stand-ins-2.yaml'));
  const files = 'compose.two-nodes.yaml:stand-ins.yaml:stand-ins-2.yaml';
  await typed(block('cat lictor/two-nodes.yaml').replace('compose.two-nodes.yaml', files));
  await healthy('lictor', 'lictor-2', 'balancer', 'store', 'worker');
  expect(await typed('docker compose exec lictor-2 lictor doctor || true')).toMatch(/nodes: 2 live/);
  // A second start changes nothing.
  await typed('docker compose up --detach');
  expect(await typed('docker compose config --volumes')).toContain('lictor-2-state');
  await typed('sh backup.sh save ../backup-3');
  await healthy('lictor', 'lictor-2', 'balancer');
  for (const volume of ['store-data', 'store-secret', 'lictor-2-state']) expect(existsSync(join(release, `backup-3/${volume}.tar`))).toBe(true);
  await typed(block('docker compose down --volumes\n'));
});
