// The form of a token request and the query of an authorization request, parsed strictly: RFC 6749 3.1 and 3.2 allow each parameter once.

export type Form = ReadonlyMap<string, string>;

/** A sentence if it is not a valid form. Parameters without a value count as absent. */
export function parseForm(contentType: string, body: Buffer): Form | string {
  if (!/^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i.test(contentType)) return 'The body must be application/x-www-form-urlencoded.';
  const text = decode(body);
  return text === null ? 'The body is not UTF-8.' : parseParameters(text);
}

export function parseParameters(text: string): Form | string {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) return 'A parameter stands twice.';
    form.set(name, value);
  }
  for (const [name, value] of form) if (value === '') form.delete(name);
  return form;
}

function decode(body: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}
