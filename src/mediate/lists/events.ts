// The feed of events: Prefect is asked for those that name something of the scope, and each one is looked at before it goes out.
import { decidingValues } from '../../catalog/query.ts';
import { field, isObject, type JsonObject } from '../../json/tree.ts';
import { parseUuid } from '../../json/uuid.ts';
import { anchorsOf } from '../../reach/anchors.ts';
import { seenEvents } from '../../reach/events.ts';
import { type Found, type Reach, type Reached, textOf } from '../../reach/reach.ts';
import { createReached } from '../../reach/reached.ts';
import { wholeNumber } from '../changes.ts';
import { anchored, ENDLESS, makeToken, openToken, PAGE, type Place, type RawPage, readPage } from './event-pages.ts';
import { answered, bodyOf, forwarded, type Narrow, type Narrowed, NO_OBJECT, refused } from './narrow.ts';

/** How many of Prefect's pages are read for one that is full, and for a count. */
const MOST_PAGES = 20;
const MOST_COUNTED = 50;

export const narrowEvents: Narrow = async (call, reach) => {
  const body = bodyOf(call);
  const filter = body === undefined ? undefined : (field(body, 'filter') ?? {});
  if (body === undefined || !isObject(filter)) return refused(NO_OBJECT);
  const limit = (field(body, 'limit') ?? null) === null ? PAGE : wholeNumber(field(body, 'limit'));
  if (limit === undefined || limit < 0 || limit > PAGE) return refused({ code: 'body-invalid', detail: `limit must be a whole number up to ${PAGE}.` });
  return limit === 0 ? NO_EVENTS : show(reach, { filter, size: limit, offset: 0 });
};

export const nextEvents: Narrow = async (call, reach) => {
  const token = decidingValues(['page-token'], call.inputs.args)?.get('page-token') ?? '';
  const place = openToken(token);
  return place === undefined ? refused({ code: 'query-invalid' }) : show(reach, place);
};

/** Counted are the events that are seen, by their ids: first they are read, then Prefect puts them into its rows. */
export const countEvents: Narrow = async (call, reach) => {
  const body = bodyOf(call);
  const filter = body === undefined ? undefined : (field(body, 'filter') ?? {});
  if (body === undefined || !isObject(filter)) return refused(NO_OBJECT);
  const reader = await openReader(reach, filter);
  if (!reader.ok) return refused(reader.refusal);
  const seen: string[] = [];
  let place: Place | null = { filter, size: PAGE, offset: 0 };
  for (let pages = 0; place !== null; pages += 1) {
    if (pages >= MOST_COUNTED) return refused({ code: 'scope-too-wide' });
    const page = await reader.read(place);
    if (page === null) return refused(NOT_TAKEN);
    seen.push(...page.seen.map((event) => textOf(event, 'id')));
    place = page.next;
  }
  const occurred = field(filter, 'occurred') ?? null;
  // An empty list of ids would be no filter at all.
  const ids = seen.length === 0 ? [NOBODYS] : seen;
  return forwarded({ ...body, filter: { ...(occurred !== null && { occurred }), id: { id: ids } } });
};

const NOBODYS = '00000000-0000-0000-0000-000000000000';
const NO_EVENTS: Narrowed = answered({ events: [], total: 0, next_page: null });
const NOT_TAKEN = { code: 'body-invalid', detail: 'Prefect does not take this filter.' } as const;

/** Reads on until a page is full, and stops before one that would make it too full. */
async function show(reach: Reach, from: Place): Promise<Narrowed> {
  const reader = await openReader(reach, from.filter);
  if (!reader.ok) return refused(reader.refusal);
  const out: JsonObject[] = [];
  let place: Place | null = from;
  let link = '';
  for (let pages = 0; place !== null && pages < MOST_PAGES && out.length < from.size; pages += 1) {
    const page: Page | null = await reader.read(place);
    if (page === null) return refused(NOT_TAKEN);
    if (out.length > 0 && out.length + page.seen.length > from.size) break;
    out.push(...page.seen);
    link = page.link === '' ? link : page.link;
    place = page.next;
  }
  const next = place === null || link === '' ? null : `${link}page-token=${makeToken(place, 0)}`;
  // Pages are counted on with it; how many events follow is not said.
  return answered({ events: out, total: from.offset + out.length + (next === null ? 0 : 1), next_page: next });
}

interface Page extends RawPage {
  readonly seen: readonly JsonObject[];
}

interface Reader {
  readonly ok: true;
  /** Null: Prefect does not take the filter. */
  read(place: Place): Promise<Page | null>;
}

async function openReader(reach: Reach, filter: JsonObject): Promise<Reader | Extract<Found<never>, { ok: false }>> {
  const anchors = await anchorsOf(reach, runsIn(filter));
  if (!anchors.ok) return anchors;
  const reached = createReached(reach, { steady: () => 0, forMs: 1 });
  return { ok: true, read: (place) => readSeen(reach, { place, anchors: anchors.items, reached }) };
}

interface Reading {
  readonly place: Place;
  readonly anchors: readonly string[];
  readonly reached: Reached;
}

async function readSeen({ lookup }: Reach, { place, anchors, reached }: Reading): Promise<Page | null> {
  // An empty list would be no filter at all.
  if (anchors.length === 0) return { events: [], seen: [], next: null, link: '' };
  const filter = anchored(place.filter, anchors);
  const answer = await (place.offset === 0
    ? lookup('/api/events/filter', { filter, limit: place.size })
    : lookup(`/api/events/filter/next?page-token=${makeToken({ ...place, filter }, ENDLESS)}`));
  if (answer === null) return null;
  const page = readPage(answer);
  return { ...page, seen: (await seenEvents(page.events, reached)).filter((event) => event !== null) };
}

/** Flow runs whose ids stand in the filter, at most as many as a page shows. */
function runsIn(filter: JsonObject): readonly string[] {
  const found = [...JSON.stringify(filter).matchAll(/"prefect\.flow-run\.([^"\\]{32,36})"/g)].map(([, id]) => parseUuid(id ?? ''));
  return [...new Set(found.filter((id) => id !== undefined))].slice(0, PAGE);
}
