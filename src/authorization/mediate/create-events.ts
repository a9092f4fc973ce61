// `POST /events`: a list of events, each under the rules of the event socket. Lictor forwards all of them or none.

import type { Located } from '../../contract/decision.ts';
import { isList, type JsonValue } from '../../contract/json/tree.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import { keyOf, PARTS, partsOf, WHOLES } from '../../prefect/scope-filter/parts-of.ts';
import { eventAsks, objectsIn } from '../decide/event-asks.ts';
import { type Handler, invalid, MEBIBYTE, planned, tooComplex } from './handler.ts';
import { distinctAsks } from './template-references.ts';

/** Lictor reads each event several times. Stock clients send events on the socket, one by one. */
const MOST_EVENTS = 1_000;

export function createEvents(rules: EventRules): Handler {
  return {
    operations: ['create_events_events_post'],
    maxBytes: 8 * MEBIBYTE,
    async plan({ tree }, lookup) {
      if (!isList(tree)) return invalid('The body must be a list of events.');
      if (tree.length > MOST_EVENTS) return tooComplex(`The body holds more than ${MOST_EVENTS} events.`);
      const isPartIn = await ownedParts(tree, lookup);
      return planned({
        asks: distinctAsks(tree.flatMap((event) => eventAsks(event, isPartIn(event)))),
        objection(sender) {
          for (const event of tree) {
            const verdict = rules(event, sender);
            if (!verdict.ok) return { code: verdict.code, detail: verdict.detail };
          }
          return undefined;
        },
      });
    },
  };
}

/** The flows, pools and queues of a run or deployment that the same event names. */
async function ownedParts(events: readonly JsonValue[], lookup: Lookup): Promise<(event: JsonValue) => (object: Located) => boolean> {
  const mentions = (event: JsonValue) => objectsIn(event).flatMap(({ type, id }) => (id === null ? [] : [{ type, id }]));
  const wholesIn = (event: JsonValue) => mentions(event).filter(({ type }) => WHOLES.includes(type));
  const named = events.filter((event) => mentions(event).some(({ type }) => PARTS.includes(type))).flatMap(wholesIn);
  const parts = named.length === 0 ? new Map<string, ReadonlySet<string>>() : await partsOf(lookup, named);
  return (event) => {
    const wholes = wholesIn(event);
    return ({ type, id }) => id !== null && PARTS.includes(type) && wholes.some((whole) => parts.get(keyOf(whole))?.has(keyOf({ type, id })) === true);
  };
}
