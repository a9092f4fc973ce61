// Blocks that parameters name: a flow loads them when it begins, with the credential of its run, and gets their secrets.
//
// Prefect loads `{"$ref": ...}` at any depth, also in loaded blocks (flows.py `validate_parameters`, blocks/core.py `load_from_ref` of 3.9.1).
// A reference is a text that Python reads as a UUID, `{"block_document_id": ID}` or `{"block_document_slug": "TYPE/NAME"}`. Any other text, as
// in a JSON schema given as data, is an error there. In `parameter_openapi_schema` a `$ref` names no block, so Lictor does not read it.

import { field, isObject, type JsonObject, type JsonValue, sameTree, walk, withoutKeys } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { collectAsks, type Finding, isKind, isTemplate, KIND, parseInner, readsBlock } from './template-references.ts';

/** For parameters, and for values that may become a part of some: the value of a variable, the data of a block. */
export function namedBlockAsks(tree: JsonValue | undefined): readonly Ask[] {
  return collectAsks((finding) => findNamed(tree, finding));
}

/** For the value of a variable, which Prefect may parse as JSON when it fills it in. */
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
    // The value that `json` parses from a text may be or contain a reference. A template renders only text, which is none.
    if (field(value, KIND) === 'json') findParsed(field(value, 'value'), finding);
    return true;
  });
}

/** For parameters that Prefect merges into a deployment's own. */
export function newBlockAsks(own: JsonValue | undefined, given: JsonValue | undefined): readonly Ask[] {
  return namedBlockAsks(newParameters(own, given));
}

/**
 * The given parameters that differ from the deployment's own. The UI repeats the others, which a run without parameters has as well. All of
 * them if the whole is one `__prefect_kind`, since Prefect then merges them into its fields.
 */
export function newParameters(own: JsonValue | undefined, given: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(own) || !isObject(given) || isKind(own) || isKind(given)) return given;
  return withoutKeys(given, (name) => isRepeated(field(given, name) ?? null, field(own, name)));
}

/** A value that Prefect fills in or renders may differ each time, so it never counts as repeated. */
function isRepeated(value: JsonValue, own: JsonValue | undefined): boolean {
  return own !== undefined && sameTree(value, own) && !/\{[{%#]|__prefect_kind|\\u/.test(JSON.stringify(value));
}

function referenceAsks(object: JsonObject): readonly Ask[] {
  const reference = field(object, '$ref');
  if (typeof reference === 'string') return textReference(reference);
  return isObject(reference) ? [objectReference(reference)] : [];
}

/** A pointer, a file or an address, as in a JSON schema given as data. No spelling of a UUID contains one of these. */
const SCHEMA_REFERENCE = /[#/.]/;

/** An automation may render a template to any id. Python reads more texts as a UUID than Lictor knows, so every unclear text may be one. */
function textReference(text: string): readonly Ask[] {
  const id = parseUuid(text);
  if (id !== undefined) return [readsBlock(id)];
  return isTemplate(text) || !SCHEMA_REFERENCE.test(text) ? [readsBlock(null)] : [];
}

/** Prefect reads the id first, unless it is empty. A `__prefect_kind` may become any reference. */
function objectReference(reference: JsonObject): Ask {
  if (isKind(reference)) return readsBlock(null);
  const id = field(reference, 'block_document_id');
  if (!isFalsy(id)) return readsBlock(parseUuid(id) ?? null);
  const slug = field(reference, 'block_document_slug');
  if (typeof slug !== 'string' || isTemplate(slug)) return readsBlock(null);
  const [, name = ''] = /^[^/]*\/(.*)$/su.exec(slug) ?? [];
  return readsBlock(name === '' ? null : name, true);
}

/** As in Python. An empty object or list is no id in any case. */
function isFalsy(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === '' || value === false;
}

function findParsed(value: JsonValue | undefined, finding: Finding): void {
  if (typeof value === 'string') findInText(value, finding);
  else if (isKind(value) && field(value, KIND) === 'jinja') finding.add(readsBlock(null));
  else if (isKind(value)) findParsed(field(value, 'value'), finding);
}

/** A text that Lictor cannot parse could name any block. */
function findInText(text: string, finding: Finding): void {
  if (!/\$ref|__prefect_kind|\\u00/i.test(text)) return;
  const parsed = parseInner(text, finding);
  if (parsed === undefined) finding.add(readsBlock(null));
  else findStored(parsed, finding);
}
