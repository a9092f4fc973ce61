// What an automation listens to: whoever reads events of some objects only must name those objects, or would learn of everybody's.
//
// Prefect holds each event against `match` (of its resource) and `match_related` (of what it is related to). A list of values is any of
// them; `*` at the end and `!` in front are patterns. Flows are shared, so that a flow is no bound.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { Ask } from '../decide/asks.ts';
import { objectNamed } from '../decide/event-asks.ts';

/** Every right to read events that its triggers need. */
export function listeningAsks(automation: JsonObject): readonly Ask[] {
  const trigger = field(automation, 'trigger');
  // Without any, Prefect takes no automation.
  return trigger === undefined ? [] : triggersIn(trigger).flatMap(asksOf);
}

/** These are about others inside, and about nothing else. Any other that has some counts too: Prefect ignores fields that it does not know. */
const OF_OTHERS: readonly JsonValue[] = ['compound', 'sequence'];

function triggersIn(trigger: JsonValue): readonly JsonValue[] {
  if (!isObject(trigger)) return [trigger];
  const inner = field(trigger, 'triggers');
  const others = isList(inner) ? inner.flatMap(triggersIn) : [];
  return isList(inner) && OF_OTHERS.includes(field(trigger, 'type') ?? null) ? others : [trigger, ...others];
}

const READ = { action: 'events.read', resource: { type: 'Event', id: null } } as const;

function asksOf(trigger: JsonValue): readonly Ask[] {
  const named = isObject(trigger) ? (boundBy(field(trigger, 'match'), SUBJECTS) ?? boundBy(field(trigger, 'match_related'), WHOLES)) : undefined;
  return named === undefined ? [READ] : named;
}

const WHOLES: readonly ResourceType[] = ['FlowRun', 'Deployment'];
const SUBJECTS: readonly ResourceType[] = [
  ...WHOLES,
  'TaskRun',
  'WorkPool',
  'WorkQueue',
  'Variable',
  'BlockDocument',
  'Automation',
  'ConcurrencyLimit',
  'Artifact',
];

/** The objects that it names by their ids, each to be read; undefined: it names none, or something else besides. */
function boundBy(match: JsonValue | undefined, kinds: readonly ResourceType[]): readonly Ask[] | undefined {
  if (!isObject(match)) return undefined;
  const given = field(match, 'prefect.resource.id') ?? null;
  const texts = isList(given) ? given : [given];
  const named = texts.map((text) => (typeof text === 'string' ? objectNamed(text) : undefined));
  if (named.length === 0 || !named.every((object) => object !== undefined && kinds.includes(object.type))) return undefined;
  return named.flatMap((object) => (object === undefined ? [] : [{ ...READ, on: { kind: 'related', object } }]));
}
