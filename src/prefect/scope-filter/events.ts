// Which events a scoped principal sees: by what they are about, and by the other objects that they name.
//
// - A principal sees an event about a known kind of object when it sees that object; a task run counts as its flow run.
// - It sees any other event (a worker's, a custom one) when it sees one of the related objects.
// - In both cases the event must name no hidden object, except the flow, pool and queue of a visible run or deployment.
// Deleted and unknown objects are hidden.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { withoutForeignReferences } from './foreign-references.ts';
import { keyOf, type Mention, PARTS, WHOLES } from './parts-of.ts';
import type { VisibleIds } from './scope-filter.ts';

export interface Question {
  /** One of them must be visible. */
  readonly any: readonly Mention[];
  /** Each of them must be visible. */
  readonly all: readonly Mention[];
}

const KINDS: Readonly<Record<string, ResourceType>> = {
  'flow-run': 'FlowRun',
  'task-run': 'TaskRun',
  flow: 'Flow',
  deployment: 'Deployment',
  'work-pool': 'WorkPool',
  'work-queue': 'WorkQueue',
  variable: 'Variable',
  'block-document': 'BlockDocument',
  automation: 'Automation',
  'concurrency-limit': 'ConcurrencyLimit',
  artifact: 'Artifact',
};

const IN_RUNS: readonly ResourceType[] = ['TaskRun', 'Artifact'];

/** Undefined: no principal with a scope sees it. */
export function questionOf(event: JsonObject): Question | undefined {
  const related = field(event, 'related') ?? [];
  const resource = field(event, 'resource');
  if (!isObject(resource) || !isList(related)) return undefined;
  const named = related.filter((each) => !isCreator(each));
  if ([resource, ...named].some(isUnclear)) return undefined;
  const mentions = named.map(mentionOf).filter((mention) => mention !== undefined);
  const runs = mentions.filter(({ type }) => type === 'FlowRun');
  // Events name an object in a run together with the run, often before Prefect has the object. So the run decides.
  const outer = runs.length === 0 ? mentions : mentions.filter(({ type }) => !IN_RUNS.includes(type));
  const subject = mentionOf(resource);
  const about = subject !== undefined && IN_RUNS.includes(subject.type) ? (runs[0] ?? subject) : subject;
  if (about === undefined) return outer.length === 0 ? undefined : { any: outer, all: outer };
  const isWhole = WHOLES.includes(about.type);
  return { any: [about], all: outer.filter(({ type }) => !(isWhole && PARTS.includes(type))) };
}

/** The visible part of each event; null: the event is hidden. */
export async function visibleEvents(events: readonly JsonObject[], visibleIds: VisibleIds): Promise<readonly (JsonObject | null)[]> {
  const questions = events.map(questionOf);
  const creators = events.flatMap((event) =>
    relatedOf(event)
      .filter(isCreator)
      .flatMap((creator) => mentionOf(creator) ?? []),
  );
  const asked = questions.flatMap((question) => (question === undefined ? [] : [...question.any, ...question.all]));
  const isVisible = await visibilityOf([...asked, ...creators], visibleIds);
  const visible = events.map((event, index) => {
    const question = questions[index];
    return question?.any.some(isVisible) === true && question.all.every(isVisible) ? withoutHiddenCreators(event, isVisible) : null;
  });
  return Promise.all(visible.map((event) => (event === null ? null : withoutHiddenIn(event, visibleIds))));
}

/** Prefect names the automation that created a run beside it, even a foreign one. */
function withoutHiddenCreators(event: JsonObject, isVisible: (mention: Mention) => boolean): JsonObject {
  const related = relatedOf(event);
  const visible = related.filter((each) => {
    const mention = mentionOf(each);
    return !isCreator(each) || (mention !== undefined && isVisible(mention));
  });
  return visible.length === related.length ? event : { ...event, related: visible };
}

async function withoutHiddenIn(event: JsonObject, visibleIds: VisibleIds): Promise<JsonObject> {
  const whole = await withoutTrigger(event, visibleIds);
  const visible = await withoutForeignReferences(whole, visibleIds);
  return isObject(visible) ? visible : whole;
}

/** An automation's own events carry the whole event that triggered it, even a foreign one. */
async function withoutTrigger(event: JsonObject, visibleIds: VisibleIds): Promise<JsonObject> {
  const payload = field(event, 'payload');
  const trigger = field(payload, 'triggering_event') ?? null;
  if (!isObject(payload) || trigger === null) return event;
  const [visible] = isObject(trigger) ? await visibleEvents([trigger], visibleIds) : [null];
  const labels = visible == null ? { triggering_labels: {} } : {};
  return { ...event, payload: { ...payload, ...labels, triggering_event: visible ?? null } };
}

function isCreator(resource: JsonValue): boolean {
  return field(resource, 'prefect.resource.role') === 'creator';
}

