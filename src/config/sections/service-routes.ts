// services[].allow: which methods on which paths, each path a route of its own.

import type { Method } from '../../contract/operation.ts';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';
import type { ServiceRoute } from '../service.ts';

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Written as a canonical path is: nothing that nginx would refuse before it is compared. No quote, `$` or `|`: it stands in nginx's configuration and in the key. */
const PATTERN = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9._~*!'()+,=:@&-]|%(?:2[0-46-9A-C]|3[A-F]|40|5[BDE]|60|7[B-D]|[C-F][0-9A-F]|[89AB][0-9A-F]))+)+\/?$|^\/$/;

/** The most specific first. */
export function readRoutes(allow: WireService['allow'], keys: Keys, report: Report): readonly ServiceRoute[] {
  const methodsOf = new Map<string, Set<Method>>();
  if (allow?.length === 0) report([...keys, 'allow'], 'lets nothing be called', 'Remove it: everything may be called then, and policies say who may.');
  for (const [index, entry] of (allow ?? [{}]).entries()) {
    const at = [...keys, 'allow', index];
    const methods = readMethods(entry.methods, at, report);
    for (const pattern of entry.paths === undefined ? ['/*'] : readPatterns(entry.paths, [...at, 'paths'], report))
      methodsOf.set(pattern, new Set([...(methodsOf.get(pattern) ?? []), ...methods]));
  }
  const routes = [...methodsOf].map(([pattern, methods]) => ({ pattern, methods: METHODS.filter((method) => methods.has(method)) }));
  return routes.toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
}

/** Compares two patterns: the more specific one comes first. */
export function bySpecificity(a: string, b: string): number {
  return fixedLength(b) - fixedLength(a) || b.length - a.length;
}

/** How much is certain before the first `*`. */
function fixedLength(pattern: string): number {
  const at = pattern.indexOf('*');
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

function readMethods(given: readonly string[] | undefined, keys: Keys, report: Report): readonly Method[] {
  if (given === undefined) return METHODS;
  if (given.length === 0) report([...keys, 'methods'], 'names no method', 'Name some, or remove it for all.');
  for (const [index, method] of given.entries()) {
    if (!METHODS.some((known) => known === method))
      report([...keys, 'methods', index], 'is no method that may be called', `Take some of ${METHODS.join(', ')}.`);
  }
  return METHODS.filter((method) => given.includes(method) || (method === 'HEAD' && given.includes('GET')));
}

export function readPatterns(given: readonly string[], keys: Keys, report: Report): readonly string[] {
  if (given.length === 0) report(keys, 'names no path', 'Name some, or remove it.');
  for (const [index, path] of given.entries()) {
    if (!PATTERN.test(path) || path.length > 500)
      report(
        [...keys, index],
        'is no path in its canonical form',
        'Begin it with /, and write it as clients do: "/v1/*"; no dot segments, no needless escapes.',
      );
  }
  return given;
}
