// `lictor check`: whether the Postgres database of the configuration can be the store. A missing SQLite file is created at the start.
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/load.ts';
import { LictorError } from '../contract/error.ts';
import type { StoreAddress } from '../contract/store-address.ts';

export async function storeProblems({ storeAt, storeListen }: Pick<Config, 'storeAt' | 'storeListen'>): Promise<readonly Problem[]> {
  return [...(await problemsAt('store', storeAt)), ...(await problemsAt('store_listen', storeListen))];
}

async function problemsAt(path: string, at: StoreAddress | null): Promise<readonly Problem[]> {
  if (at === null || typeof at === 'string') return [];
  const { examinePostgres } = await import('../store/postgres.ts');
  try {
    await examinePostgres(at);
    return [];
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    return [{ path, message: error.message.replace(/\.$/, ''), remedy: 'docs/how-to/postgres.md says how Lictor uses the database.' }];
  }
}
