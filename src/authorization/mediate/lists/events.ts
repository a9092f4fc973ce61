// The feed of events: Prefect is asked for those that name something of the scope, and each one is looked at before it goes out.
//
// A page is full of events that are shown, whatever lies between them: neither pages nor counts depend on what is hidden.

import { field, isObject, type JsonObject } from '../../../contract/json/tree.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import { decidingValues } from '../../../prefect/catalog/query.ts';
import { anchorsOf } from '../../../prefect/scope-filter/anchors.ts';
import { readEventFilter } from '../../../prefect/scope-filter/event-filter.ts';
import { seenEvents } from '../../../prefect/scope-filter/events.ts';
import { type Refusal, type ScopeFilter, textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { createVisibleIds } from '../../../prefect/scope-filter/visible-ids.ts';
import { wholeNumber } from '../changes.ts';
import { anchored, makeToken, openToken, PAGE, type Place, placeAfter, type RawPage, rawToken, readPage } from './event-pages.ts';
import { answered, bodyOf, forwarded, type Narrow, type Narrowed, NO_OBJECT, refused } from './narrow.ts';

/** So many hidden events are read for one answer; a filter that finds more is refused. */
const MOST_HIDDEN = 10_000;
/** So many events are counted. */
const MOST_COUNTED = 2500;

export const narrowEvents: Narrow = async (call, scopeFilter) => {
  const body = bodyOf(call);
  const filter = body === undefined ? undefined : (field(body, 'filter') ?? {});
  if (body === undefined || !isObject(filter)) return refused(NO_OBJECT);
  const limit = (field(body, 'limit') ?? null) === null ? PAGE : wholeNumber(field(body, 'limit'));
  if (limit === undefined || limit < 0 || limit > PAGE) return refused({ code: 'body-invalid', detail: `limit must be a whole number up to ${PAGE}.` });
  return show(scopeFilter, { filter, size: limit, offset: 0, after: [] });
};

export const nextEvents: Narrow = async (call, scopeFilter) => {
  const token = decidingValues(['page-token'], call.inputs.args)?.get('page-token') ?? '';
  const place = openToken(token);
  return place === undefined ? refused({ code: 'query-invalid' }) : show(scopeFilter, place);
};

/** Counted are the events that are seen, by their ids: first they are read, then Prefect puts them into its rows. */
export const countEvents: Narrow = async (call, scopeFilter) => {
  const body = bodyOf(call);
  const filter = body === undefined ? undefined : (field(body, 'filter') ?? {});
  if (body === undefined || !isObject(filter)) return refused(NO_OBJECT);
  const found = await read(scopeFilter, { filter, size: MOST_COUNTED, offset: 0, after: [] });
  if (!found.ok) return refused(found.refusal);
  if (found.events.length > MOST_COUNTED) return refused({ code: 'scope-too-wide' });
  const occurred = field(filter, 'occurred') ?? null;
  // An empty list of ids would be no filter at all.
  const ids = found.events.length === 0 ? [NOBODYS] : found.events.map((event) => textOf(event, 'id'));
  return forwarded({ ...body, filter: { ...(occurred !== null && { occurred }), id: { id: ids } } });
};

const NOBODYS = '00000000-0000-0000-0000-000000000000';

async function show(scopeFilter: ScopeFilter, place: Place): Promise<Narrowed> {
  const found = await read(scopeFilter, place);
  if (!found.ok) return refused(found.refusal);
  const shown = found.events.slice(0, place.size);
  const isMore = shown.length > 0 && found.events.length > shown.length && found.link !== '';
  const next = isMore ? `${found.link}page-token=${makeToken(placeAfter(place, shown))}` : null;
  // Pages are counted on with it; how many events follow is not said.
  return answered({ events: [...shown], total: place.offset + shown.length + (next === null ? 0 : 1), next_page: next });
}

type Read =
  | { readonly ok: true /** One more than the place has room for, when there are more. */; readonly events: readonly JsonObject[]; readonly link: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** The events behind a place, as they are shown. */
async function read(scopeFilter: ScopeFilter, place: Place): Promise<Read> {
  const own = readEventFilter(place.filter);
  if (!own.ok) return own;
  const anchors = await anchorsOf(scopeFilter, runsIn(place.filter));
  if (!anchors.ok) return anchors;
  // An empty list would be no filter at all.
  if (anchors.items.length === 0 || place.size === 0) return { ok: true, events: [], link: '' };
  const visibleIds = createVisibleIds(scopeFilter, { steady: () => 0, forMs: 1 });
  const seenOf = async (page: RawPage) => (await seenEvents(page.events, visibleIds)).filter((event) => event !== null).filter(own.fits);
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

/** All that Prefect has of a filter; null: it does not take the filter. The first page is of so many: only then does Prefect link to a next one of a client. */
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

/** Flow runs whose ids stand in the filter, at most as many as a page shows. */
function runsIn(filter: JsonObject): readonly string[] {
  const found = [...JSON.stringify(filter).matchAll(/"prefect\.flow-run\.([^"\\]{32,36})"/g)].map(([, id]) => parseUuid(id ?? ''));
  return [...new Set(found.filter((id) => id !== undefined))].slice(0, PAGE);
}
