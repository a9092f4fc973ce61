// Caches policies in Cedar's JSON form: several analyses read the same trees, and parsing takes longer than all of them.
import { type PolicyToJsonAnswer, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';

export type ToTree = (text: string) => PolicyToJsonAnswer;

/** Parses each text once. Callers must not change an answer. */
export function createTrees(parse: ToTree = policyToJson): ToTree {
  const known = new Map<string, PolicyToJsonAnswer>();
  return (text) => {
    const tree = known.get(text) ?? parse(text);
    known.set(text, tree);
    return tree;
  };
}
