// Installs a rendered configuration: writes it to a new directory, lets nginx test it, then swaps it in one step.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { commandLine } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import type { EdgeFiles } from './render.ts';
import { type NginxVersion, nginxArgs } from './version.ts';

const run = promisify(execFile);

export interface AppliedEdge {
  /** False: the same configuration is installed already, so no reload is needed. */
  readonly changed: boolean;
  /** The arguments for the start of nginx. Their path never changes, so a reload reads the swapped files. */
  readonly args: readonly string[];
}

/** `STATE/edge/current` is a link to the directory of the configuration in use. Throws `edge-invalid`; the old one then stays. */
export async function applyEdge(files: EdgeFiles, paths: StatePaths, version: NginxVersion): Promise<AppliedEdge> {
  const current = join(paths.edge, 'current');
  const args = nginxArgs(version, paths.edge, join(current, 'nginx.conf'), paths.edgeErrorLog);
  if (sameFiles(current, files)) return { changed: false, args };
  const next = writeEdge(files, paths.edge);
  try {
    await testEdge(version, paths, join(next, 'nginx.conf'));
  } catch (error) {
    rmSync(next, { recursive: true, force: true });
    throw error;
  }
  const link = join(paths.edge, `.current.${process.pid}`);
  rmSync(link, { force: true });
  symlinkSync(basename(next), link);
  renameSync(link, current);
  removeOld(paths.edge, basename(next));
  return { changed: true, args };
}

/** Writes to a new directory, 0600: one include holds Prefect's credential. */
export function writeEdge(files: EdgeFiles, edgeDir: string): string {
  const dir = join(edgeDir, `conf-${Date.now().toString(36)}-${process.pid}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const [name, content] of files) writeFileSync(join(dir, name), content, { mode: 0o600 });
  return dir;
}

/** `nginx -t` with the arguments of the start. Throws `edge-invalid` with the message of nginx. */
export async function testEdge(version: NginxVersion, paths: StatePaths, confFile: string): Promise<void> {
  try {
    await run(version.binary, [...nginxArgs(version, paths.edge, confFile, paths.edgeErrorLog), '-t', '-q'], { timeout: 20_000 });
  } catch (cause) {
    const words = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new LictorError('edge-invalid', `nginx refuses the rendered configuration: ${words}${buildHint(words)}`, { cause });
  }
}

/** A missing module: Lictor needs the standard ones, and nginx-light of Debian 11 has no limit_req. */
export function buildHint(words: string): string {
  return /unknown directive "[a-z_0-9]+"/.test(words) ? ' This nginx is built without a usual module: install the package nginx instead of nginx-light.' : '';
}

function sameFiles(dir: string, files: EdgeFiles): boolean {
  try {
    const names = readdirSync(dir);
    return names.length === files.size && names.every((name) => files.get(name) === readFileSync(join(dir, name), 'utf8'));
  } catch {
    return false; // nothing is installed, or it cannot be read: write a new one
  }
}

function removeOld(edgeDir: string, keep: string): void {
  const inUse = readlinkSync(join(edgeDir, 'current'));
  for (const name of readdirSync(edgeDir).filter(isOver)) {
    if (name !== keep && name !== inUse) rmSync(join(edgeDir, name), { recursive: true, force: true });
  }
}

/** From this process, or from one that has ended. A concurrent `lictor check` still needs its directory. */
function isOver(name: string): boolean {
  const pid = /^(?:conf-.*|check)-([0-9]+)$/.exec(name)?.[1];
  return pid !== undefined && (pid === String(process.pid) || commandLine(Number(pid)) === '');
}
