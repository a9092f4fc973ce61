// Brings Debian's Chromium and a font for the end-to-end tests.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CommandFailed } from '../../src/cli/errors.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Environment } from '../../src/config/load.ts';

const PACKAGES = ['chromium', 'fonts-dejavu-core'];

/** Nothing when it is there; else by apt, as root or with passwordless sudo; else CommandFailed with the remedy. */
export async function bringBrowser(env: Environment, onProgress: (line: string) => void): Promise<void> {
  const path = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  const has = (program: string) => path.some((directory) => existsSync(join(directory, program)));
  if (has('chromium') || has('chromium-browser') || has('google-chrome')) return;
  const remedy = `Chromium is missing: run apt-get install ${PACKAGES.join(' ')} as root.`;
  if (!has('apt-get')) throw new CommandFailed(remedy);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  onProgress(`bringing ${PACKAGES.join(', ')}`);
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', ...PACKAGES],
  ]) {
    const [command = '', ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    const { status, output } = await runCommand({ command, args: rest, env });
    if (status !== 0) throw new CommandFailed(`${output.trim().split('\n').slice(-5).join('\n')}\n${remedy}`);
  }
}
