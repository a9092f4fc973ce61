// `node packaging/tree.ts DIRECTORY`: writes the files of a release, which every package contains. The same commit gives the same bytes, modes and times.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, globSync, lstatSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from '../build/build.ts';
import { REPOSITORY } from '../src/cli/repository.ts';
import { type LockedPackage, productionPackages, renderSbom } from './sbom.ts';

/** Replaces `directory`: the built program, its launcher, the licences and the SBOM. It needs Node and nginx only. */
export async function writeTree(directory: string): Promise<void> {
  await build(directory);
  for (const unused of globSync(['*.map', '**/*.d.ts'], { cwd: directory })) rmSync(join(directory, unused));
  copyFileSync(join(REPOSITORY, 'packaging/lictor'), join(directory, 'lictor'));
  copyFileSync(join(REPOSITORY, 'LICENSE'), join(directory, 'LICENSE'));
  writeFileSync(join(directory, 'THIRD-PARTY-LICENSES'), thirdPartyLicenses());
  writeFileSync(join(directory, 'sbom.cdx.json'), renderSbom());
  settle(directory, sourceDate());
}

/** The licence texts of the packages that the program contains. */
function thirdPartyLicenses(): string {
  return productionPackages()
    .filter(({ place, name }) => place !== '' && !name.startsWith('node-linux-'))
    .map(licenseOf)
    .join('\n\n');
}

function licenseOf({ place, name, version, license }: LockedPackage): string {
  const files = globSync('{[Ll][Ii][Cc][Ee][Nn][CcSs][Ee],NOTICE}*', { cwd: join(REPOSITORY, place) }).sort();
  return [`==== ${name} ${version}: ${license ?? 'see below'}`, ...files.map((file) => readFileSync(join(REPOSITORY, place, file), 'utf8').trim())].join(
    '\n\n',
  );
}

/** Modes that do not depend on the umask, and the time of the commit. */
function settle(directory: string, seconds: number): void {
  for (const path of ['.', ...globSync('**', { cwd: directory })].map((name) => join(directory, name)).reverse()) {
    chmodSync(path, lstatSync(path).isDirectory() || path === join(directory, 'lictor') ? 0o755 : 0o644);
    utimesSync(path, seconds, seconds);
  }
}

/** SOURCE_DATE_EPOCH, else the time of the commit. */
function sourceDate(): number {
  return Number(process.env['SOURCE_DATE_EPOCH'] ?? execFileSync('git', ['-C', REPOSITORY, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }));
}

if (import.meta.main) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) throw new Error('node packaging/tree.ts DIRECTORY');
  await writeTree(resolve(directory));
}
