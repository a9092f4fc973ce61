// Pages of events, narrowed: what leads from one to the next.
//
// Prefect's token is the filter, the number of events and the offset among all events, in base64, and believes what it says. A client's
// has its own filter, up to the time of the last event that was shown, and how many were: so no page depends on what is hidden.
import { parseStrict } from '../../../contract/json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, textsIn } from '../../../contract/json/tree.ts';
import { textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../changes.ts';

export const PAGE = 50;

/** Where a page of a client begins. */
export interface Place {
  /** The client's own filter. */
  readonly filter: JsonObject;
  readonly size: number;
  /** So many events were shown before. */
  readonly offset: number;
  /** Ids of those among them that occurred at the very time where this page begins. */
  readonly after: readonly string[];
}

/** The filter and: some resource is one of the anchors. A list of filters must hold altogether. */
export function anchored(filter: JsonObject, anchors: readonly string[]): JsonObject {
  const own = field(filter, 'any_resource') ?? [];
  return { ...filter, any_resource: [...(isList(own) ? own : [own]), { id: [...anchors] }] };
}

/** Undefined: it is no token. It stands in the query as it was sent: base64, perhaps percent-encoded. */
export function openToken(token: string): Place | undefined {
  const plain = token.replaceAll(/%2B/gi, '+').replaceAll(/%2F/gi, '/').replaceAll(/%3D/gi, '=');
  const outer = Buffer.from(plain, 'base64').toString('latin1');
  const parsed = parseStrict(Buffer.from(outer, 'base64'));
  if (!parsed.ok || !isObject(parsed.tree)) return undefined;
  const filter = field(parsed.tree, 'filter');
  const [size, offset] = [wholeNumber(field(parsed.tree, 'page_size')), wholeNumber(field(parsed.tree, 'offset'))];
  if (!isObject(filter) || size === undefined || offset === undefined || size < 1 || size > PAGE || offset < 0) return undefined;
  const after = field(parsed.tree, 'after');
  return { filter, size, offset, after: textsIn(after) };
}

/** Percent-encoded. */
export function makeToken({ filter, size, offset, after }: Place): string {
  return encoded({ filter, page_size: size, offset, after });
}

/** The page behind these events, which were shown of the place. */
export function placeAfter(place: Place, shown: readonly JsonObject[]): Place {
  const time = textOf(shown.at(-1) ?? {}, 'occurred');
  const occurred = field(place.filter, 'occurred');
  const end = field(place.filter, 'order') === 'ASC' ? 'since' : 'until';
  const before = isObject(occurred) && field(occurred, end) === time ? place.after : [];
  const filter = { ...place.filter, occurred: { ...(isObject(occurred) && occurred), [end]: time } };
  const now = shown.filter((event) => textOf(event, 'occurred') === time).map((event) => textOf(event, 'id'));
  return { filter, size: place.size, offset: place.offset + shown.length, after: [...before, ...now] };
}

export interface RawPage {
  readonly events: readonly JsonObject[];
  /** What Prefect understood of the filter; null: nothing follows. */
  readonly filter: JsonObject | null;
  /** Prefect's own link, up to the token. */
  readonly link: string;
}

export function readPage(answer: JsonValue): RawPage {
  const object = isObject(answer) ? answer : {};
  const events = field(object, 'events');
  const link = field(object, 'next_page');
  const [before = '', token] = typeof link === 'string' ? link.split('page-token=') : [];
  const filter = token === undefined ? null : (openToken(token)?.filter ?? null);
  return { events: isList(events) ? events.filter((event) => isObject(event)) : [], filter, link: before };
}

/** Prefect's own token for a whole page of its events. It ends where the count says: more than there will be, as the end is where a page is not full. */
export function rawToken(filter: JsonObject, offset: number): string {
  return encoded({ filter, count: 1_000_000_000, page_size: PAGE, offset });
}

function encoded(token: JsonObject): string {
  const inner = Buffer.from(JSON.stringify(token)).toString('base64');
  return encodeURIComponent(Buffer.from(inner).toString('base64'));
}
