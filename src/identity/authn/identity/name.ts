// Which characters names of people and providers may contain.

/** No blanks, nothing invisible. */
export const NAME = /^[^\s\p{C}]{1,256}$/u;

/** In lictor.yaml `*@corp` means everyone at corp. A principal called `*` would be mistaken for all of them in rules and records. */
export function hasWildcard(name: string): boolean {
  return name.includes('*');
}
