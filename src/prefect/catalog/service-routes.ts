// Finds the route of a service for a path, with the same expressions as nginx.
import type { Service, ServiceRoute } from '../../config/service.ts';

/** Characters that may be raw or encoded in a path (RFC 3986, 2.2). Services read both as the same, so a pattern matches both. */
const RESERVED = "!'()+,=:@&";

/**
 * A pattern of the configuration as a regular expression for PCRE and JavaScript. `*` matches any text, also slashes, and one further slash at
 * the end of a path is the same route. Only canonical paths arrive (routes.ts of src/edge/nginx), without dot segments and needless escapes.
 * The text between two `*` matches at its first place only, since a later place leaves less for the rest. So one pass over any path suffices,
 * which matters to the nginx worker and the control plane. No other group may precede the expression.
 */
export function routeExpression(pattern: string): string {
  const [first = '', ...others] = pattern.split('*').map((text) => text.replaceAll(/%[0-9A-F]{2}|[^%]/g, (part) => expressionOf(part)));
  const last = others.pop();
  // Neither engine backtracks into a group in a look-ahead. It replaces atomic groups, which JavaScript lacks.
  const between = others.map((text, place) => `(?=(.*?${text}))\\${place + 1}`);
  return `${first}${between.join('')}${last === undefined ? '' : `.*${last}`}${/[*/]$/.test(pattern) ? '' : '/?'}`;
}

function expressionOf(part: string): string {
  const letter = part.startsWith('%') ? String.fromCharCode(Number.parseInt(part.slice(1), 16)) : part;
  if (!RESERVED.includes(letter)) return part.replace('.', '\\.');
  return `(?:${/[()+]/.test(letter) ? `\\${letter}` : letter}|%${letter.charCodeAt(0).toString(16).toUpperCase()})`;
}

/** The first matching route; the most specific ones come first. Undefined: no route. `path` is below the service, without the query. */
export function routeOf({ routes }: Pick<Service, 'routes'>, method: string, path: string): ServiceRoute | undefined {
  return routes.find(({ methods, pattern }) => methods.some((known) => known === method) && new RegExp(`^${routeExpression(pattern)}$`).test(path));
}
