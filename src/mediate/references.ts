// What a body makes Prefect read for its author: blocks and variables that its templates and references name.
//
// Workers and pull steps resolve `{{ prefect.blocks.TYPE.NAME... }}`, `{{ prefect.variables.NAME }}` and
// `{"$ref": {"block_document_id": ...}}` with their own credential; the server hydrates `__prefect_kind` by itself.
// Not seen here: a template that is put together from several values only where it is resolved.
import type { Ask } from '../decide/decider.ts';
import { parseStrict } from '../json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue } from '../json/tree.ts';
import { parseUuid } from '../json/uuid.ts';

/** For what workers resolve: job variables, pull steps, job templates, storage; the data of blocks. */
export function templateAsks(tree: JsonValue | undefined): readonly Ask[] {
  return bounded(distinctAsks([...textsIn(tree).flatMap(placeholderAsks), ...objectsIn(tree).flatMap(referenceAsks)]));
}

/** For what the server fills in: parameters of deployments, schedules and runs, input of a resumed run, values to validate. */
export function hydrationAsks(tree: JsonValue | undefined): readonly Ask[] {
  return bounded(distinctAsks(objectsIn(tree).flatMap(kindAsks)));
}

/** For parameters that a deployment keeps. One kind as a whole becomes what the parameters of a run make of it, which are laid over it. */
export function keptAsks(parameters: JsonValue | undefined): readonly Ask[] {
  const asks = hydrationAsks(parameters);
  return asks.length > 0 && isKind(parameters) ? [readsVariable(null)] : asks;
}

/** For the parameters of a run beside `hydrationAsks`: over a deployment whose own are one kind as a whole, they are the fields of that kind. */
export function overlaidAsks(own: JsonValue | undefined, given: JsonValue | undefined): readonly Ask[] {
  return isKind(own) && givesFields(given) ? [readsVariable(null), readsBlock(null)] : [];
}

/** True when the parameters can be fields of a kind. */
export function givesFields(parameters: JsonValue | undefined): boolean {
  return isObject(parameters) && ['value', 'template', 'variable_name'].some((key) => Object.hasOwn(parameters, key));
}

/** True for an object that Prefect fills in as a whole. */
export function isKind(value: JsonValue | undefined): value is JsonObject {
  return isObject(value) && Object.hasOwn(value, KIND);
}

export const KIND = '__prefect_kind';

/** For what stands in for a value some day, and is filled in once more then: a variable's own. */
export function storedAsks(value: JsonValue | undefined): readonly Ask[] {
  return [...hydrationAsks(value), ...(typeof value === 'string' ? textAsks(value) : [])];
}

