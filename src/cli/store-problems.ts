// `lictor check`: whether the Postgres database of the configuration can be the store of this node. A missing SQLite file is created at the start.
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/load.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { LictorError } from '../contract/error.ts';
import type { StoreAddress } from '../contract/store-address.ts';

const REMEDY = 'docs/how-to/postgres.md says how Lictor uses the database.';

/** The keys in `paths` are compared with those of the other nodes. Undefined: not the state directory of a node. */
export async function storeProblems({ storeAt, storeListen }: Pick<Config, 'storeAt' | 'storeListen'>, paths?: StatePaths): Promise<readonly Problem[]> {
  return [...(await problemsAt('store', storeAt, paths)), ...(await problemsAt('store_listen', storeListen))];
}

async function problemsAt(path: string, at: StoreAddress | null, paths?: StatePaths): Promise<readonly Problem[]> {
  if (at === null || typeof at === 'string') return [];
  const [{ examinePostgres }, { assertKeysShared }] = await Promise.all([import('../store/postgres.ts'), import('../app/share-keys.ts')]);
  let wasRead = false;
  try {
    const { keys } = await examinePostgres(at);
    wasRead = true;
    if (paths !== undefined) assertKeysShared(paths, keys);
    return [];
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    const unread = wasRead || paths === undefined ? '' : ` Lictor did not compare ${paths.sealKey} and the other keys with those of the other nodes.`;
    return [{ path, message: error.message.replace(/\.$/, ''), remedy: `${REMEDY}${unread}` }];
  }
}
