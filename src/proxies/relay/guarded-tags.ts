// On `/events/in`: an event that gives a guarded tag which is not its sender's goes no further.

import { tagGuarded } from '../../authorization/decide/holds-tag.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { isObject } from '../../contract/json/tree.ts';
import { textOf } from '../../prefect/scope-filter/scope-filter.ts';
import type { RelayCore } from './core.ts';
import type { Dropped } from './frame-gate.ts';
import type { Session } from './session.ts';

/** Of each event why it is dropped; null: it goes on. By the session's latest decision. Rejects when Prefect cannot be asked. */
export async function guardedIn(core: RelayCore, session: Session, events: readonly (JsonValue | undefined)[]): Promise<readonly (Dropped | null)[]> {
  const { principal, credential } = session.authorization;
  const tags = await core.parts.eventTags(events, { principal, address: session.visit.inputs.address, carrier: credential.carrier });
  return events.map((event, place) => {
    const tag = tags[place] ?? null;
    return tag === null ? null : { code: 'tag-guarded', detail: tagGuarded(tag), subject: isObject(event) ? textOf(event, 'event') : null };
  });
}
