// What a body makes Prefect read for its author: blocks and variables that its templates and references name.
//
// Workers and pull steps resolve `{{ prefect.blocks.TYPE.NAME... }}`, `{{ prefect.variables.NAME }}` and
// `{"$ref": {"block_document_id": ...}}` with their own credential; the server hydrates `__prefect_kind` by itself.
// Not seen here: a template that is put together from several values only where it is resolved.

import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isObject, type JsonObject, type JsonValue, walk } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';

/** For what workers resolve: job variables, pull steps, job templates, storage; the data of blocks. */
export function templateAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => {
    walk(tree, (value) => {
      if (typeof value === 'string') return findPlaceholders(value, finding);
      return isObject(value) ? findReferences(value, finding) : true;
    });
  });
}

/** For what the server fills in: parameters of deployments, schedules and runs, input of a resumed run, values to validate. */
export function hydrationAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findKinds(tree, finding));
}

/** For parameters that a deployment keeps. One kind as a whole becomes what the parameters of a run make of it, which are laid over it. */
export function storedParameterAsks(parameters: JsonValue | undefined): readonly Ask[] {
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
  return collectAsks((finding) => findStored(value, finding));
}

/** For an automation's templates: Jinja sees the event that triggers it, whosever that is, with the run and its parameters. */
export function triggerAsks(tree: JsonValue | undefined): readonly Ask[] {
  const isMade = has(tree, (value) => isObject(value) && hasMadeTemplate(value));
  if (!isMade && !has(tree, (value) => typeof value === 'string' && /\{[{%]/.test(value))) return [];
  // One expression gives the value itself: an event may hold what is then filled in as the run is made. Python strips control characters too.
  const isValue = has(tree, (value) => typeof value === 'string' && /^[\s\p{Cc}]*\{\{.*\}\}[\s\p{Cc}]*$/su.test(value));
  return [{ action: 'events.read', resource: { type: 'Event', id: null } }, ...(isMade || isValue ? [readsVariable(null), readsBlock(null)] : jinjaAsks(tree))];
}

/** Jinja in any text may name `variables`. */
export function jinjaAsks(tree: JsonValue | undefined): readonly Ask[] {
  const isTemplate = (text: string) => /\{[{%]/.test(text) && /\bvariables\b/.test(text);
  return has(tree, (value) => typeof value === 'string' && isTemplate(value)) ? [readsVariable(null)] : [];
}

/** Keys too: a job's environment has names that are templates. */
function has(tree: JsonValue | undefined, test: (value: JsonValue) => boolean): boolean {
  return !walk(tree, (value) => !test(value));
}

/** Each ask once, in their order. */
export function distinctAsks(asks: readonly Ask[]): readonly Ask[] {
  return [...new Map(asks.map((ask) => [JSON.stringify(ask), ask])).values()];
}

/** Every ask is an evaluation: a body that names more than anybody writes by hand needs the right on all of them instead. */
const MOST_NAMED = 50;
/** Placeholders that are looked at one by one; a body with more needs the right on everything that one can name. */
const MOST_PLACEHOLDERS = 10_000;
/** Text of a body that is read as JSON once more, in characters: as much as Prefect takes of parameters. More of it could be anything. */
const MOST_INNER_TEXT = 512 * 1024;

/** What one walk over a body has found so far. */
export interface Finding {
  add(ask: Ask): void;
  placeholdersLeft: number;
  innerTextLeft: number;
}

/** Each ask once, in the order in which `find` adds them. */
export function collectAsks(find: (finding: Finding) => void): readonly Ask[] {
  const asks = new Map<string, Ask>();
  let isGeneral = false;
  const add = (ask: Ask): void => {
    const given = isGeneral ? generalised(ask) : ask;
    const { type, id, named } = given.resource;
    asks.set(`${given.action} ${type} ${named} ${id}`, given);
    if (isGeneral || asks.size <= MOST_NAMED) return;
    isGeneral = true;
    const found = [...asks.values()];
    asks.clear();
    for (const each of found) add(each);
  };
  find({ add, placeholdersLeft: MOST_PLACEHOLDERS, innerTextLeft: MOST_INNER_TEXT });
  return [...asks.values()];
}

function generalised({ action, resource }: Ask): Ask {
  return { action, resource: { ...resource, id: null } };
}

export function readsBlock(id: string | null, named = false): Ask {
  return { action: 'blocks.read_secrets', resource: { type: 'BlockDocument', id, ...(named && { named }) } };
}

function readsVariable(id: string | null): Ask {
  return { action: 'variables.read', resource: { type: 'Variable', id, ...(id !== null && { named: true }) } };
}

/** `prefect.blocks.TYPE.NAME.key`, `prefect.variables.NAME`; a name that cannot be told apart is any. Prefect's word characters are all of Unicode's. */
const PLACEHOLDER = /prefect\.(blocks|variables)\.([\p{L}\p{M}\p{N}_.\-[\]$]*)/gu;

/** False: everything is needed already. */
function findPlaceholders(text: string, finding: Finding): boolean {
  if (!text.includes('prefect.')) return true;
  for (const [, kind, rest = ''] of text.matchAll(PLACEHOLDER)) {
    finding.placeholdersLeft -= 1;
    if (finding.placeholdersLeft < 0) {
      for (const ask of [readsVariable(null), readsBlock(null)]) finding.add(ask);
      return false;
    }
    // Prefect takes the prefix out wherever it stands: `prefect.variables.prefect.variables.x` is x.
    const [first = '', second = ''] = rest.replaceAll(`prefect.${kind}.`, '').split('.', 2);
    finding.add(kind === 'blocks' ? readsBlock(second === '' ? null : second, true) : readsVariable(first === '' ? null : first));
  }
  return true;
}

/** `$ref` with a block's id, and the step that pulls with a block. */
function findReferences(object: JsonObject, { add }: Finding): true {
  const reference = field(object, '$ref');
  const id = field(reference, 'block_document_id');
  const name = field(object, 'block_document_name');
  if (id !== undefined) add(readsBlock(parseUuid(id) ?? null));
  if (name !== undefined) add(readsBlock(typeof name === 'string' ? name : null, true));
  return true;
}

function findKinds(tree: JsonValue | undefined, finding: Finding): void {
  walk(tree, (value) => {
    if (isKind(value)) findKind(value, finding);
    return true;
  });
}

/**
 * `none` and kinds that Prefect does not know read nothing by themselves; what is inside them is looked at as well. The text of `json` counts
 * too: parameters of a deployment or of an automation are filled in, kept, and filled in again when the run is made.
 */
function findKind(object: JsonObject, finding: Finding): void {
  const kind = field(object, KIND);
  if (kind === 'jinja') for (const ask of hasMadeTemplate(object) ? [readsVariable(null)] : jinjaAsks(object)) finding.add(ask);
  else if (kind === 'json') findMade(field(object, 'value'), finding);
  else if (kind === 'workspace_variable') {
    const name = field(object, 'variable_name');
    finding.add(readsVariable(typeof name === 'string' ? name : null));
  }
}

/** What is made where it is filled in may turn out to be any reference. `none` and kinds that Prefect does not know hand their value on. */
function findMade(value: JsonValue | undefined, finding: Finding): void {
  if (typeof value === 'string') findInText(value, finding);
  else if (isKind(value) && field(value, KIND) === 'jinja') finding.add(readsVariable(null));
  else if (isKind(value)) findMade(field(value, 'value'), finding);
}

function hasMadeTemplate(object: JsonObject): boolean {
  return field(object, KIND) === 'jinja' && isObject(field(object, 'template'));
}

function findStored(value: JsonValue | undefined, finding: Finding): void {
  findKinds(value, finding);
  if (typeof value === 'string') findInText(value, finding);
}

/** JSON in a text, or in a text that is all of that. What Prefect reads and we do not could be anything. */
function findInText(text: string, finding: Finding): void {
  if (!/__prefect_kind|\\u/.test(text)) return;
  const parsed = parseInner(text, finding);
  if (parsed === undefined) finding.add(readsVariable(null));
  else findStored(parsed, finding);
}

/** Undefined: it is no JSON, or more than is read of one body. */
export function parseInner(text: string, finding: Finding): JsonValue | undefined {
  finding.innerTextLeft -= text.length;
  const parsed = finding.innerTextLeft < 0 ? undefined : parseStrict(Buffer.from(text, 'utf8'));
  return parsed?.ok === true ? parsed.tree : undefined;
}
