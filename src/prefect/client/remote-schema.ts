// JSON schemas of any author that Prefect validates values against. Servers before 3.7.5 fetch every address in such a schema from inside their
// network (the default of jsonschema; PrefectHQ/prefect#22252).
import { isList, isObject, type JsonValue } from '../../contract/json/tree.ts';

/** Keywords that refer to another schema; `#` means the same document. With an object as its value, `$ref` names a block. */
const REFERENCES: readonly string[] = ['$ref', '$dynamicRef', '$recursiveRef'];

/** A sentence for the client. `where`: the field with the schema. */
export function remoteDetail(where: string): string {
  return `${where} is a schema that leads to another address: a $ref must begin with #, and an $id must be no URL.`;
}

/**
 * True when a reference leads out of the schema, or may: in a part with its own address, `#` is relative to that address. Drafts 3 and 4, which
 * a schema can select, call an address `id`.
 */
export function leadsOut(schema: JsonValue | undefined): boolean {
  const isOld = someText(schema, (key, text) => key === '$schema' && /draft-0[34]/.test(text));
  const isAddress = (key: string): boolean => key === '$id' || (key === 'id' && isOld);
  return someText(schema, (key, text) => (REFERENCES.includes(key) && !text.startsWith('#')) || (isAddress(key) && text.includes(':')));
}

/** Tests every text with its key. */
function someText(tree: JsonValue | undefined, test: (key: string, text: string) => boolean): boolean {
  if (isList(tree)) return tree.some((item) => someText(item, test));
  if (!isObject(tree)) return false;
  return Object.keys(tree).some((key) => {
    const value = tree[key];
    return typeof value === 'string' ? test(key, value) : someText(value, test);
  });
}
