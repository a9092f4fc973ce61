// The blocks and variables that a body's templates and references make Prefect read for its author.
//
// Workers and pull steps resolve `{{ prefect.blocks.TYPE.NAME... }}`, `{{ prefect.variables.NAME }}` and
// `{"$ref": {"block_document_id": ...}}` with their own credential. The server hydrates `__prefect_kind` itself.
// Not checked here: a template that workers join from several values.

import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isObject, type JsonObject, type JsonValue, walk } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';

/** For fields that workers resolve: job variables, pull steps, job templates, storage, and the data of blocks. */
export function templateAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => {
    walk(tree, (value) => {
      if (typeof value === 'string') return findPlaceholders(value, finding);
      return isObject(value) ? findReferences(value, finding) : true;
    });
  });
}

/** For values that the server fills in: parameters of deployments, schedules and runs, input of a resumed run, values of a form. */
export function hydrationAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findKinds(tree, finding));
}

/** For parameters that a deployment stores. If the whole is one kind, the parameters of a run change its fields, so it may name any variable. */
export function storedParameterAsks(parameters: JsonValue | undefined): readonly Ask[] {
  const asks = hydrationAsks(parameters);
  return asks.length > 0 && isKind(parameters) ? [readsVariable(null)] : asks;
}

/** For the parameters of a run, beside `hydrationAsks`: if the deployment's own are one kind, Prefect merges them into the fields of that kind. */
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

/** True for a text that Jinja renders. */
export function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** For the value of a variable: Prefect fills it in once more where it replaces a `__prefect_kind`. */
export function storedAsks(value: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findStored(value, finding));
}

/** For an automation's templates: Jinja sees the event that triggers it, of any owner, with the run and its parameters. */
export function triggerAsks(tree: JsonValue | undefined): readonly Ask[] {
  const isComputed = has(tree, (value) => isObject(value) && hasComputedTemplate(value));
  if (!isComputed && !has(tree, (value) => typeof value === 'string' && /\{[{%]/.test(value))) return [];
  // A single expression renders to the value itself. The event may contain a kind, which Prefect fills in for the run. Python strips control characters.
  const isValue = has(tree, (value) => typeof value === 'string' && /^[\s\p{Cc}]*\{\{.*\}\}[\s\p{Cc}]*$/su.test(value));
  const reads = isComputed || isValue ? [readsVariable(null), readsBlock(null)] : jinjaAsks(tree);
  return [{ action: 'events.read', resource: { type: 'Event', id: null } }, ...reads];
}

/** A Jinja template may name `variables`. */
export function jinjaAsks(tree: JsonValue | undefined): readonly Ask[] {
  const namesVariables = (text: string) => /\{[{%]/.test(text) && /\bvariables\b/.test(text);
  return has(tree, (value) => typeof value === 'string' && namesVariables(value)) ? [readsVariable(null)] : [];
}

/** Tests keys too: names in a job's environment may be templates. */
function has(tree: JsonValue | undefined, test: (value: JsonValue) => boolean): boolean {
  return !walk(tree, (value) => !test(value));
}

/** Each ask once, in their order. */
export function distinctAsks(asks: readonly Ask[]): readonly Ask[] {
  return [...new Map(asks.map((ask) => [JSON.stringify(ask), ask])).values()];
}

/** Each ask costs an evaluation. A body that names more than people write by hand needs the right on all objects of the kind. */
const MOST_NAMED = 50;
/** Lictor reads so many placeholders one by one. A body with more needs the right on everything that a placeholder can name. */
const MOST_PLACEHOLDERS = 10_000;
/** Characters of a body that Lictor parses as JSON again: as much as Prefect accepts for parameters. */
const MOST_INNER_TEXT = 512 * 1024;

/** The state of one walk over a body. */
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

/** `prefect.blocks.TYPE.NAME.key`, `prefect.variables.NAME`. Without a readable name it may be any. Prefect accepts all word characters of Unicode. */
const PLACEHOLDER = /prefect\.(blocks|variables)\.([\p{L}\p{M}\p{N}_.\-[\]$]*)/gu;

/** False: the asks cover everything already. */
function findPlaceholders(text: string, finding: Finding): boolean {
  if (!text.includes('prefect.')) return true;
  for (const [, kind, rest = ''] of text.matchAll(PLACEHOLDER)) {
    finding.placeholdersLeft -= 1;
    if (finding.placeholdersLeft < 0) {
      for (const ask of [readsVariable(null), readsBlock(null)]) finding.add(ask);
      return false;
    }
    // Prefect removes every occurrence of the prefix: `prefect.variables.prefect.variables.x` is x.
    const [first = '', second = ''] = rest.replaceAll(`prefect.${kind}.`, '').split('.', 2);
    finding.add(kind === 'blocks' ? readsBlock(second === '' ? null : second, true) : readsVariable(first === '' ? null : first));
  }
  return true;
}

/** `$ref` with a block's id, and the pull step that names a block. */
function findReferences(object: JsonObject, { add }: Finding): true {
  const id = field(field(object, '$ref'), 'block_document_id');
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
 * `none` and unknown kinds read nothing themselves; the walk also visits the values inside them. The text of `json` counts: Prefect fills in
 * and stores the parameters of a deployment or automation, and fills them in again when it creates the run.
 */
function findKind(object: JsonObject, finding: Finding): void {
  const kind = field(object, KIND);
  if (kind === 'jinja') for (const ask of hasComputedTemplate(object) ? [readsVariable(null)] : jinjaAsks(object)) finding.add(ask);
  else if (kind === 'json') findParsed(field(object, 'value'), finding);
  else if (kind === 'workspace_variable') {
    const name = field(object, 'variable_name');
    finding.add(readsVariable(typeof name === 'string' ? name : null));
  }
}

/** A rendered text may become any reference. `none` and unknown kinds pass their value on. */
function findParsed(value: JsonValue | undefined, finding: Finding): void {
  if (typeof value === 'string') findInText(value, finding);
  else if (isKind(value) && field(value, KIND) === 'jinja') finding.add(readsVariable(null));
  else if (isKind(value)) findParsed(field(value, 'value'), finding);
}

function hasComputedTemplate(object: JsonObject): boolean {
  return field(object, KIND) === 'jinja' && isObject(field(object, 'template'));
}

function findStored(value: JsonValue | undefined, finding: Finding): void {
  findKinds(value, finding);
  if (typeof value === 'string') findInText(value, finding);
}

/** Reads JSON in a text, and in the texts of that JSON. A text that Lictor cannot parse could name any variable. */
function findInText(text: string, finding: Finding): void {
  if (!/__prefect_kind|\\u/.test(text)) return;
  const parsed = parseInner(text, finding);
  if (parsed === undefined) finding.add(readsVariable(null));
  else findStored(parsed, finding);
}

/** Undefined: the text is no JSON, or exceeds the limit for one body. */
export function parseInner(text: string, finding: Finding): JsonValue | undefined {
  finding.innerTextLeft -= text.length;
  const parsed = finding.innerTextLeft < 0 ? undefined : parseStrict(Buffer.from(text, 'utf8'));
  return parsed?.ok === true ? parsed.tree : undefined;
}
