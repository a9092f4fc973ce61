// The person behind a user of the operating system, as the environment of that user claims. Unproven: only for display.

const ASSERTED = 'asserted:';

/** An entry of `on_behalf_of`. */
export function assertedPerson(name: string): string {
  return `${ASSERTED}${name}`;
}

/** `local:root (asserted: alice)`. */
export function byWhom(principal: string, onBehalfOf: readonly string[]): string {
  const words = assertedWords(onBehalfOf);
  return words === '' ? principal : `${principal} (${words})`;
}

/** `asserted: alice`; empty: nothing is asserted. */
export function assertedWords(onBehalfOf: readonly string[]): string {
  const names = onBehalfOf.flatMap((entry) => (entry.startsWith(ASSERTED) ? [entry.slice(ASSERTED.length)] : []));
  return names.length === 0 ? '' : `${ASSERTED} ${names.join(', ')}`;
}
