// The ledger page by page, one record, its search terms, and the state of its chain. Narrowed to the objects in the reader's scopes.
import { z } from 'zod';
import { actionWords } from '../../../../prefect/catalog/action-words.ts';
import { collectActions } from '../../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../../prefect/catalog/catalogue.ts';
import { didYouMean, knownActions, knownReasons } from '../../../../record/ledger/search/known-words.ts';
import { apiRoute } from '../api-route.ts';
import { record } from '../record-schema.ts';
import { AUDIT_QUERY, pageFilterOf } from './query.ts';
import { askerOf, search, seesNames } from './search-ledger.ts';
import { RECORD_ID } from './words.ts';

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
    const { parts, reader } = context;
    const filter = pageFilterOf(query, parts.clock());
    const question = { filter, seesNames: await seesNames(context, filter), reader };
    const found = await search(parts, () => parts.ledgerSearch.page(question, askerOf(context)));
    if (!found.ok) return found;
    const { records, unknown, stoppedAt } = found.answer;
    const isFull = records.length === ('limit' in filter ? filter.limit : filter.last);
    const next = isFull ? records.at(-1)?.id : stoppedAt?.id;
    const notes = [...didYouMean(filter), ...(unknown === null ? [] : [unknown])];
    return { ok: true, body: { records, next: next ?? null, searched_to: isFull ? null : (stoppedAt?.time ?? null), notes } };
  },
});

export const auditRecord = apiRoute({
  method: 'GET',
  path: '/audit/records/{id}',
  summary: 'Show one record',
  needs: 'records',
  params: z.strictObject({ id: z.string().refine((text) => RECORD_ID.parse(text, 0) !== undefined, RECORD_ID.hint) }),
  answer: record,
  async handle({ params, ...context }) {
    const { reader, parts } = context;
    const found = await search(parts, () => parts.ledgerSearch.ask({ kind: 'record', id: params.id, reader }, askerOf(context)));
    if (!found.ok) return found;
    return found.answer === null ? { ok: false, code: 'not-found', detail: NO_RECORD } : { ok: true, body: found.answer };
  },
});

const NO_RECORD = 'There is no such record (any more), or it is about an object that your scopes do not include.';

export const auditWords = apiRoute({
  method: 'GET',
  path: '/audit/words',
  summary: 'List the words that records have, for suggestions',
  needs: 'records',
  answer: z.strictObject({
    actions: z.array(z.string()).readonly(),
    action_words: z.record(z.string(), z.string()).describe('What each action of Prefect does, in words'),
    reasons: z.array(z.string()).readonly(),
    principals: z.array(z.string()).readonly().describe('Empty unless you may read every record'),
  }),
  async handle(context) {
    const ask = () => context.parts.ledgerSearch.ask({ kind: 'principals' }, askerOf(context));
    const found = context.reader.everything ? await search(context.parts, ask) : { ok: true as const, answer: [] };
    if (!found.ok) return found;
    return { ok: true, body: { actions: knownActions(), action_words: wordsOfActions(), reasons: knownReasons(), principals: found.answer } };
  },
});

function wordsOfActions(): Readonly<Record<string, string>> {
  return Object.fromEntries(collectActions(OPERATIONS).map(({ name }) => [name, actionWords(name)]));
}

export const auditChain = apiRoute({
  method: 'GET',
  path: '/audit/chain',
  summary: 'Examine the end of the chain: its signed head and the newest records',
  needs: 'records',
  answer: z.strictObject({
    state: z.enum(['intact', 'unsigned', 'broken']),
    signed_at: z.string().nullable(),
    head: z
      .strictObject({ signed: z.string(), statement: z.string(), signature: z.string(), public_key: z.string() })
      .nullable()
      .describe('The signed head, as lictor audit head prints it; null unless you may read every record'),
    chains: z
      .array(z.strictObject({ node: z.string(), first: z.number(), last: z.number(), examined: z.number() }))
      .readonly()
      .describe('One for each node; empty unless you may read every record'),
  }),
  async handle(context) {
    const found = await search(context.parts, () => context.parts.ledgerSearch.ask({ kind: 'chain' }, askerOf(context)));
    if (!found.ok) return found;
    return { ok: true, body: context.reader.everything ? found.answer : { ...found.answer, head: null, chains: [] } };
  },
});
