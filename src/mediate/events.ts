// `POST /events`: a list of events, each by the rules of the socket; all of them or none.

import { eventAsks } from '../decide/event-asks.ts';
import type { EventRules } from '../events/rules.ts';
import { isList } from '../json/tree.ts';
import { type Family, invalid, MEBIBYTE, planned } from './family.ts';
import { distinctAsks } from './references.ts';

export function createEvents(rules: EventRules): Family {
  return {
    operations: ['create_events_events_post'],
    maxBytes: 8 * MEBIBYTE,
    plan({ tree }) {
      if (!isList(tree)) return invalid('The body must be a list of events.');
      return planned({
        asks: distinctAsks(tree.flatMap(eventAsks)),
        intent: true,
        rewrite: () => tree,
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
