// The state in the address: plain text values, so that a person can read and change them.

export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Empty values are left out. */
export function stringifySearch(values: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(values).flatMap(([name, value]) => (value === undefined || value === null || value === '' ? [] : [[name, String(value)]]));
  const query = new URLSearchParams(entries).toString();
  return query === '' ? '' : `?${query}`;
}
