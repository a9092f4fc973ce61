// Path templates, the segments of raw paths, and the spellings of UUIDs.

export interface LiteralSegment {
  readonly kind: 'literal';
  readonly text: string;
}
export interface NamedSegment {
  readonly kind: 'uuid' | 'text';
  readonly name: string;
}
/** One segment of a template. `rest` is a `*` at the end: any number of further segments, also none. */
export type Segment = LiteralSegment | NamedSegment | { readonly kind: 'rest' };

/**
 * Starlette's UUID convertor: any case, and each hyphen may be missing. One spelling is compared and recorded.
 * Checked on the server: 32 hex digits and upper case are routed.
 */
const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

/** Lower case with hyphens; undefined when it is not a UUID in a spelling that Prefect routes. */
export function normaliseUuid(text: string): string | undefined {
  const parts = UUID.exec(text)?.slice(1);
  return parts?.join('-').toLowerCase();
}

/** `uuids` names the parameters that take UUIDs only. */
export function parseTemplate(template: string, uuids: readonly string[]): readonly Segment[] {
  return splitPath(template).map((text): Segment => {
    if (text === '*') return { kind: 'rest' };
    if (!text.startsWith('{')) return { kind: 'literal', text };
    const name = text.slice(1, -1);
    return { kind: uuids.includes(name) ? 'uuid' : 'text', name };
  });
}

/**
 * The segments of a raw path (no query) as the server reads them: percent-decoded once. A slash at the end is dropped,
 * because Prefect redirects (307) between `/flows` and `/flows/`: both spellings are one operation.
 *
 * Undefined when the path is not one that can be decided on: it does not start with a slash, does not decode, has an empty
 * or dot segment, or hides a slash. Not checked here: the rest of the canonical form, which the edge enforces.
 */
export function pathSegments(rawPath: string): readonly string[] | undefined {
  if (!rawPath.startsWith('/')) return undefined;
  const segments: string[] = [];
  for (const raw of splitPath(rawPath)) {
    const segment = PLAIN.test(raw) ? raw : decodeSegment(raw);
    if (segment === undefined || segment === '' || segment === '.' || segment === '..') return undefined;
    segments.push(segment);
  }
  return segments;
}

/** The template as src/contract writes it: `{id:uuid}` becomes `{id}`. */
export function plainTemplate(path: string): string {
  return path.replaceAll(':uuid}', '}');
}

export function parameterNames(path: string): readonly string[] {
  return [...plainTemplate(path).matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}

export function uuidNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+):uuid\}/g)].map((match) => match[1] ?? '');
}

function splitPath(path: string): readonly string[] {
  const inner = path.replace(/^\//, '').replace(/\/$/, '');
  return inner === '' && path.length <= 1 ? [] : inner.split('/');
}

/** A segment without escapes, as nearly every segment is. */
const PLAIN = /^[\w~.-]*$/;

/** Undefined: it does not decode, or hides a slash or a control character. */
function decodeSegment(raw: string): string | undefined {
  try {
    const segment = decodeURIComponent(raw);
    return /[/\\]|\p{Cc}/u.test(segment) ? undefined : segment;
  } catch {
    return undefined; // a broken escape, or bytes that are not UTF-8: nothing to decide on
  }
}
