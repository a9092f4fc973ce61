// Versions of releases: only the three numbers count, so `3.9.0.dev1+5.gabc` is 3.9.0.

/** Undefined: one of them is no version. */
export function isOlder(version: string, other: string): boolean | undefined {
  const [left, right] = [parseVersion(version), parseVersion(other)];
  if (left === undefined || right === undefined) return undefined;
  const place = left.findIndex((number, index) => number !== right[index]);
  return place >= 0 && (left[place] ?? 0) < (right[place] ?? 0);
}

function parseVersion(text: string): readonly number[] | undefined {
  return /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(text.trim())?.slice(1).map(Number);
}
