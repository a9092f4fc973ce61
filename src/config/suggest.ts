// "Did you mean ...?" for misspelt names.

/** The known name within two edits of the given one, or undefined. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const scored = known.map((name) => ({ name, edits: editDistance(given, name) }));
  scored.sort((left, right) => left.edits - right.edits);
  const best = scored[0];
  return best !== undefined && best.edits <= 2 && best.edits < given.length ? best.name : undefined;
}

/** ` Did you mean ...?`, to append to a sentence; empty: no known name is near. A name without its provider counts as near. */
export function meantWords(given: string, known: readonly string[]): string {
  const near = known.find((name) => name.startsWith(`${given}@`) || name === `token:${given}`) ?? nearestName(given, known);
  return near === undefined ? '' : ` Did you mean ${near}?`;
}

/** The Levenshtein distance; names longer than 64 characters are never near. */
function editDistance(left: string, right: string): number {
  if (left.length > 64 || right.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
