// What a start of this Lictor does with a state directory that another version has written. Reads only.
import { existsSync } from 'node:fs';
import type { StatePaths } from '../../config/state-dir.ts';
import { readVersion, STATE_VERSION } from '../../config/state-version.ts';
import { LictorError } from '../../contract/error.ts';
import { type PostgresAddress, type StoreAddress, shownAddress } from '../../contract/store-address.ts';
import type { StoreProgram } from '../../store/postgres-versions.ts';
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
  const verdictOn = ([what, at]: (typeof databases)[number]): Promise<Verdict> =>
    typeof at === 'string' ? databaseVerdict(what, at, { version, backup: paths.backup }) : sharedVerdict(at);
  return [directory, ...(await Promise.all(databases.map(verdictOn)))];
}

const OF_SQLITE = 'SELECT user_version AS value FROM pragma_user_version';

interface Wanted {
  readonly version: number;
  readonly backup: string;
}

async function databaseVerdict(what: string, at: string, wanted: Wanted): Promise<Verdict> {
  const [row] = await readRows(at, OF_SQLITE);
  const found = Number(row?.['value'] ?? 0);
  if (found > 0) return versionVerdict(what, found, wanted);
  return fail(`${what} ${shownAddress(at)} cannot be read`, 'Run as the user of the gateway. If it is damaged, restore the last backup.');
}

/** Of a store that nodes of two releases share. */
export async function sharedVerdict(at: PostgresAddress, program?: StoreProgram): Promise<Verdict> {
  const { examinePostgres } = await import('../../store/postgres.ts');
  const plan = await examinePostgres(at, program).catch((error: unknown) => {
    if (error instanceof LictorError) return error.message;
    throw error;
  });
  if (typeof plan === 'string') return fail(plan, 'docs/how-to/upgrading.md, "Several nodes", has the order of the releases.');
  const { version, changes, tooOld, needed } = plan;
  if (version === 0) return ok('the store has no tables yet');
  if (tooOld.length > 0)
    return fail(`nodes run that could not use the store after the change: ${tooOld.join(', ')}`, `Upgrade them to Lictor ${needed} first, or stop them.`);
  if (changes.length === 0) return ok(`the store has version ${version}, which this Lictor can use`);
  return warn(
    `the store has version ${version}: the first start changes it to ${changes.at(-1)?.version}`,
    `Lictor ${needed} and newer can use it afterwards: going back to an older one needs a backup of the database.`,
  );
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
