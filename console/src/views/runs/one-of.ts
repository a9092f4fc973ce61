/** The id of the only run, or of the only one with exactly this name. Undefined: a person has to choose. */
export function oneOf(runs: readonly { readonly id: string; readonly name: string | null }[], text: string): string | undefined {
  const named = runs.filter(({ name }) => name === text);
  const [only, ...others] = named.length === 0 ? runs : named;
  return others.length === 0 ? only?.id : undefined;
}
