// Tokens of a provider for a session or a grant (refresh token, ID token), encrypted by the caller. They end with their owner.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface IdpTokens {
  put(owner: string, sealed: string): Promise<void>;
  read(owner: string): Promise<string | undefined>;
  remove(owner: string): Promise<void>;
}

export function createIdpTokens(database: Database, clock: Clock): IdpTokens {
  return {
    put: (owner, sealed) =>
      database.durably(async (transaction) => {
        const values = { sealed, updated_ms: clock() };
        await transaction
          .insertInto('idp_tokens')
          .values({ owner, ...values })
          .onConflict((conflict) => conflict.column('owner').doUpdateSet(values))
          .execute();
      }),
    async read(owner) {
      const row = await database.read.selectFrom('idp_tokens').select('sealed').where('owner', '=', owner).executeTakeFirst();
      return row?.sealed;
    },
    remove: (owner) =>
      database.write(async (transaction) => {
        await transaction.deleteFrom('idp_tokens').where('owner', '=', owner).execute();
      }),
  };
}
