// Owners and modes of the files below the state directory: keys, credentials and the ledger are there.
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { StatePaths } from '../../../config/state-dir.ts';
import { ok, type Verdict } from '../finding.ts';
import { fault } from './codes.ts';

const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o044;

/** `owners`: the user of the gateway, and that of nginx's workers. */
export function checkStateFiles(paths: Pick<StatePaths, 'root' | 'run'>, owners: readonly number[]): readonly Verdict[] {
  const root = realpathSync(paths.root);
  const files = filesBelow(root).filter((file) => file !== paths.run);
  const problems = [root, ...files].flatMap((file) => problemsOf(root, file, owners));
  return problems.length > 0 ? problems.slice(0, MOST) : [ok(`only the gateway can use the ${files.length} files and directories below ${root}`)];
}

/** One wrong chmod is one line, or a few. */
const MOST = 5;

/** The authority for clients; configurations, which hold no secret. */
const PUBLIC = /^(?:tls\/ca\.pem|[^/]+\.yaml|version)$/;

function problemsOf(root: string, file: string, owners: readonly number[]): readonly Verdict[] {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || stats.isSymbolicLink() || stats.isSocket()) return []; // Links have no mode; checkUnixSockets checks sockets.
  const forbidden = stats.isDirectory() || PUBLIC.test(file.slice(root.length + 1)) ? OTHERS_WRITE : OTHERS_WRITE | OTHERS_READ;
  const mode = stats.mode & 0o777;
  if ((mode & forbidden) !== 0) return [fault('state-open', `${file} has mode ${mode.toString(8)}`)];
  return owners.includes(stats.uid) ? [] : [fault('state-foreign', `${file} belongs to user ${stats.uid}`)];
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = join(directory, entry.name);
    return entry.isDirectory() ? [file, ...filesBelow(file)] : [file];
  });
}
