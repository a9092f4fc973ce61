// GET audit: the ledger page by page, narrowed to the objects in the reader's scopes. Reads are recorded like any request.
import { z } from 'zod';
import { LictorError } from '../../../../contract/error.ts';
import type { RecordReader } from '../../../../contract/record-reader.ts';
import { didYouMean } from '../../../../record/ledger/search/known-words.ts';
import type { PageQuestion } from '../../../../record/ledger/search/questions.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { record } from '../record-schema.ts';
import { AUDIT_QUERY, filterOf } from './query.ts';

const page = z.strictObject({
  records: z.array(record).readonly(),
  next: z.string().nullable().describe('The value of `after` for the next page; null: none yet'),
  searched_to: z.string().nullable().describe('The search stopped at this time, before the page was full: go on with `next`'),
  notes: z.array(z.string()).readonly().describe('Terms that may be misspelt'),
});

export const audit = apiRoute({
  method: 'GET',
  path: '/audit',
  summary: 'Search the records',
  needs: 'records',
  query: AUDIT_QUERY,
  answer: page,
  async handle({ query, ...context }) {
    const filter = filterOf(query, context.parts.clock());
    const isNamed = filter.flowRun !== undefined || filter.deployment !== undefined;
    return pageOf({ filter, seesNames: isNamed && (await seesNames(context)), reader: context.reader }, context.parts);
  },
});

/** Omits the names of Prefect's objects, because the right to read the ledger does not include them. */
async function seesNames({ inputs, parts: { decider } }: CallContext): Promise<boolean> {
  const rights = [await decider.authorizeOwn(inputs, 'flow_runs.read', 'FlowRun'), await decider.authorizeOwn(inputs, 'deployments.read', 'Deployment')];
  return rights.every(({ ok }) => ok);
}

async function pageOf(question: PageQuestion & { readonly reader: RecordReader }, parts: CallContext['parts']): Promise<Result<z.input<typeof page>>> {
  const { ledgerSearch, coveredObjects, log } = parts;
  try {
    const { filter } = question;
    const { records, unknown, stoppedAt } = await ledgerSearch.page(question, coveredObjects(question.reader));
    const isFull = records.length === ('limit' in filter ? filter.limit : filter.last);
    const notes = [...didYouMean(filter), ...(unknown === null ? [] : [unknown])];
    const next = isFull ? records.at(-1)?.id : stoppedAt?.id;
    return { ok: true, body: { records, next: next ?? null, searched_to: stoppedAt?.time ?? null, notes } };
  } catch (error) {
    if (error instanceof LictorError && ['record-unknown', 'name-unknown'].includes(error.code))
      return { ok: false, code: 'request-invalid', detail: error.message };
    log.warn({ err: error }, 'the ledger could not be searched');
    return { ok: false, code: 'gateway-unavailable', detail: 'The ledger could not be searched in time: narrow what you ask for, or ask again.' };
  }
}
