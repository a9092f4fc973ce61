// `next_page` in lists of events: an absolute link that stock clients follow unchanged (server/api/events.py).
import { parseStrict, renderStrict } from '../../contract/json/strict-json.ts';
import { field, isObject } from '../../contract/json/tree.ts';
import type { GatewayAddress } from './gateway-url.ts';

/** Only for `POST /api/events/filter` and `GET /api/events/filter/next` of Prefect: a service's answer at a similar path is not a list of events. */
export function hasPageLink({ basePath }: Pick<GatewayAddress, 'basePath'>, target = ''): boolean {
  const [path] = target.split('?', 1);
  return [`${basePath}/api/events/filter`, `${basePath}/api/events/filter/next`].some((list) => path === list);
}

/** The same body with a rewritten link; unchanged without a link. */
export function movePageLink(body: Buffer, moveLink: (link: string) => string): Buffer {
  const parsed = parseStrict(body);
  if (!parsed.ok || !isObject(parsed.tree)) return body;
  const link = field(parsed.tree, 'next_page');
  return typeof link === 'string' ? renderStrict({ ...parsed.tree, next_page: moveLink(link) }) : body;
}
