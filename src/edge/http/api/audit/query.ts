// The query of `GET /.lictor/api/v1/audit` -> a filter of records. It uses the field names of records.
import { z } from 'zod';
import type { PageFilter } from '../../../../record/ledger/search/questions.ts';
import { ACTION, ADDRESS, COUNT, DECISION, ID_OR_NAME, PATH, REASON, RECORD_ID, STATUS, TEXT, WHEN, type Word } from './words.ts';

/** The default size of a page. */
const PAGE = 100;
export const MOST_RECORDS = 1000;

const PAGE_SIZE: Word<number> = {
  parse(text) {
    const count = COUNT.parse(text, 0);
    return count !== undefined && count <= MOST_RECORDS ? count : undefined;
  },
  hint: `a whole number from 1 to ${MOST_RECORDS}.`,
};

const ORDER: Word<boolean> = {
  parse: (text) => (text === 'newest' ? true : text === 'oldest' ? false : undefined),
  hint: 'newest or oldest: which records come first. Default: oldest.',
};

/** For each name: the field of the filter, and the form of its value. */
const PARAMETERS: Readonly<Record<string, readonly [key: string, word: Word<unknown>]>> = {
  request_id: ['request', TEXT],
  principal: ['principal', TEXT],
  action: ['action', ACTION],
  decision: ['decision', DECISION],
  reason: ['reason', REASON],
  status: ['status', STATUS],
  source_ip: ['address', ADDRESS],
  path: ['path', PATH],
  flow_run_id: ['flowRun', ID_OR_NAME],
  deployment_id: ['deployment', ID_OR_NAME],
  resource_id: ['resource', TEXT],
  text: ['text', TEXT],
  since: ['since', WHEN],
  until: ['until', WHEN],
  last: ['last', PAGE_SIZE],
  limit: ['limit', PAGE_SIZE],
  after: ['after', RECORD_ID],
  order: ['newestFirst', ORDER],
};

export const AUDIT_QUERY = z
  .strictObject(Object.fromEntries(Object.entries(PARAMETERS).map(([name, [, word]]) => [name, textOf(word)])))
  .refine((query) => !('last' in query && ('limit' in query || 'order' in query)), 'last excludes limit and order.');

/** Times are read twice: the form here, and the time of the request in `filterOf`. */
function textOf({ parse, hint }: Word<unknown>): z.ZodType<string | undefined> {
  return z
    .string()
    .refine((text) => parse(text, 0) !== undefined, hint)
    .optional()
    .describe(hint);
}

export function filterOf(query: z.output<typeof AUDIT_QUERY>, nowMs: number): PageFilter {
  const given = Object.entries(query).flatMap(([name, text]) => {
    const parameter = PARAMETERS[name];
    return parameter === undefined || text === undefined ? [] : [[parameter[0], parameter[1].parse(text, nowMs)] as const];
  });
  const filter = Object.fromEntries(given);
  const page = 'last' in filter ? filter : { limit: PAGE, ...filter };
  // Every key has a value of its type.
  return page as PageFilter;
}
