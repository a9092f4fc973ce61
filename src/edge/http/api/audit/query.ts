// The query of `GET /.lictor/api/v1/audit` -> a filter of records. It uses the field names of records.
import { z } from 'zod';
import type { AuditFilter } from '../../../../record/ledger/query.ts';
import type { PageFilter } from '../../../../record/ledger/search/questions.ts';
import { parseQueryText } from './query-text.ts';
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

const ROUTINE: Word<boolean> = {
  parse: (text) => (text === 'hide' ? true : text === 'show' ? false : undefined),
  hint: 'show or hide: pages and files, polls of workers, probes, and reads over this API, unless denied or failed. Default: show.',
};

/** For each name: the field of the filter, and the form of its value. */
const PARAMETERS: Readonly<Record<string, readonly [key: string, word: Word<unknown>]>> = {
  request_id: ['request', TEXT],
  principal: ['principal', TEXT],
  on_behalf_of: ['onBehalfOf', TEXT],
  credential_id: ['credential', TEXT],
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
  routine: ['withoutRoutine', ROUTINE],
  since: ['since', WHEN],
  until: ['until', WHEN],
  last: ['last', PAGE_SIZE],
  limit: ['limit', PAGE_SIZE],
  after: ['after', RECORD_ID],
  order: ['newestFirst', ORDER],
};

/** What a page adds to the filter. */
const OF_PAGES = ['last', 'limit', 'after', 'order'];
/** The parameters of a filter alone, which are keys of the query language too. */
const FILTERS = Object.keys(PARAMETERS).filter((name) => !OF_PAGES.includes(name));
const MOST_TEXT = 4096;

const SHAPE = {
  q: z.string().max(MOST_TEXT).optional().describe('All in one, as the console writes it: principal:alice decision:deny'),
  ...Object.fromEntries(Object.entries(PARAMETERS).map(([name, [, word]]) => [name, textOf(word)])),
};

type Query = Readonly<Record<string, string | undefined>>;

export const AUDIT_QUERY = z
  .strictObject(SHAPE)
  .refine((query) => !('last' in query && ('limit' in query || 'order' in query)), 'last excludes limit and order.')
  .superRefine(checkText);

/** For an answer without pages. */
export const AUDIT_FILTER = z
  .strictObject(Object.fromEntries(Object.entries(SHAPE).filter(([name]) => name === 'q' || FILTERS.includes(name))))
  .superRefine(checkText);

/** What `q` says must be well formed, and not said by another parameter too. */
function checkText(query: Query, context: z.RefinementCtx): void {
  const problem = problemOf(query);
  if (problem !== undefined) context.addIssue({ code: 'custom', path: ['q'], message: problem });
}

function problemOf({ q = '', ...others }: Query): string | undefined {
  const text = parseQueryText(q, FILTERS);
  if (!text.ok) return text.problem;
  const twice = Object.keys(text.parameters).find((name) => others[name] !== undefined);
  if (twice !== undefined) return `${twice} is there twice.`;
  const wrong = Object.entries(text.parameters).find(([name, value]) => PARAMETERS[name]?.[1].parse(value, 0) === undefined);
  return wrong === undefined ? undefined : `${wrong[0]}: ${PARAMETERS[wrong[0]]?.[1].hint}`;
}

/** Times are read twice: the form here, and the time of the request in `filterOf`. */
function textOf({ parse, hint }: Word<unknown>): z.ZodType<string | undefined> {
  return z
    .string()
    .refine((text) => parse(text, 0) !== undefined, hint)
    .optional()
    .describe(hint);
}

/** A filter of the query's own values, which its schema has accepted. */
export function filterOf({ q = '', ...others }: Query, nowMs: number): AuditFilter {
  const text = parseQueryText(q, FILTERS);
  const given = Object.entries({ ...others, ...(text.ok ? text.parameters : {}) }).flatMap(([name, text]) => {
    const parameter = PARAMETERS[name];
    return parameter === undefined || text === undefined ? [] : [[parameter[0], parameter[1].parse(text, nowMs)] as const];
  });
  // Every key has a value of its type.
  return Object.fromEntries(given);
}

export function pageFilterOf(query: z.output<typeof AUDIT_QUERY>, nowMs: number): PageFilter {
  const { last, limit, ...filter } = filterOf(query, nowMs);
  return last === undefined ? { ...filter, limit: limit ?? PAGE } : { ...filter, last };
}
