// On `/events/in`: an event with a guarded tag of another owner is dropped.

import { tagGuarded } from '../../authorization/decide/holds-tag.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { isObject } from '../../contract/json/tree.ts';
import { textOf } from '../../prefect/scope-filter/scope-filter.ts';
import type { RelayCore } from './core.ts';
import type { Dropped } from './frame-gate.ts';
import type { Session } from './session.ts';

/** For each event the reason to drop it, or null. By the session's latest decision. Rejects if Prefect does not answer. */
export async function guardedIn(core: RelayCore, session: Session, events: readonly (JsonValue | undefined)[]): Promise<readonly (Dropped | null)[]> {
  const { principal, credential, instead } = session.authorization;
  // An observed principal: the record of the socket says what enforcement would do.
  if (instead !== undefined) return events.map(() => null);
  const tags = await core.parts.eventTags(events, { principal, address: session.visit.inputs.address, carrier: credential.carrier });
  return events.map((event, place) => {
    const tag = tags[place] ?? null;
    return tag === null ? null : { code: 'tag-guarded', detail: tagGuarded(tag), subject: isObject(event) ? textOf(event, 'event') : null };
  });
}
