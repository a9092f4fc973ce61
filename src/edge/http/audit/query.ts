// The query of `GET /.lictor/api/v1/audit` -> a filter of records. It uses the field names of records.
import type { PageFilter } from '../../../record/ledger/search/search.ts';
import { ACTION, ADDRESS, COUNT, DECISION, ID_OR_NAME, PATH, REASON, RECORD_ID, STATUS, TEXT, WHEN, type Word } from './words.ts';

/** The default size of a page. */
const PAGE = 100;
export const MOST_RECORDS = 1000;

export type AuditQuery = { readonly ok: true; readonly filter: PageFilter } | { readonly ok: false; readonly detail: string };

const PAGE_SIZE: Word<number> = {
  parse(text) {
    const count = COUNT.parse(text, 0);
    return count !== undefined && count <= MOST_RECORDS ? count : undefined;
  },
  hint: `a whole number from 1 to ${MOST_RECORDS}.`,
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
};

/** Strict, because a misspelt name must not match everything. Details quote no value. */
export function parseAuditQuery(search: string, nowMs: number): AuditQuery {
  const filter: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(search)) {
    const parameter = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (parameter === undefined) return wrong(`A parameter is not known. There are ${Object.keys(PARAMETERS).join(', ')}.`);
    const [key, word] = parameter;
    if (Object.hasOwn(filter, key)) return wrong(`${name} is given twice.`);
    const value = word.parse(text, nowMs);
    if (value === undefined) return wrong(`${name}: ${word.hint}`);
    filter[key] = value;
  }
  if ('last' in filter && 'limit' in filter) return wrong('last and limit exclude each other.');
  const page = 'last' in filter ? filter : { limit: PAGE, ...filter };
  // Every key has a value of its type.
  return { ok: true, filter: page as PageFilter };
}

function wrong(detail: string): AuditQuery {
  return { ok: false, detail };
}
