// The query of `GET /.lictor/api/v1/audit` -> what is looked for. Its names are those of the records.
import type { PageFilter } from '../../../record/ledger/search/search.ts';
import { ACTION, ADDRESS, COUNT, DECISION, ID_OR_NAME, PATH, REASON, RECORD_ID, STATUS, TEXT, WHEN, type Word } from './words.ts';

/** A page, unless it is said. */
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

/** By name: where it goes, and how it is written. */
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

/** Strict: what is misspelt must not find everything. Details quote no value. */
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
  // Every key was put there with its own word's value.
  return { ok: true, filter: page as PageFilter };
}

function wrong(detail: string): AuditQuery {
  return { ok: false, detail };
}
