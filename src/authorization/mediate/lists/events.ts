// The feed of events: Lictor asks Prefect for events that name an object of the scope, and checks each event before the client gets it.
//
// Lictor fills each page with visible events. So neither pages nor counts depend on hidden events.

import { field, isObject, type JsonObject } from '../../../contract/json/tree.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import { decidingValues } from '../../../prefect/catalog/query.ts';
import { anchorsOf } from '../../../prefect/scope-filter/anchors.ts';
import { readEventFilter } from '../../../prefect/scope-filter/event-filter.ts';
import { visibleEvents } from '../../../prefect/scope-filter/events.ts';
import { type Refusal, type ScopeFilter, textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { createVisibleIds } from '../../../prefect/scope-filter/visible-ids.ts';
import { wholeNumber } from '../field-changes.ts';
import { anchored, openToken, PAGE, type Place, placeAfter, type RawPage, rawToken, readPage, renderToken } from './event-pages.ts';
import { answered, forwarded, type Narrow, type Narrowed, NO_OBJECT, narrowBody, refused } from './narrowed.ts';

/** Lictor reads so many hidden events for one answer, and refuses a filter that finds more. */
const MOST_HIDDEN = 10_000;
const MOST_COUNTED = 2500;

export const narrowEvents = narrowBody(async (body, scopeFilter) => {
  const filter = field(body, 'filter') ?? {};
  if (!isObject(filter)) return refused(NO_OBJECT);
  const limit = (field(body, 'limit') ?? null) === null ? PAGE : wholeNumber(field(body, 'limit'));
  if (limit === undefined || limit < 0 || limit > PAGE) return refused({ code: 'body-invalid', detail: `limit must be a whole number up to ${PAGE}.` });
  return pageAt(scopeFilter, { filter, size: limit, offset: 0, after: [] });
});

export const nextEvents: Narrow = async (call, scopeFilter) => {
  const token = decidingValues(['page-token'], call.inputs.args)?.get('page-token') ?? '';
  const place = openToken(token);
  return place === undefined ? refused({ code: 'query-invalid' }) : pageAt(scopeFilter, place);
};

/** Lictor reads the visible events first, and Prefect then counts them by their ids. */
export const countEvents = narrowBody(async (body, scopeFilter) => {
  const filter = field(body, 'filter') ?? {};
  if (!isObject(filter)) return refused(NO_OBJECT);
  const found = await read(scopeFilter, { filter, size: MOST_COUNTED, offset: 0, after: [] });
  if (!found.ok) return refused(found.refusal);
  if (found.events.length > MOST_COUNTED) return refused({ code: 'scope-too-wide' });
  const occurred = field(filter, 'occurred') ?? null;
  // An empty list of ids would be no filter at all.
  const ids = found.events.length === 0 ? [NO_EVENT] : found.events.map((event) => textOf(event, 'id'));
  return forwarded({ ...body, filter: { ...(occurred !== null && { occurred }), id: { id: ids } } });
});

const NO_EVENT = '00000000-0000-0000-0000-000000000000';

async function pageAt(scopeFilter: ScopeFilter, place: Place): Promise<Narrowed> {
  const found = await read(scopeFilter, place);
  if (!found.ok) return refused(found.refusal);
  const events = found.events.slice(0, place.size);
  const isMore = events.length > 0 && found.events.length > events.length && found.link !== '';
  const next = isMore ? `${found.link}page-token=${renderToken(placeAfter(place, events))}` : null;
  // The UI computes pages from the total, which does not reveal how many events follow.
  return answered({ events, total: place.offset + events.length + (next === null ? 0 : 1), next_page: next });
}

/** `events`: one more than the page holds, when more follow. */
type Read = { readonly ok: true; readonly events: readonly JsonObject[]; readonly link: string } | { readonly ok: false; readonly refusal: Refusal };

/** The visible events of a page. */
async function read(scopeFilter: ScopeFilter, place: Place): Promise<Read> {
  const own = readEventFilter(place.filter);
  if (!own.ok) return own;
  const anchors = await anchorsOf(scopeFilter, runsIn(place.filter));
  if (!anchors.ok) return anchors;
  // An empty list would be no filter at all.
  if (anchors.items.length === 0 || place.size === 0) return { ok: true, events: [], link: '' };
  const visibleIds = createVisibleIds(scopeFilter, { steady: () => 0, forMs: 1 });
  const seenOf = async (page: RawPage) => (await visibleEvents(page.events, visibleIds)).filter((event) => event !== null).filter(own.fits);
  return gather(place, { pages: rawPages(scopeFilter, anchored(place.filter, anchors.items), Math.min(PAGE, place.size + place.after.length)), seenOf });
}

interface Source {
  readonly pages: AsyncGenerator<RawPage | null>;
  readonly seenOf: (page: RawPage) => Promise<readonly JsonObject[]>;
}

async function gather(place: Place, { pages, seenOf }: Source): Promise<Read> {
  const passed = new Set(place.after);
  const events: JsonObject[] = [];
  let [hidden, link] = [0, ''];
  for await (const page of pages) {
    if (page === null) return { ok: false, refusal: { code: 'body-invalid', detail: 'Prefect does not take this filter.' } };
    link ||= page.link;
    const seen = await seenOf(page);
    hidden += page.events.length - seen.length;
    events.push(...seen.filter((event) => !passed.has(textOf(event, 'id'))));
    for (const event of seen) passed.add(textOf(event, 'id'));
    if (events.length > place.size) break;
    if (hidden > MOST_HIDDEN) return { ok: false, refusal: { code: 'scope-too-wide', detail: TOO_MUCH_HIDDEN } };
  }
  return { ok: true, events: events.slice(0, place.size + 1), link };
}

const TOO_MUCH_HIDDEN = 'Too many events that fit this filter are outside the scope of the role. Ask for less: a time, an event or a resource.';

/** All pages of a filter; null: Prefect rejects the filter. `first`: the size of the first page, since Prefect links to a next page only if that is full. */
async function* rawPages({ lookup }: ScopeFilter, filter: JsonObject, first: number): AsyncGenerator<RawPage | null> {
  let offset = first;
  let answer = await lookup('/api/events/filter', { filter, limit: first });
  let understood: JsonObject | null = null;
  for (;;) {
    if (answer === null) return yield null;
    const page = readPage(answer);
    yield page;
    understood ??= page.filter;
    if (understood === null || page.filter === null || page.events.length === 0) return;
    answer = await lookup(`/api/events/filter/next?page-token=${rawToken(understood, offset)}`);
    offset += PAGE;
  }
}

/** Flow runs whose ids the filter names, at most as many as a page holds. */
function runsIn(filter: JsonObject): readonly string[] {
  const found = [...JSON.stringify(filter).matchAll(/"prefect\.flow-run\.([^"\\]{32,36})"/g)].map(([, id]) => parseUuid(id ?? ''));
  return [...new Set(found.filter((id) => id !== undefined))].slice(0, PAGE);
}
