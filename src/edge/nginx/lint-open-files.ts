// Where nginx may cache file descriptors: for a cached decision, which a sweep invalidates, and for a file that cannot exist.
import type { Directive } from './conf-tree.ts';

const DIRECTIVES = /^open_file_cache/;

/** At most one second: the bound for a decision that a sweep cannot invalidate. nginx does not cache that a file is missing. */
const OF_DECISIONS: readonly RegExp[] = [
  /^open_file_cache max=\d+ inactive=\d+s$/,
  /^open_file_cache_valid 1s$/,
  /^open_file_cache_min_uses 1$/,
  /^open_file_cache_errors off$/,
];

const OF_NO_FILE: readonly RegExp[] = [/^open_file_cache max=1$/, /^open_file_cache_valid 60s$/, /^open_file_cache_errors on$/];

/** The problems of one `open_file_cache` directive in its place. */
export function lintOpenFiles(directive: Directive, parents: readonly Directive[]): readonly string[] {
  if (!DIRECTIVES.test(directive.name)) return [];
  const allowed = allowedIn(parents);
  if (allowed === undefined) return [`${directive.name} is used, and must not be`];
  const written = textsOf(parents.at(-1)).filter((text) => DIRECTIVES.test(text));
  const asItMust = written.length === allowed.length && allowed.every((pattern) => written.some((text) => pattern.test(text)));
  return asItMust ? [] : [`${directive.name} is not as it must be in location ${nameOf(parents.at(-1))}`];
}

/** The allowed directives of this location. Undefined: it must not cache descriptors. */
function allowedIn(parents: readonly Directive[]): readonly RegExp[] | undefined {
  const location = parents.at(-1);
  const texts = textsOf(location);
  if (location?.name !== 'location') return undefined;
  if (nameOf(location) === '= /.lictor-decision' && texts.includes('proxy_cache lictor_decisions')) return OF_DECISIONS;
  return texts.some((text) => /^try_files \/\.never @\S+$/.test(text)) && !canServe(location) && hasNoRoot(parents) ? OF_NO_FILE : undefined;
}

/** A location that only answers with a status serves no file. */
function canServe(location: Directive): boolean {
  const inner = (location.block ?? []).filter(({ name }) => /^(?:location|if)$/.test(name));
  const isServing = inner.some(({ name, block = [] }) => name !== 'if' || block.some((directive) => directive.name !== 'return'));
  return isServing || textsOf(location).some((text) => /^(?:root|alias|index|proxy_cache)\b/.test(text));
}

function hasNoRoot(parents: readonly Directive[]): boolean {
  return textsOf(parents.findLast(({ name }) => name === 'server')).includes('root /dev/null');
}

function nameOf(location: Directive | undefined): string {
  return location?.args.join(' ') ?? '';
}

function textsOf(parent: Directive | undefined): readonly string[] {
  return (parent?.block ?? []).map(({ name, args }) => [name, ...args].join(' '));
}
