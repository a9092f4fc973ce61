// The principals that have lately registered a flow by its name: a client that knows the name may use the flow.
import type { Clock } from '../contract/clock.ts';
import { byCame } from './columns.ts';
import type { Database } from './database.ts';

export interface KnownFlows {
  /** Stored for an hour, over restarts. Of each principal, Lictor stores the newest. */
  put(principal: string, flow: string): Promise<void>;
  has(principal: string, flow: string): Promise<boolean>;
}

/** Stock clients register a flow in the moment before they name its id; a deploy of many flows registers each before its deployment. */
const LIFE_MS = 3_600_000;
const MOST_KNOWN = 1_000;

export function createKnownFlows(database: Database, clock: Clock, most = MOST_KNOWN): KnownFlows {
  return {
    put: (principal, flow) =>
      database.write(async (transaction) => {
        await transaction.deleteFrom('known_flows').where('expires_ms', '<=', clock()).execute();
        // A new row instead of an update: it is the newest, even if the clock was set back.
        await transaction.deleteFrom('known_flows').where('principal', '=', principal).where('flow', '=', flow).execute();
        await transaction
          .insertInto('known_flows')
          .values({ principal, flow, expires_ms: clock() + LIFE_MS })
          .execute();
        const own = transaction.selectFrom('known_flows').select('flow').where('principal', '=', principal);
        const newest = own.orderBy(byCame, 'desc').limit(most);
        await transaction.deleteFrom('known_flows').where('principal', '=', principal).where('flow', 'not in', newest).execute();
      }),
    async has(principal, flow) {
      const found = database.read.selectFrom('known_flows').select('flow').where('principal', '=', principal).where('flow', '=', flow);
      return (await found.where('expires_ms', '>', clock()).executeTakeFirst()) !== undefined;
    },
  };
}