function relatedOf(event: JsonObject): readonly JsonValue[] {
  const related = field(event, 'related');
  return isList(related) ? related : [];
}

interface Claims {
  /** Each must be visible. */
  readonly all: readonly Mention[];
  /** Each must be visible, or part of a run or deployment that the event names. */
  readonly parts: readonly Mention[];
  readonly wholes: readonly Mention[];
  /** Events often name a task run before Prefect has it: it must only not belong to a foreign run. */
  readonly tasks: readonly string[];
}

/** The objects that an event claims to be about, to check its sender. Undefined: it names an object in an unknown way. */
function claimsOf(event: JsonObject): Claims | undefined {
  const related = field(event, 'related') ?? [];
  const named = [field(event, 'resource') ?? null, ...(isList(related) ? related : [])];
  if (named.some(isUnclear)) return undefined;
  const mentions = named.map(mentionOf).filter((mention) => mention !== undefined);
  const inRun = mentions.some(({ type }) => type === 'FlowRun');
  const isPart = ({ type }: Mention) => PARTS.includes(type);
  const isGiven = (mention: Mention) => isPart(mention) || (inRun && mention.type === 'TaskRun');
  return {
    all: mentions.filter((mention) => !isGiven(mention)),
    parts: mentions.filter(isPart),
    wholes: mentions.filter(({ type }) => WHOLES.includes(type)),
    tasks: mentions.flatMap(({ type, id }) => (type === 'TaskRun' ? [id] : [])),
  };
}

async function visibilityOf(mentions: readonly Mention[], visibleIds: VisibleIds): Promise<(mention: Mention) => boolean> {
  const byType = new Map<ResourceType, ReadonlySet<string>>();
  for (const type of new Set(mentions.map((mention) => mention.type))) {
    const ids = [...new Set(mentions.filter((mention) => mention.type === type).map(({ id }) => id))];
    byType.set(type, await visibleIds(type, ids));
  }
  return ({ type, id }) => byType.get(type)?.has(id) === true;
}

/** Asks Prefect about the objects that events name. */
export interface EventObjects {
  readonly visibleIds: VisibleIds;
  /** Those of these task runs that are in a hidden run. */
  readonly foreign: (tasks: readonly string[]) => Promise<ReadonlySet<string>>;
  /** parts-of.ts */
  readonly partsOf: (wholes: readonly Mention[]) => Promise<ReadonlyMap<string, ReadonlySet<string>>>;
}

/** For each event, whether a scoped principal may send it. */
export async function sendableEvents(events: readonly JsonObject[], { visibleIds, foreign, partsOf }: EventObjects): Promise<readonly boolean[]> {
  const claims = events.map(claimsOf);
  const every = claims.filter((claim) => claim !== undefined);
  const named = every.flatMap(({ all, parts }) => [...all, ...parts]);
  const isVisible = await visibilityOf(named, visibleIds);
  const tasks = [...new Set(every.flatMap((claim) => claim.tasks))];
  const others: ReadonlySet<string> = tasks.length === 0 ? new Set() : await foreign(tasks);
  const open = every.filter(({ parts }) => !parts.every(isVisible));
  const owned: ReadonlyMap<string, ReadonlySet<string>> = open.length === 0 ? new Map() : await partsOf(open.flatMap(({ wholes }) => wholes));
  const isOwned = ({ wholes }: Claims, part: Mention) => isVisible(part) || wholes.some((whole) => owned.get(keyOf(whole))?.has(keyOf(part)) === true);
  return claims.map(
    (claim) => claim?.all.every(isVisible) === true && claim.parts.every((part) => isOwned(claim, part)) && !claim.tasks.some((task) => others.has(task)),
  );
}

/** True for an object of a known kind in a spelling that Lictor does not read, but Prefect may: `{UUID}`, `urn:uuid:`. */
function isUnclear(resource: JsonValue): boolean {
  return Object.hasOwn(KINDS, nameOf(resource).kind) && mentionOf(resource) === undefined;
}

/** Undefined: it is about no known kind of object. */
function mentionOf(resource: JsonValue): Mention | undefined {
  const { kind, id } = nameOf(resource);
  const type = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  const uuid = parseUuid(id);
  return type === undefined || uuid === undefined ? undefined : { type, id: uuid };
}

/** `prefect.KIND.ID`; old limits of tags are `prefect.concurrency-limit.v1.ID`. */
function nameOf(resource: JsonValue): { readonly kind: string; readonly id: string } {
  const name = field(resource, 'prefect.resource.id');
  const [, kind = '', id = ''] = typeof name === 'string' ? (/^prefect\.([a-z-]+)\.(.*)$/s.exec(name) ?? []) : [];
  return { kind, id: kind === 'concurrency-limit' ? id.replace(/^v1\./, '') : id };
}
