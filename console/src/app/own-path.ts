// Links lead to paths of this gateway only: their text may come from Prefect or from a client.

/** A segment of a path, from any text. */
export function segment(text: string): string {
  const encoded = encodeURIComponent(text);
  // Browsers resolve dot segments, also encoded ones.
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%252e') : encoded;
}

/** The same path when it is one of this origin; else undefined. A backslash, a control character and `//` lead elsewhere. */
export function ownPath(path: string): string | undefined {
  return /^\/(?!\/)[!-[\]-~]*$/.test(path) ? path : undefined;
}
