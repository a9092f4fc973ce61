// JSON schemas that Prefect holds values against, whoever has written them. Its servers before 3.7.5 fetch whatever address one names (what jsonschema
// does where nothing is said of it; PrefectHQ/prefect#22252), from inside their network.
import { isList, isObject, type JsonValue } from '../../contract/json/tree.ts';

/** Keywords that mean another schema: below `#` it is the same document. An object in their place is a block's, and no keyword. */
const REFERENCES: readonly string[] = ['$ref', '$dynamicRef', '$recursiveRef'];

/** For the client, with the field that holds the schema. */
export function remoteDetail(where: string): string {
  return `${where} is a schema that leads to another address: a $ref must begin with #, and an $id must be no URL.`;
}

/**
 * True when a reference leads out of the schema, or may: where a part of it has an address of its own, `#` is below that. Drafts 3 and 4,
 * which a schema can ask for, call an address `id`.
 */
export function leadsOut(schema: JsonValue | undefined): boolean {
  const isOld = someText(schema, (key, text) => key === '$schema' && /draft-0[34]/.test(text));
  const isAddress = (key: string): boolean => key === '$id' || (key === 'id' && isOld);
  return someText(schema, (key, text) => (REFERENCES.includes(key) && !text.startsWith('#')) || (isAddress(key) && text.includes(':')));
}

/** Asks of every text with the key that it stands under. */
function someText(tree: JsonValue | undefined, test: (key: string, text: string) => boolean): boolean {
  if (isList(tree)) return tree.some((item) => someText(item, test));
  if (!isObject(tree)) return false;
  return Object.keys(tree).some((key) => {
    const value = tree[key];
    return typeof value === 'string' ? test(key, value) : someText(value, test);
  });
}
