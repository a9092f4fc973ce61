// nginx of other Debian releases than the machine's: brought by apt, unpacked aside, started with their own libraries. Nothing is installed.
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { run } from './process.ts';

/** `package` holds the binary, `libraries` what it is linked with. */
const RELEASES = {
  bullseye: { package: 'nginx-core', libraries: ['libc6', 'libcrypt1', 'libpcre3', 'libssl1.1', 'zlib1g'] },
  trixie: { package: 'nginx', libraries: ['libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3t64', 'zlib1g', 'libzstd1'] },
  forky: { package: 'nginx', libraries: ['libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3t64', 'zlib1g', 'libzstd1'] },
} as const;

export type Release = keyof typeof RELEASES;

/** Of Debian's archive, where the machine has it; apt's own list of trusted keys where not. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A program for LICTOR_NGINX. Brought once into the cache directory; throws with the remedy when it cannot be had. */
export async function bringNginx(release: Release): Promise<string> {
  const directory = resolve(toolCacheDir(process.env), `nginx-${release}`);
  const program = join(directory, 'nginx');
  if (existsSync(program)) return program;
  const work = `${directory}.${process.pid}`;
  mkdirSync(join(work, 'apt/lists/partial'), { recursive: true });
  try {
    await download(release, work);
    for (const archive of globSync(join(work, 'apt/*.deb'))) await must(release, 'dpkg-deb', ['-x', archive, join(work, 'tree')], work);
    rmSync(join(work, 'apt'), { recursive: true });
    writeFileSync(join(work, 'nginx'), starter(release, work, directory), { mode: 0o755 });
    // Another run may have been faster.
    if (!existsSync(program)) renameSync(work, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

/** From the mirror of this machine's apt, with separate lists and a separate package status. */
async function download(release: Release, work: string): Promise<void> {
  const apt = join(work, 'apt');
  const site = (
    await must(release, 'apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages', 'Origin: Debian', 'Component: main'], work)
  ).split('\n')[0];
  if (site === undefined || site === '') throw new Error(remedy(release, 'apt has no source of Debian'));
  writeFileSync(join(apt, 'sources.list'), `deb ${existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''}${site} ${release} main\n`);
  writeFileSync(join(apt, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await must(release, 'apt-get', [...options, '-q', 'update'], apt);
  await must(release, 'apt-get', [...options, '-q', 'download', RELEASES[release].package, ...RELEASES[release].libraries], apt);
}

async function must(release: Release, command: string, args: readonly string[], cwd: string): Promise<string> {
  const finished = await run({ name: `${command} for ${release}`, command, args, cwd, env: process.env, timeoutMs: 100_000 }).catch((error: unknown) => ({
    code: 1,
    output: String(error),
  }));
  if (finished.code !== 0) throw new Error(remedy(release, `${command} ${args.slice(-8).join(' ')}: ${finished.output.slice(-600)}`));
  return finished.output;
}

function remedy(release: Release, what: string): string {
  const { package: main, libraries } = RELEASES[release];
  return `nginx of Debian ${release} cannot be had: ${what}
Run on Debian with a mirror that has ${release}, or unpack ${[main, ...libraries].join(', ')} of ${release} and put an executable that starts that nginx at
${join(toolCacheDir(process.env), `nginx-${release}/nginx`)}`;
}

/** The text of the program; the paths are those of the directory's later place. */
function starter(release: Release, work: string, directory: string): string {
  const [loader] = globSync('tree/{lib,usr/lib}/*-linux-gnu*/ld-linux-*.so.*', { cwd: work });
  if (loader === undefined) throw new Error(remedy(release, 'its libc6 has no loader'));
  const triplet = dirname(loader).split('/').at(-1) ?? '';
  const quoted = (path: string): string => `'${join(directory, path).replaceAll("'", `'\\''`)}'`;
  const libraries = ['tree/lib', 'tree/usr/lib'].map((path) => quoted(join(path, triplet))).join(':');
  return `#!/bin/sh\nexec ${quoted(loader)} --library-path ${libraries} ${quoted('tree/usr/sbin/nginx')} "$@"\n`;
}
