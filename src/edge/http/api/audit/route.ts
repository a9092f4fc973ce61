// GET audit: the ledger page by page, for principals with `ledger.read` on everything. Reads are recorded like any request.
import { z } from 'zod';
import { LictorError } from '../../../../contract/error.ts';
import { didYouMean } from '../../../../record/ledger/search/known-words.ts';
import type { PageQuestion } from '../../../../record/ledger/search/search.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { record } from '../record-schema.ts';
import { AUDIT_QUERY, filterOf } from './query.ts';

const page = z.strictObject({
  records: z.array(record).readonly(),
  next: z.string().nullable().describe('The value of `after` for the next page; null: none yet'),
  notes: z.array(z.string()).readonly().describe('Terms that may be misspelt'),
});

export const audit = apiRoute({
  method: 'GET',
  path: '/audit',
  summary: 'Search the records, oldest first',
  needs: { action: 'ledger.read' },
  query: AUDIT_QUERY,
  answer: page,
  async handle({ query, ...context }) {
    const filter = filterOf(query, context.parts.clock());
    const isNamed = filter.flowRun !== undefined || filter.deployment !== undefined;
    return pageOf({ filter, seesNames: isNamed && (await seesNames(context)) }, context.parts);
  },
});

/** Omits the names of Prefect's objects, because the right to read the ledger does not include them. */
async function seesNames({ inputs, parts: { decider } }: CallContext): Promise<boolean> {
  const rights = [await decider.authorizeOwn(inputs, 'flow_runs.read', 'FlowRun'), await decider.authorizeOwn(inputs, 'deployments.read', 'Deployment')];
  return rights.every(({ ok }) => ok);
}

async function pageOf(question: PageQuestion, { ledgerSearch, log }: CallContext['parts']): Promise<Result<z.input<typeof page>>> {
  try {
    const { filter } = question;
    const { records, unknown } = await ledgerSearch.page(question);
    const isFull = records.length === ('limit' in filter ? filter.limit : filter.last);
    const notes = [...didYouMean(filter), ...(unknown === null ? [] : [unknown])];
    return { ok: true, body: { records, next: isFull ? (records.at(-1)?.id ?? null) : null, notes } };
  } catch (error) {
    if (error instanceof LictorError && ['record-unknown', 'name-unknown'].includes(error.code))
      return { ok: false, code: 'request-invalid', detail: error.message };
    log.warn({ err: error }, 'the ledger could not be searched');
    return { ok: false, code: 'gateway-unavailable', detail: 'The ledger could not be searched in time: narrow what you ask for, or ask again.' };
  }
}
