// The query language of an audit: `principal:alice decision:deny`. Terms are ANDed; a word without a key is looked for in all names.
import { nearestName } from '../../../../config/suggest.ts';

/** For each key: the parameter of the API that it stands for. The parameters' own names are keys too. */
export const QUERY_KEYS: Readonly<Record<string, string>> = {
  principal: 'principal',
  for: 'on_behalf_of',
  credential: 'credential_id',
  action: 'action',
  object: 'resource_id',
  run: 'flow_run_id',
  deployment: 'deployment_id',
  from: 'source_ip',
  address: 'source_ip',
  decision: 'decision',
  reason: 'reason',
  status: 'status',
  path: 'path',
  request: 'request_id',
  since: 'since',
  until: 'until',
};

type Parsed = { readonly ok: true; readonly parameters: Readonly<Record<string, string>> } | { readonly ok: false; readonly problem: string };

/** Blanks, `key:value` or `key:"a value"`, else a word or `"some words"`. */
const TERM = /\s+|(?:([a-z_]+):)?(?:"([^"]*)"|([^\s"]+))/gy;

/** `known`: the parameters that may be keys. The problem quotes nothing of the text. */
export function parseQueryText(text: string, known: readonly string[]): Parsed {
  const matches = [...text.matchAll(TERM)];
  if (matches.reduce((length, [whole]) => length + whole.length, 0) < text.length) return { ok: false, problem: 'a quotation mark is not closed.' };
  const terms = matches.filter(([whole]) => whole.trim() !== '').map((match) => readTerm(match, known));
  const misspelt = terms.find(({ near }) => near !== undefined);
  if (misspelt !== undefined) return { ok: false, problem: `a key is misspelt: did you mean ${misspelt.near}?` };
  const words = terms.filter(({ name }) => name === undefined).map(({ value }) => value);
  const named = terms.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value] as const]));
  const twice = named.find(([name], index) => named.findIndex(([other]) => other === name) < index);
  if (twice !== undefined) return { ok: false, problem: `${twice[0]} is there twice.` };
  return { ok: true, parameters: { ...Object.fromEntries(named), ...(words.length > 0 && { text: words.join(' ') }) } };
}

interface Term {
  /** The parameter. Undefined: a word. */
  readonly name: string | undefined;
  readonly value: string;
  /** The key that a misspelt one is like. */
  readonly near?: string | undefined;
}

/** `token:etl` is a word, because there is no key `token`. */
function readTerm([whole, key, quoted, bare]: RegExpExecArray, known: readonly string[]): Term {
  const value = quoted ?? bare ?? '';
  if (key === undefined) return { name: undefined, value };
  const name = Object.hasOwn(QUERY_KEYS, key) ? QUERY_KEYS[key] : known.find((parameter) => parameter === key);
  return name === undefined ? { name, value: whole, near: nearestName(key, Object.keys(QUERY_KEYS)) } : { name, value };
}
