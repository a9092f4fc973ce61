// The container image as its script builds it, on a Debian from packages: the tests have no image registry. Root only.
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, toolCacheDir } from '../../../src/cli/repository.ts';
import { bringProgram } from '../../runner/programs.ts';
import { once } from '../once.ts';
import { must } from '../packages.ts';

const BASE = 'localhost/debian:bookworm-slim';

/** The tar of a small Debian. */
export async function baseTar(): Promise<string> {
  const cached = join(toolCacheDir(process.env), 'debian-bookworm-base');
  await bringProgram('mmdebstrap', process.env, onProgress);
  await once(cached, async (work) => void (await must('mmdebstrap', ['--quiet', '--variant=minbase', 'bookworm', join(work, 'base.tar')])));
  return join(cached, 'base.tar');
}

/** Builds the image of a release in a separate storage below `directory`; answers the path of the archive. */
export async function buildImage(tree: string, directory: string): Promise<string> {
  await bringProgram('buildah', process.env, onProgress);
  mkdirSync(directory);
  const settings = { driver: 'vfs', graphroot: join(directory, 'storage'), runroot: join(directory, 'run') };
  const conf = join(directory, 'storage.conf');
  writeFileSync(
    conf,
    `[storage]\n${Object.entries(settings)
      .map(([name, value]) => `${name} = "${value}"\n`)
      .join('')}`,
  );
  const env = { CONTAINERS_STORAGE_CONF: conf, BUILDAH_ISOLATION: 'chroot', BASE };
  const commands = 'c=$(buildah from scratch) && buildah add --quiet "$c" "$0" / && buildah commit --quiet --rm --timestamp "$SOURCE_DATE_EPOCH" "$c" "$1"';
  await must('sh', ['-euc', commands, await baseTar(), BASE], env);
  await must(join(REPOSITORY, 'packaging/image/build.sh'), [tree, join(directory, 'out')], env);
  return globSync(join(directory, 'out/*.tar')).join();
}

function onProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
