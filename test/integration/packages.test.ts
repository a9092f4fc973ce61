// The packages of a release: their bytes are the same again, the SBOM is the lock file, and the wheel runs without Node.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { freePort } from '../env/free-port.ts';
import { buildPackage, buildTree, listing, must, packagePython, sha256 } from '../env/packages.ts';
import { run } from '../env/process.ts';
import { type ComposePair, startComposePair } from './packages/compose-pair.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-packages-'));
const tree = join(directory, 'tree');
/** The build context of the image. */
const context = join(directory, 'context');
beforeAll(async () => {
  await buildTree(tree);
  await must('sh', ['-c', 'umask 077; exec "$0" "$1" "$2"', join(REPOSITORY, 'packaging/image/context.sh'), tree, context]);
});
afterAll(() => rmSync(directory, { recursive: true }));

const version: string = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')).version;

interface Bom {
  readonly components: readonly { readonly name: string; readonly version: string; readonly hashes: readonly { readonly content: string }[] }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string; readonly dev?: true; readonly link?: true }>>;
}

describe('the tree of a release', () => {
  it('has the same bytes, modes and times again', async () => {
    await buildTree(join(directory, 'again'));
    expect(await listing(join(directory, 'again'))).toBe(await listing(tree));
  });

  it('has neither tests nor sources', async () => {
    const files = await listing(tree);
    expect(files).not.toMatch(/\.test\.|\.ts |\.map /);
    expect(files).toContain('./nginx/');
    expect(files).not.toMatch(/\.tsx|node_modules\/(?!@cedar-policy)/);
    expect(files).toMatch(/\.\/console\/dist\/assets\/index-[\w-]+\.js\.br /);
  });

  it('has an SBOM that equals the production part of the lock file', () => {
    const bom: Bom = JSON.parse(readFileSync(join(tree, 'sbom.cdx.json'), 'utf8'));
    const lock: Lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8'));
    // Neither the root nor the workspace of the console: only what npm installs.
    const installed = Object.entries(lock.packages).filter(([place, { link }]) => place.includes('node_modules/') && link !== true);
    const production = installed.filter(([, { dev }]) => dev !== true);
    const locked = production.map(([place, { version: of, integrity }]) => `${place.split('node_modules/').at(-1)} ${of} ${integrity}`);
    const listed = bom.components.map(
      ({ name, version: of, hashes }) => `${name} ${of} sha512-${Buffer.from(hashes[0]?.content ?? '', 'hex').toString('base64')}`,
    );
    expect([...listed].sort()).toEqual([...new Set(locked)].sort());
    const references = new Set(bom.dependencies.map(({ ref }) => ref));
    expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !references.has(ref))).toEqual([]);
  });

  it('has the licence of each package', () => {
    const text = readFileSync(join(tree, 'THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['fastify', 'react', '@tanstack/react-router', '@codemirror/view', 'uplot'])
      expect(text).toMatch(new RegExp(`^==== ${name} \\d.*: MIT\n\n(?:(?!^====)[^])*Permission is hereby granted`, 'm'));
    for (const tool of ['vitest', 'vite', 'typescript']) expect(text).not.toContain(`==== ${tool} `);
  });
});

describe('the wheel', () => {
  const path = join(directory, 'path');
  let python: string;
  /** As on a machine with Python and a shell, and without Node and nginx. The form with pip and a new venv is in test/endurance. */
  const lictor = (...args: string[]) => {
    const env = { PATH: path, HOME: directory, PYTHONPATH: join(directory, 'installed'), LICTOR_NGINX: 'none' };
    return run({ name: 'lictor of the wheel', command: python, args: ['-m', 'lictor', ...args], cwd: directory, env });
  };

  beforeAll(async () => {
    python = await packagePython();
    const wheel = await buildPackage('wheel', tree, join(directory, 'wheel'));
    await must(python, ['-m', 'zipfile', '-e', wheel, join(directory, 'installed')]);
    mkdirSync(path);
    for (const program of ['dirname', 'readlink']) symlinkSync(`/usr/bin/${program}`, join(path, program));
  });

  it('has the same bytes again', async () => {
    const again = await buildPackage('wheel', tree, join(directory, 'wheel-again'));
    expect(sha256(again)).toBe(sha256(join(directory, 'wheel', `lictor-${version}-py3-none-any.whl`)));
  });

  it('runs lictor in an environment without Node', async () => {
    expect(await lictor('--version')).toMatchObject({ code: 0, output: `${version}\n` });
  });

  it('names a missing nginx with the line that installs it', async () => {
    const { code, output } = await lictor('demo', '--once', '--port', String(await freePort()));
    expect(code).toBe(1);
    expect(output).toContain('apt-get install nginx');
    expect(output).not.toContain('bringing');
  });
});

describe('the Debian package', () => {
  const root = join(directory, 'root');
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  beforeAll(async () => {
    await must('dpkg-deb', ['--raw-extract', await buildPackage('deb', tree, join(directory, 'deb'), '-Znone'), root]);
  });

  it('has the same bytes again', async () => {
    const again = await buildPackage('deb', tree, join(directory, 'deb-again'), '-Znone');
    expect(sha256(again)).toBe(sha256(join(directory, 'deb', basename(again))));
  });

  it('starts with Node of its own, and its configuration is a conffile without a problem', async () => {
    expect(read('DEBIAN/conffiles')).toBe('/etc/lictor/lictor.yaml\n');
    const lictor = (...args: string[]) => must(join(root, 'usr/bin/lictor'), args, { PATH: '/usr/bin:/bin', HOME: directory });
    const config = ['-c', join(root, 'etc/lictor/lictor.yaml'), '--state-dir', join(directory, 'state')];
    expect(await lictor('check', ...config)).toContain('no problem');
  });

  it('has the unit of the repository, with its own paths', async () => {
    const unit = read('usr/lib/systemd/system/lictor.service');
    expect(unit).toContain('ExecStart=/usr/bin/lictor up --config /etc/lictor/lictor.yaml --state-dir /var/lib/lictor\n');
    expect(unit).not.toContain('/opt');
    for (const script of ['preinst', 'postinst', 'prerm', 'postrm']) await must('sh', ['-n', join(root, 'DEBIAN', script)]);
  });
});

describe('the build context of the image', () => {
  it('has the program, its Node and the command, whatever the mask of modes', async () => {
    const files = await listing(context);
    for (const program of ['./usr/bin/lictor', './usr/lib/lictor/lictor', './usr/lib/lictor/bin/node']) expect(files).toContain(`${program} 755 `);
    expect(files).not.toMatch(/ [0-7]*[0-7]00 /);
    expect(await must(join(context, 'usr/lib/lictor/lictor'), ['--version'], { PATH: '/usr/bin:/bin', HOME: directory })).toBe(`${version}\n`);
  });
});

describe('the files of Docker Compose', () => {
  it('have the same bytes again', async () => {
    const [first, again] = [
      await buildPackage('compose', tree, join(directory, 'compose')),
      await buildPackage('compose', tree, join(directory, 'compose-again')),
    ];
    expect(sha256(again)).toBe(sha256(first));
  });
});

describe('two nodes, as Compose starts them', () => {
  let pair: ComposePair;
  beforeAll(async () => {
    pair = await startComposePair(join(directory, 'pair'), join(context, 'usr/lib/lictor'));
  });
  afterAll(() => pair?.stop());

  it('publish the load balancer alone, and no client reaches a node or the store', () => pair.isClosed());
  it('know a login and a token of the other one, and a revocation', () => pair.isOneGateway());
  it('answer each request while one of them is killed', () => pair.outlivesNode());
});
