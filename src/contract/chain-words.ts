// A principal and those that it acts for, as text. Also the person behind a user of the operating system, as the environment of that user
// claims: unproven, and only for display.
import { agentName } from './principal.ts';

const ASSERTED = 'asserted:';

/** An entry of `on_behalf_of`. */
export function assertedPerson(name: string): string {
  return `${ASSERTED}${name}`;
}

/** `copilot for alice@corp`: a chain of principals, without what is only asserted. */
export function chainWords(chain: readonly string[]): string {
  const proven = chain.filter((id) => !id.startsWith(ASSERTED));
  return proven.map((id) => agentName(id) ?? id).join(' for ');
}

/** `copilot for alice@corp`, `local:root (asserted: alice)`. */
export function byWhom(principal: string, onBehalfOf: readonly string[]): string {
  const [who, words] = [chainWords([principal, ...onBehalfOf]), assertedWords(onBehalfOf)];
  return words === '' ? who : `${who} (${words})`;
}

/** `asserted: alice`; empty: nothing is asserted. */
export function assertedWords(onBehalfOf: readonly string[]): string {
  const names = onBehalfOf.flatMap((entry) => (entry.startsWith(ASSERTED) ? [entry.slice(ASSERTED.length)] : []));
  return names.length === 0 ? '' : `${ASSERTED} ${names.join(', ')}`;
}
