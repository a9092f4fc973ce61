// What no name of anybody may have in it, whoever says that it is theirs.

/** In lictor.yaml `*@corp` is everybody of corp: whoever could be called `*` would be taken for all of them by whoever reads a rule or a record. */
export function hasWildcard(name: string): boolean {
  return name.includes('*');
}