/** For an automation's templates: Jinja sees the event that triggers it, whosever that is, with the run and its parameters. */
export function triggerAsks(tree: JsonValue | undefined): readonly Ask[] {
  const texts = textsIn(tree);
  const isMade = objectsIn(tree).some(hasMadeTemplate);
  if (!isMade && !texts.some((text) => /\{[{%]/.test(text))) return [];
  // One expression gives the value itself: an event may hold what is then filled in as the run is made. Python strips control characters too.
  const isValue = texts.some((text) => /^[\s\p{Cc}]*\{\{.*\}\}[\s\p{Cc}]*$/su.test(text));
  return [{ action: 'events.read', resource: { type: 'Event', id: null } }, ...(isMade || isValue ? [readsVariable(null), readsBlock(null)] : jinjaAsks(tree))];
}

/** Jinja in any text may name `variables`. */
export function jinjaAsks(tree: JsonValue | undefined): readonly Ask[] {
  const isTemplate = (text: string) => /\{[{%]/.test(text) && /\bvariables\b/.test(text);
  return textsIn(tree).some(isTemplate) ? [readsVariable(null)] : [];
}

/** Each ask once, in their order. */
export function distinctAsks(asks: readonly Ask[]): readonly Ask[] {
  return [...new Map(asks.map((ask) => [JSON.stringify(ask), ask])).values()];
}

/** Every ask is an evaluation: a body that names more than anybody writes by hand needs the right on all of them instead. */
const MOST_NAMED = 50;

export function bounded(asks: readonly Ask[]): readonly Ask[] {
  return asks.length <= MOST_NAMED ? asks : distinctAsks(asks.map(({ action, resource }) => ({ action, resource: { ...resource, id: null } })));
}

export function readsBlock(id: string | null, named = false): Ask {
  return { action: 'blocks.read_secrets', resource: { type: 'BlockDocument', id, ...(named && { named }) } };
}

function readsVariable(id: string | null): Ask {
  return { action: 'variables.read', resource: { type: 'Variable', id, ...(id !== null && { named: true }) } };
}

/** `prefect.blocks.TYPE.NAME.key`, `prefect.variables.NAME`; a name that cannot be told apart is any. Prefect's word characters are all of Unicode's. */
const PLACEHOLDER = /prefect\.(blocks|variables)\.([\p{L}\p{M}\p{N}_.\-[\]$]*)/gu;

function placeholderAsks(text: string): readonly Ask[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, kind, rest = '']) => {
    // Prefect takes the prefix out wherever it stands: `prefect.variables.prefect.variables.x` is x.
    const [first = '', second = ''] = rest.replaceAll(`prefect.${kind}.`, '').split('.');
    return kind === 'blocks' ? readsBlock(second === '' ? null : second, true) : readsVariable(first === '' ? null : first);
  });
}

/** `$ref` with a block's id, and the step that pulls with a block. */
function referenceAsks(object: JsonObject): readonly Ask[] {
  const reference = field(object, '$ref');
  const id = isObject(reference) ? field(reference, 'block_document_id') : undefined;
  const name = field(object, 'block_document_name');
  return [
    ...(id === undefined ? [] : [readsBlock(typeof id === 'string' ? (parseUuid(id) ?? null) : null)]),
    ...(name === undefined ? [] : [readsBlock(typeof name === 'string' ? name : null, true)]),
  ];
}

/**
 * `none` and kinds that Prefect does not know read nothing by themselves; what is inside them is looked at as well. The text of `json` counts
 * too: parameters of a deployment or of an automation are filled in, kept, and filled in again when the run is made.
 */
function kindAsks(object: JsonObject): readonly Ask[] {
  const kind = field(object, KIND);
  if (kind === 'jinja') return hasMadeTemplate(object) ? [readsVariable(null)] : jinjaAsks(object);
  if (kind === 'json') return madeOf(field(object, 'value'));
  if (kind !== 'workspace_variable') return [];
  const name = field(object, 'variable_name');
  return [readsVariable(typeof name === 'string' ? name : null)];
}

/** What is made where it is filled in may turn out to be any reference. `none` and kinds that Prefect does not know hand their value on. */
function madeOf(value: JsonValue | undefined): readonly Ask[] {
  if (typeof value === 'string') return textAsks(value);
  if (!isKind(value)) return [];
  return field(value, KIND) === 'jinja' ? [readsVariable(null)] : madeOf(field(value, 'value'));
}

function hasMadeTemplate(object: JsonObject): boolean {
  return field(object, KIND) === 'jinja' && isObject(field(object, 'template'));
}

/** JSON in a text, or in a text that is all of that. What Prefect reads and we do not could be anything. */
function textAsks(text: string): readonly Ask[] {
  if (!/__prefect_kind|\\u/.test(text)) return [];
  const parsed = parseStrict(Buffer.from(text, 'utf8'));
  return parsed.ok ? storedAsks(parsed.tree) : [readsVariable(null)];
}

export function objectsIn(tree: JsonValue | undefined): readonly JsonObject[] {
  if (isList(tree)) return tree.flatMap(objectsIn);
  return isObject(tree) ? [tree, ...Object.values(tree).flatMap(objectsIn)] : [];
}

/** Keys too: a job's environment has names that are templates. */
function textsIn(tree: JsonValue | undefined): readonly string[] {
  if (typeof tree === 'string') return [tree];
  if (isList(tree)) return tree.flatMap(textsIn);
  return isObject(tree) ? [...Object.keys(tree), ...Object.values(tree).flatMap(textsIn)] : [];
}
