// The encodings in which a service may repeat the secret of a call.

/** A shorter secret may occur in other text by chance. */
export const SHORTEST_MASKED = 8;

/** The longest first. */
export function formsOf(value: string): readonly string[] {
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const escaped = [percentEncode(value), encodeURIComponent(value), encodeURI(value), form];
  const small = escaped.map((text) => text.replaceAll(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase()));
  // As PHP, and as Go, Ruby and .NET write JSON.
  const marked = json.replaceAll(/[+&<>'`]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
  const texts = [json, json.replaceAll('/', '\\/'), json.replaceAll(/[&<>]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`), marked];
  const upper = texts.map((text) => text.replaceAll(/\\u00[0-9a-f]{2}/g, (letters) => `\\u${letters.slice(2).toUpperCase()}`));
  return [...new Set([value, ...escaped, ...small, ...texts, ...upper, html])].sort((a, b) => b.length - a.length);
}

/** Everything but RFC 3986's unreserved characters. */
export function percentEncode(value: string): string {
  return encodeURIComponent(value).replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
