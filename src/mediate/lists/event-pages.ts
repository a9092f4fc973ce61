// Pages of events, narrowed: the filter of each, and the token that leads to the next.
//
// Prefect's token is the filter, the number of events and the offset, in base64, and believes what it says. A client's therefore has its
// own filter only; that of the scope is put in again here for each page, and the number is nobody's business.
import { parseStrict } from '../../json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../json/tree.ts';
import { wholeNumber } from '../changes.ts';

export const PAGE = 50;

export interface Place {
  /** The client's own filter. */
  readonly filter: JsonObject;
  readonly size: number;
  readonly offset: number;
}

export interface RawPage {
  readonly events: readonly JsonObject[];
  /** Where it goes on: Prefect's filter as it was first understood, without ours; null: nothing follows. */
  readonly next: Place | null;
  /** Prefect's own link, up to the token. */
  readonly link: string;
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
  return { filter, size, offset };
}

/** Percent-encoded. `count`: Prefect ends where it says. */
export function makeToken({ filter, size, offset }: Place, count: number): string {
  const inner = Buffer.from(JSON.stringify({ filter, count, page_size: size, offset })).toString('base64');
  return encodeURIComponent(Buffer.from(inner).toString('base64'));
}

/** More than there will be: the end is where a page is not full. */
export const ENDLESS = 1_000_000_000;

export function readPage(answer: JsonValue): RawPage {
  const object = isObject(answer) ? answer : {};
  const events = field(object, 'events');
  const items = isList(events) ? events.filter((event) => isObject(event)) : [];
  const link = field(object, 'next_page');
  const [before = '', token] = typeof link === 'string' ? link.split('page-token=') : [];
  const place = token === undefined ? undefined : openToken(token);
  const isLast = place === undefined || items.length < place.size;
  return { events: items, next: isLast ? null : { ...place, filter: withoutAnchors(place.filter) }, link: before };
}

/** Ours came last. */
function withoutAnchors(filter: JsonObject): JsonObject {
  const all = field(filter, 'any_resource');
  return { ...filter, any_resource: isList(all) && all.length > 1 ? all.slice(0, -1) : null };
}
