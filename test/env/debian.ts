// A new Debian in a directory: what a package does there is real. Only its services are not started, because it has no systemd. Root only.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { bringProgram } from '../runner/programs.ts';
import { once } from './once.ts';
import { must } from './packages.ts';
import { type Finished, run } from './process.ts';

const RELEASE = 'bookworm';

export interface Debian {
  readonly root: string;
  /** Runs shell commands inside. They have no network but their own loopback, and whatever they start ends with them. */
  inside(script: string): Promise<Finished>;
}

/** Unpacks a Debian without nginx, which apt can install without a network. */
export async function newDebian(root: string): Promise<Debian> {
  const base = join(toolCacheDir(process.env), `debian-${RELEASE}-nginx`);
  await once(base, makeBase);
  mkdirSync(root, { recursive: true });
  await must('tar', ['-xf', join(base, 'base.tar'), '-C', root, '--exclude', './dev/*']);
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  return { root, inside: (script) => inside(root, script) };
}

async function makeBase(directory: string): Promise<void> {
  await bringProgram('mmdebstrap', process.env, (line) => void process.stderr.write(`${line}\n`));
  const download = 'chroot "$1" apt-get -q -y --no-install-recommends --download-only install nginx';
  const options = ['--quiet', '--variant=minbase', '--include=adduser', '--skip=cleanup/apt', `--customize-hook=${download}`];
  await must('mmdebstrap', [...options, RELEASE, join(directory, 'base.tar')], { SOURCE_DATE_EPOCH: undefined });
}

function inside(root: string, script: string): Promise<Finished> {
  const mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && ip link set lo up && exec chroot "$0" sh -euc "$1"';
  const args = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'sh', '-c', mounts, root, script];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return run({ name: `in ${dirname(root)}`, command: 'unshare', args, env, timeoutMs: 300_000 });
}
