// `next_page` in lists of events: an absolute link that stock clients follow as it stands (server/api/events.py).
import { parseStrict, renderStrict } from '../json/strict-json.ts';
import { field, isObject } from '../json/tree.ts';

/** `POST /api/events/filter` and `GET /api/events/filter/next`. */
export function hasPageLink(target: string | undefined): boolean {
  return /\/api\/events\/filter(?:\/next)?(?:\?|$)/.test(target ?? '');
}

/** The same body with the link moved; as it was where there is none. */
export function movePageLink(body: Buffer, moveLink: (link: string) => string): Buffer {
  const parsed = parseStrict(body);
  if (!parsed.ok || !isObject(parsed.tree)) return body;
  const link = field(parsed.tree, 'next_page');
  return typeof link === 'string' ? renderStrict({ ...parsed.tree, next_page: moveLink(link) }) : body;
}
