// Which route of a service a path is of: the same expressions in nginx and here. Pure.
import type { Service, ServiceRoute } from '../../config/service.ts';

/** What may stand raw in a path or encoded (RFC 3986, 2.2): services read both as the same, so a pattern means both. */
const RESERVED = "!'()+,=:@&";

/**
 * A pattern of the configuration as a regular expression, PCRE and JavaScript alike: `*` is any text, a slash too; one slash more at the
 * end of a path is the same route. It meets canonical paths alone (routes.ts of src/edge/nginx), which have no dot segments and no needless escapes.
 * What stands between two `*` is taken where it comes first, and nowhere else is tried: a later place would leave less for the rest. So a path is read
 * once, whatever it is, by the nginx worker and the control plane that all others wait for. No other group may stand before it.
 */
export function routeExpression(pattern: string): string {
  const [first = '', ...others] = pattern.split('*').map((text) => text.replaceAll(/%[0-9A-F]{2}|[^%]/g, (part) => expressionOf(part)));
  const last = others.pop();
  // A group in a look-ahead is never given up again: neither of the two has another way that both have.
  const between = others.map((text, place) => `(?=(.*?${text}))\\${place + 1}`);
  return `${first}${between.join('')}${last === undefined ? '' : `.*${last}`}${/[*/]$/.test(pattern) ? '' : '/?'}`;
}

function expressionOf(part: string): string {
  const letter = part.startsWith('%') ? String.fromCharCode(Number.parseInt(part.slice(1), 16)) : part;
  if (!RESERVED.includes(letter)) return part.replace('.', '\\.');
  return `(?:${/[()+]/.test(letter) ? `\\${letter}` : letter}|%${letter.charCodeAt(0).toString(16).toUpperCase()})`;
}

/** The first that fits; the most specific ones come first. Undefined: it may not be called. `path` is below the service, without the query. */
export function routeOf({ routes }: Pick<Service, 'routes'>, method: string, path: string): ServiceRoute | undefined {
  return routes.find(({ methods, pattern }) => methods.some((known) => known === method) && new RegExp(`^${routeExpression(pattern)}$`).test(path));
}
