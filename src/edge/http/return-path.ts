// The target after a login: a path of this gateway, never another origin.

export const LONGEST_RETURN = 4096;

/** Printable ASCII without the backslash, which browsers read as a slash. */
const PLAIN = /^\/[!-[\]-~]*$/;

/** Empty or dot segments, also encoded; encoded slashes, backslashes and control characters. In the path only. */
const NOT_CANONICAL = /\/\/|\/(?:\.|%2e){1,2}(?:\/|$)|%(?:2f|5c|[01][0-9a-f]|7f)|[;#]/i;

/** A return to this path would end the new session. */
const OWN_PAGES = /^\/\.lictor\/(?:login|logout)(?:[/?]|$)/;

/**
 * The raw path and query unchanged, or the root of the gateway if the text is not clearly a path below it.
 * `basePath` as in the configuration: empty, or `/prefect`.
 */
export function safeReturnPath(raw: string, basePath: string): string {
  const root = `${basePath}/`;
  if (raw.length > LONGEST_RETURN || !PLAIN.test(raw) || !raw.startsWith(root)) return root;
  const path = raw.split('?', 1)[0] ?? '';
  if (NOT_CANONICAL.test(path) || raw.includes('#') || OWN_PAGES.test(raw.slice(basePath.length))) return root;
  return raw;
}
