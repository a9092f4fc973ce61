// The events that an automation listens to: an author that may read events of some objects only must name those objects in its triggers.
//
// Prefect compares each event with `match` (its resource) and `match_related` (its related resources). The values of a list are ORed. A `*`
// at the end and a `!` in front are patterns. Teams share flows, so a flow does not limit a trigger.

import { field, isList, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { Ask } from '../decide/asks.ts';
import { objectNamed } from '../decide/event-asks.ts';

/** Every right to read events that its triggers need. */
export function listeningAsks(automation: JsonObject): readonly Ask[] {
  const trigger = field(automation, 'trigger');
  // Prefect rejects an automation without a trigger.
  return trigger === undefined ? [] : triggersIn(trigger).flatMap(asksOf);
}

/** Only these consist of the triggers in them. A trigger of another type counts as well, since Prefect ignores unknown fields. */
const COMPOSITE: readonly JsonValue[] = ['compound', 'sequence'];

function triggersIn(trigger: JsonValue): readonly JsonValue[] {
  const inner = field(trigger, 'triggers');
  if (!isList(inner)) return [trigger];
  const nested = inner.flatMap(triggersIn);
  return COMPOSITE.includes(field(trigger, 'type') ?? null) ? nested : [trigger, ...nested];
}

const READ = { action: 'events.read', resource: { type: 'Event', id: null } } as const;

function asksOf(trigger: JsonValue): readonly Ask[] {
  return namedAsks(field(trigger, 'match'), RESOURCES) ?? namedAsks(field(trigger, 'match_related'), RELATED) ?? [READ];
}

const RELATED: readonly ResourceType[] = ['FlowRun', 'Deployment'];
const RESOURCES: readonly ResourceType[] = [
  ...RELATED,
  ...(['TaskRun', 'WorkPool', 'WorkQueue', 'Variable', 'BlockDocument', 'Automation', 'ConcurrencyLimit', 'Artifact'] as const),
];

/** An ask for each object that the trigger names by its id. Undefined: it names none, or also something else. */
function namedAsks(match: JsonValue | undefined, types: readonly ResourceType[]): readonly Ask[] | undefined {
  const given = field(match, 'prefect.resource.id') ?? null;
  const texts = isList(given) ? given : [given];
  const named = texts.flatMap((text) => (typeof text === 'string' ? (objectNamed(text) ?? []) : []));
  if (named.length === 0 || named.length < texts.length || !named.every(({ type }) => types.includes(type))) return undefined;
  return named.map((object) => ({ ...READ, on: { kind: 'related', object } }));
}
