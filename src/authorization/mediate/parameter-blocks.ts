// Blocks that parameters name: a flow loads them as it begins, with the credential of its run, and gets all that is secret in them.
//
// Prefect loads `{"$ref": ...}` at any depth (flows.py `validate_parameters`, blocks/core.py `load_from_ref` of 3.9.1): a text that Python takes
// for a UUID, `{"block_document_id": ID}`, `{"block_document_slug": "TYPE/NAME"}`; in what it has loaded it goes on looking. Any other text, as
// in a JSON schema that is given as data, it takes for a mistake. In `parameter_openapi_schema` a `$ref` names no block, and is not looked at.

import { field, isObject, type JsonObject, type JsonValue, sameTree, walk, withoutKeys } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { collectAsks, type Finding, isKind, KIND, parseInner, readsBlock } from './references.ts';

/** For parameters, and for what may get into some: the value of a variable, the data of a block. */
export function namedBlockAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findNamed(tree, finding));
}

/** For the value of a variable, which may be read as JSON where it is filled in. */
export function storedBlockAsks(value: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findStored(value, finding));
}

function findStored(value: JsonValue | undefined, finding: Finding): void {
  if (typeof value === 'string') findInText(value, finding);
  else findNamed(value, finding);
}

function findNamed(tree: JsonValue | undefined, finding: Finding): void {
  walk(tree, (value) => {
    if (!isObject(value)) return true;
    for (const ask of referenceAsks(value)) finding.add(ask);
    // What `json` makes of a text may be a reference, or have one in it. A template makes text, which is none by itself.
    if (field(value, KIND) === 'json') findMade(field(value, 'value'), finding);
    return true;
  });
}

/** For parameters that are laid over a deployment's own. */
export function newBlockAsks(own: JsonValue | undefined, given: JsonValue | undefined): readonly Ask[] {
  return namedBlockAsks(newParameters(own, given));
}

/** True when what the deployment has of its own says which of the blocks are named anew. */
export function namesBlocks(given: JsonValue | undefined): boolean {
  return namedBlockAsks(given).length > 0;
}

/**
 * Parameters without those that the deployment has itself: the UI repeats them, and whoever may run the deployment gets them by giving none.
 * All of them where one `__prefect_kind` stands for the whole, since what is given is laid over its fields then.
 */
export function newParameters(own: JsonValue | undefined, given: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(own) || !isObject(given) || isKind(own) || isKind(given)) return given;
  return withoutKeys(given, (name) => isRepeated(field(given, name) ?? null, field(own, name)));
}

/** What is filled in or rendered may come out otherwise another time. */
function isRepeated(value: JsonValue, own: JsonValue | undefined): boolean {
  return own !== undefined && sameTree(value, own) && !/\{[{%#]|__prefect_kind|\\u/.test(JSON.stringify(value));
}

function referenceAsks(object: JsonObject): readonly Ask[] {
  const reference = field(object, '$ref');
  if (typeof reference === 'string') return textReference(reference);
  return isObject(reference) ? [objectReference(reference)] : [];
}

/** Of a JSON schema that is given as data: a pointer, a file, an address. No spelling of a UUID has one of these. */
const SCHEMA_REFERENCE = /[#/.]/;

/**
 * An automation renders its texts: what has a template in it may turn out to be any id. What Python takes for a UUID is not told to the letter: all
 * that is not plainly something else may be one.
 */
function textReference(text: string): readonly Ask[] {
  const id = parseUuid(text);
  if (id !== undefined) return [readsBlock(id)];
  return isTemplate(text) || !SCHEMA_REFERENCE.test(text) ? [readsBlock(null)] : [];
}

/** The id comes first, unless it is empty. One `__prefect_kind` may turn out to be any reference. */
function objectReference(reference: JsonObject): Ask {
  if (isKind(reference)) return readsBlock(null);
  const id = field(reference, 'block_document_id');
  if (!isFalsy(id)) return readsBlock(parseUuid(id) ?? null);
  const slug = field(reference, 'block_document_slug');
  if (typeof slug !== 'string' || isTemplate(slug)) return readsBlock(null);
  const [, name = ''] = /^[^/]*\/(.*)$/su.exec(slug) ?? [];
  return readsBlock(name === '' ? null : name, true);
}

/** As Python has it; an object or a list that is empty is no id either way. */
function isFalsy(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === '' || value === false;
}

function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

function findMade(value: JsonValue | undefined, finding: Finding): void {
  if (typeof value === 'string') findInText(value, finding);
  else if (isKind(value) && field(value, KIND) === 'jinja') finding.add(readsBlock(null));
  else if (isKind(value)) findMade(field(value, 'value'), finding);
}

/** What Prefect reads and we do not could be anything. */
function findInText(text: string, finding: Finding): void {
  if (!/\$ref|__prefect_kind|\\u00/i.test(text)) return;
  const parsed = parseInner(text, finding);
  if (parsed === undefined) finding.add(readsBlock(null));
  else findStored(parsed, finding);
}
