// Pages of narrowed events, and the tokens that lead from one page to the next.
//
// Prefect's token is the filter, the number of events and the offset among all events, in base64. Prefect trusts it. The client's token has
// the client's own filter, the time of the last visible event and the number of visible events. So no page depends on hidden events.
import { parseStrict } from '../../../contract/json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, textsIn } from '../../../contract/json/tree.ts';
import { textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../field-changes.ts';

export const PAGE = 50;

/** Where a page of a client begins. */
export interface Place {
  /** The client's own filter. */
  readonly filter: JsonObject;
  readonly size: number;
  /** The number of visible events on earlier pages. */
  readonly offset: number;
  /** Ids of those that occurred at the time where this page begins. */
  readonly after: readonly string[];
}

/** The filter, ANDed with: some resource is one of the anchors. Prefect ANDs the filters of a list. */
export function anchored(filter: JsonObject, anchors: readonly string[]): JsonObject {
  const own = field(filter, 'any_resource') ?? [];
  return { ...filter, any_resource: [...(isList(own) ? own : [own]), { id: [...anchors] }] };
}

/** Undefined: it is no token. `token`: as in the query, base64 and perhaps percent-encoded. */
export function openToken(token: string): Place | undefined {
  const plain = token.replaceAll(/%2B/gi, '+').replaceAll(/%2F/gi, '/').replaceAll(/%3D/gi, '=');
  const outer = Buffer.from(plain, 'base64').toString('latin1');
  const parsed = parseStrict(Buffer.from(outer, 'base64'));
  if (!parsed.ok || !isObject(parsed.tree)) return undefined;
  const filter = field(parsed.tree, 'filter');
  const [size, offset] = [wholeNumber(field(parsed.tree, 'page_size')), wholeNumber(field(parsed.tree, 'offset'))];
  if (!isObject(filter) || size === undefined || offset === undefined || size < 1 || size > PAGE || offset < 0) return undefined;
  return { filter, size, offset, after: textsIn(field(parsed.tree, 'after')) };
}

/** Percent-encoded. */
export function renderToken({ filter, size, offset, after }: Place): string {
  return encoded({ filter, page_size: size, offset, after });
}

/** The page after these events, which the page at `place` contains. */
export function placeAfter(place: Place, events: readonly JsonObject[]): Place {
  const time = textOf(events.at(-1) ?? {}, 'occurred');
  const occurred = field(place.filter, 'occurred');
  const end = field(place.filter, 'order') === 'ASC' ? 'since' : 'until';
  const before = field(occurred, end) === time ? place.after : [];
  const filter = { ...place.filter, occurred: { ...(isObject(occurred) && occurred), [end]: time } };
  const now = events.filter((event) => textOf(event, 'occurred') === time).map((event) => textOf(event, 'id'));
  return { filter, size: place.size, offset: place.offset + events.length, after: [...before, ...now] };
}

export interface RawPage {
  readonly events: readonly JsonObject[];
  /** The filter as Prefect parsed it; null: no page follows. */
  readonly filter: JsonObject | null;
  /** Prefect's own link, up to the token. */
  readonly link: string;
}

export function readPage(answer: JsonValue): RawPage {
  const events = field(answer, 'events');
  const link = field(answer, 'next_page');
  const [before = '', token] = typeof link === 'string' ? link.split('page-token=') : [];
  const filter = token === undefined ? null : (openToken(token)?.filter ?? null);
  return { events: isList(events) ? events.filter(isObject) : [], filter, link: before };
}

/** Prefect's own token for a whole page. Prefect stops at the count, which here exceeds any number of events: the last page is the one that is not full. */
export function rawToken(filter: JsonObject, offset: number): string {
  return encoded({ filter, count: 1_000_000_000, page_size: PAGE, offset });
}

function encoded(token: JsonObject): string {
  const inner = Buffer.from(JSON.stringify(token)).toString('base64');
  return encodeURIComponent(Buffer.from(inner).toString('base64'));
}
