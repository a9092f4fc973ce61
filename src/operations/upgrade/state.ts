// What a start of this Lictor does with a state directory that another version has written. Reads only.
import { existsSync } from 'node:fs';
import type { StatePaths } from '../../config/state-dir.ts';
import { readVersion, STATE_VERSION } from '../../config/state-version.ts';
import { type StoreAddress, shownAddress } from '../../contract/store-address.ts';
import { readRows, storeExists } from '../../store/rows.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';

export interface StateParts {
  readonly paths: Pick<StatePaths, 'root' | 'version' | 'ledgerFile' | 'backup'>;
  readonly storeAt: StoreAddress;
  /** Only tests have another one. */
  readonly version?: number;
}

/** Throws `state-dir-unusable` if the version cannot be read. */
export async function checkStateVersions({ paths, storeAt, version = STATE_VERSION }: StateParts): Promise<readonly Verdict[]> {
  if (!existsSync(paths.root)) return [ok(`there is no state directory ${paths.root} yet`)];
  const directory = versionVerdict('the state directory', readVersion(paths.version), { version, backup: paths.backup });
  const databases = [['the store', storeAt] as const, ['the ledger', paths.ledgerFile] as const].filter(([, at]) => storeExists(at));
  return [directory, ...(await Promise.all(databases.map(([what, at]) => databaseVerdict(what, at, { version, backup: paths.backup }))))];
}

const OF_SQLITE = 'SELECT user_version AS value FROM pragma_user_version';
const OF_POSTGRES = 'SELECT version AS value FROM lictor_store';

interface Wanted {
  readonly version: number;
  readonly backup: string;
}

async function databaseVerdict(what: string, at: StoreAddress, wanted: Wanted): Promise<Verdict> {
  const [row] = await readRows(at, typeof at === 'string' ? OF_SQLITE : OF_POSTGRES);
  const found = Number(row?.['value'] ?? 0);
  if (found > 0) return versionVerdict(what, found, wanted);
  return fail(`${what} ${shownAddress(at)} cannot be read`, 'Run as the user of the gateway. If it is damaged, restore the last backup.');
}

function versionVerdict(what: string, found: number, { version, backup }: Wanted): Verdict {
  if (found > version)
    return fail(
      `${what} has version ${found}, and this Lictor supports up to ${version}`,
      'A newer Lictor wrote it. Run that one, or restore the copy that it made: docs/how-to/upgrading.md, "The state directory".',
    );
  if (found === version) return ok(`${what} has version ${found}, as this Lictor writes it`);
  return warn(
    `${what} has version ${found}: the first lictor up changes it to ${version}, and the former Lictor then rejects it`,
    `lictor up copies it to ${backup} before. docs/how-to/upgrading.md, "Roll back", shows the way back.`,
  );
}
