// services[].allow: the allowed methods and paths. Each path is a separate route.
import { z } from 'zod';
import type { Method } from '../../contract/operation.ts';
import { says } from '../schema/issues.ts';
import { text } from '../schema/scalars.ts';
import type { ServiceRoute } from '../service.ts';

const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The form of a canonical path: nginx rejects any other path before it compares. Without quotes, `$` and `|`, because the pattern stands in
 * nginx's configuration and in the key of decisions.
 */
const PATTERN = /^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9._~*!'()+,=:@&-]|%(?:2[0-46-9A-C]|3[A-F]|40|5[BDE]|60|7[B-D]|[C-F][0-9A-F]|[89AB][0-9A-F]))+)+\/?$|^\/$/;

const method = text.refine((given) => METHODS.some((known) => known === given), says('is no method that may be called', `Take some of ${METHODS.join(', ')}.`));

const pattern = text.refine(
  (path) => PATTERN.test(path) && path.length <= 500,
  says('is no path in its canonical form', 'Begin it with /, and write it as clients do: "/v1/*"; no dot segments, no needless escapes.'),
);

export const patterns = z.array(pattern).refine(isFilled, says('names no path', 'Name some, or remove it.'));

const entry = z.strictObject({
  methods: z
    .array(method)
    .refine(isFilled, says('names no method', 'Name some, or remove it for all.'))
    .optional()
    .describe('These methods; GET stands for HEAD as well. Default: all.'),
  paths: patterns.optional().describe('These paths, each a route that policies can name; * stands for any text: ["/v1/*"]. Default: all.'),
});

/** Becomes the routes, the most specific first. */
export const allowKey = z
  .array(entry)
  .refine(isFilled, says('lets nothing be called', 'Remove it: everything may be called then, and policies say who may.'))
  .optional()
  .transform((allow = [{}]): readonly ServiceRoute[] => {
    const given = new Map<string, string[]>();
    for (const { methods = METHODS, paths = ['/*'] } of allow) {
      for (const path of paths) given.set(path, [...(given.get(path) ?? []), ...methods]);
    }
    const routes = [...given].map(([path, methods]) => ({ pattern: path, methods: METHODS.filter((known) => allows(methods, known)) }));
    return routes.toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
  });

function allows(given: readonly string[], method: Method): boolean {
  return given.includes(method) || (method === 'HEAD' && given.includes('GET'));
}

function isFilled({ length }: readonly unknown[]): boolean {
  return length > 0;
}

/** Compares two patterns: the more specific one comes first. */
export function bySpecificity(a: string, b: string): number {
  return fixedLength(b) - fixedLength(a) || b.length - a.length;
}

/** How many characters stand before the first `*`. */
function fixedLength(path: string): number {
  const at = path.indexOf('*');
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}
