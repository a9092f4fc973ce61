/** For the address of a run: the name by which a person found it. Not for an id, or its beginning. */
export function foundBy(id: string, text: string): Readonly<Record<string, string>> {
  return text === '' || id.startsWith(text) ? {} : { found: text };
}

/** The id of the only run, or of the only one with exactly this name. Undefined: a person has to choose. */
export function oneOf(runs: readonly { readonly id: string; readonly name: string | null }[], text: string): string | undefined {
  const named = runs.filter(({ name }) => name === text);
  const [only, ...others] = named.length === 0 ? runs : named;
  return others.length === 0 ? only?.id : undefined;
}
