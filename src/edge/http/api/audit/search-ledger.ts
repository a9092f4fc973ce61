// Asks the search thread for a route, and translates its errors.
import { LictorError } from '../../../../contract/error.ts';
import type { AuditFilter } from '../../../../record/ledger/query.ts';
import type { Asker } from '../../../../record/ledger/search/search.ts';
import type { CallContext, Result } from '../api-route.ts';

/** Errors that say what is wrong with the question. They name nothing that the caller may not see. */
const OF_THE_QUESTION: readonly string[] = ['record-unknown', 'name-unknown'];

export type Refused = Extract<Result<never>, { ok: false }>;

export function askerOf({ authorization, parts, reader }: Pick<CallContext, 'authorization' | 'parts' | 'reader'>): Asker {
  return { principal: authorization.principal.id, covered: parts.coveredObjects(reader) };
}

/** Runs a search. A failure is the caller's own mistake, or an outage. */
export async function search<T>({ log }: CallContext['parts'], ask: () => Promise<T>): Promise<{ readonly ok: true; readonly answer: T } | Refused> {
  try {
    return { ok: true, answer: await ask() };
  } catch (error) {
    if (error instanceof LictorError && OF_THE_QUESTION.includes(error.code)) return { ok: false, code: 'request-invalid', detail: error.message };
    if (error instanceof LictorError && error.code === 'objects-unknown') return { ok: false, code: 'gateway-unavailable', detail: PREFECT_AWAY };
    log.warn({ err: error }, 'the ledger could not be searched');
    return { ok: false, code: 'gateway-unavailable', detail: 'The ledger could not be searched in time: narrow what you ask for, or ask again.' };
  }
}

const PREFECT_AWAY = 'Prefect does not answer, and so Lictor does not know which objects are in your scope. Ask again.';

/** Omits the names of Prefect's objects, because the right to read the ledger does not include them. */
export async function seesNames({ inputs, parts: { decider } }: CallContext, { flowRun, deployment }: AuditFilter): Promise<boolean> {
  if (flowRun === undefined && deployment === undefined) return false;
  const rights = [await decider.authorizeOwn(inputs, 'flow_runs.read', 'FlowRun'), await decider.authorizeOwn(inputs, 'deployments.read', 'Deployment')];
  return rights.every(({ ok }) => ok);
}
