// A whole list of Prefect's objects, page by page.
import { isHtml, type ProbeAnswer, parseJson } from './http-probe.ts';
import { authorizationOf, type UpstreamSubject } from './upstream.ts';

export type Item = Readonly<Record<string, unknown>>;

export type Pages =
  | {
      readonly ok: true;
      readonly items: readonly Item[];
      /** How far Prefect's clock is ahead of this machine's, to half a second. */
      readonly aheadMs: number;
    }
  /** `why` has no secret. */
  | { readonly ok: false; readonly why: string };

/** The most that Prefect answers at once. */
export const PAGE = 200;

/** Prefect answers 503 when its database stays locked, after some seconds. Its clients send the request again. */
const ATTEMPTS_WHILE_BUSY = 2;

/**
 * Never rejects. Each object once, by its id. The list may be ordered by a time that changes, as that of workers: an object that changes between two pages
 * moves to the first one. So the first page is read again at the end.
 */
export async function readPages(subject: UpstreamSubject, path: string, filter: object): Promise<Pages> {
  const found = new Map<unknown, Item>();
  for (let offset = 0; ; offset += PAGE) {
    const page = await readPage(subject, path, { ...filter, limit: PAGE, offset });
    if (!page.ok) return page;
    for (const item of page.items) found.set(idOf(item), item);
    if (page.items.length < PAGE) return offset === 0 ? page : withFirst(found, await readPage(subject, path, { ...filter, limit: PAGE, offset: 0 }));
  }
}

function withFirst(found: ReadonlyMap<unknown, Item>, first: Pages): Pages {
  if (!first.ok) return first;
  return { ...first, items: [...new Map([...found, ...first.items.map((item) => [idOf(item), item] as const)]).values()] };
}

/** An item without an id is the same as no other. */
export function idOf(item: Item): unknown {
  return item['id'] ?? item;
}

/** One page, with the limit of `body`. */
export async function readPage({ url, authorization, tls, probe }: UpstreamSubject, path: string, body: object): Promise<Pages> {
  const headers = { ...authorizationOf(authorization), 'content-type': 'application/json' };
  const request = { url: `${url}${path}`, method: 'POST', headers, body: JSON.stringify(body), tls };
  let answer = await probe(request);
  for (let again = 0; again < ATTEMPTS_WHILE_BUSY && answer.ok && answer.status === 503; again += 1) answer = await probe(request);
  if (!answer.ok) return { ok: false, why: `Prefect at ${url} cannot be reached: ${answer.error}` };
  const list: unknown = answer.status === 200 ? parseJson(answer.body) : undefined;
  return Array.isArray(list) ? { ok: true, items: list.filter(isItem), aheadMs: aheadOf(answer) } : { ok: false, why: refusalOf(url, path, answer) };
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null;
}

/** The header has whole seconds. */
function aheadOf({ headers, atMs }: ProbeAnswer): number {
  const atPrefect = Date.parse(headers['date'] ?? '');
  return Number.isNaN(atPrefect) ? 0 : atPrefect + 500 - atMs;
}

function refusalOf(url: string, path: string, answer: ProbeAnswer): string {
  const { status } = answer;
  if (status === 401 || status === 403) return `Prefect at ${url} rejects the gateway's credential (${status})`;
  return `${url}${path} answers ${status}${isHtml(answer) ? ' with a page' : ''} and no list`;
}
