// GET audit/export: the records of a search as a file, newest first. A bounded number; the last line says where to go on.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { LedgerRecord } from '../../../../contract/record.ts';
import { COLUMNS } from '../../../../record/ledger/columns.ts';
import type { PageQuestion } from '../../../../record/ledger/search/questions.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { AUDIT_FILTER, filterOf } from './query.ts';
import { askerOf, search, seesNames } from './search-ledger.ts';

const PAGE = 200;
/** For all of it there is `lictor audit export`, which also carries the proof. */
export const MOST_EXPORTED = 100_000;

const FORMATS = {
  ndjson: { mediaType: 'application/x-ndjson', start: '', line: (record: LedgerRecord) => `${JSON.stringify(record)}\n` },
  csv: { mediaType: 'text/csv; charset=utf-8', start: csvLine(Object.keys(COLUMNS)), line: (record: LedgerRecord) => csvLine(csvCells(record)) },
} as const;

export const auditExport = apiRoute({
  method: 'GET',
  path: '/audit/export',
  summary: 'Download the records of a search, newest first',
  needs: 'records',
  query: AUDIT_FILTER.safeExtend({ format: z.enum(['ndjson', 'csv']).default('ndjson') }),
  answer: z.unknown(),
  mediaType: 'application/x-ndjson',
  async handle({ query: { format, ...query }, ...context }) {
    const filter = filterOf(query, context.parts.clock());
    const question = { filter: { ...filter, newestFirst: true, limit: PAGE }, seesNames: await seesNames(context, filter), reader: context.reader };
    const first = await pageOf(context, question);
    if (!first.ok) return first;
    const { mediaType, start, line } = FORMATS[format === 'csv' ? format : 'ndjson'];
    const name = `lictor-records-${new Date(context.parts.clock()).toISOString().slice(0, 10)}.${format}`;
    const texts = (async function* () {
      yield start;
      for await (const records of pagesFrom(context, question, first.answer)) yield records.map(line).join('');
    })();
    return { ok: true, send: (reply) => reply.type(mediaType).header('content-disposition', `attachment; filename="${name}"`).send(Readable.from(texts)) };
  },
});

type Found = Awaited<ReturnType<CallContext['parts']['ledgerSearch']['page']>>;

function pageOf(context: CallContext, question: PageQuestion) {
  return search(context.parts, () => context.parts.ledgerSearch.page(question, askerOf(context)));
}

/** A failure breaks the download off, so that no part passes for the whole. */
async function* pagesFrom(context: CallContext, question: PageQuestion, first: Found): AsyncGenerator<readonly LedgerRecord[]> {
  let page = first;
  let count = 0;
  for (;;) {
    yield page.records;
    count += page.records.length;
    const after = page.records.length === PAGE ? page.records.at(-1)?.id : page.stoppedAt?.id;
    if (after === undefined) return;
    if (count >= MOST_EXPORTED) throw new Error(`more than ${MOST_EXPORTED} records: narrow the search by time`);
    const next = await pageOf(context, { ...question, filter: { ...question.filter, after } });
    if (!next.ok) throw new Error(next.detail ?? next.code);
    page = next.answer;
  }
}

function csvCells(record: LedgerRecord): readonly string[] {
  return Object.keys(COLUMNS).map((name) => {
    const value = record[name as keyof LedgerRecord];
    return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  });
}

/** RFC 4180. A spreadsheet would run a cell that begins like a formula. */
function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${(/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell).replaceAll('"', '""')}"`).join(',')}\r\n`;
}
