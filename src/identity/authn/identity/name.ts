// Characters that no name may contain, whatever its source.

/** In lictor.yaml `*@corp` means everyone at corp. A principal called `*` would be mistaken for all of them in rules and records. */
export function hasWildcard(name: string): boolean {
  return name.includes('*');
}
