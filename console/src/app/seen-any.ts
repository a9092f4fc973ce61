// Whether this gateway has seen a run or a worker, as far as the person may know it.
import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../api/client.ts';
import type { SeenAny } from './first-view.ts';
import { can, type Me } from './session.ts';

/** Without an answer nothing is known: the first view then says what is wrong. */
export function seenAnyQuery(me: Me) {
  return queryOptions({
    queryKey: ['seen-any', me.principal],
    queryFn: async ({ signal }): Promise<SeenAny> => {
      const [runs, workers] = await Promise.all([
        known(can(me, 'ledger.read'), () => anyRun(signal)),
        known(can(me, 'gateway.read'), async () => (await answerOf(api.GET('/health', { signal }))).workers.length > 0),
      ]);
      return { runs, workers };
    },
  });
}

/** A reader with a scope may not see the newest run: there may be others. */
async function anyRun(signal: AbortSignal): Promise<boolean> {
  const { runs, next } = await answerOf(api.GET('/runs', { params: { query: { limit: '1' } }, signal }));
  return runs.length > 0 || next !== null;
}

async function known(may: boolean, ask: () => Promise<boolean>): Promise<boolean | null> {
  return may ? await ask().catch(() => null) : null;
}
