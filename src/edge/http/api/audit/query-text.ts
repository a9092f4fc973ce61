// The query language of an audit: `principal:alice decision:deny`. Terms are ANDed; a word without a key is looked for in all names.
import { nearestName } from '../../../../config/suggest.ts';

/** For each key: the parameter of the API that it stands for. The parameters' own names are keys too. */
export const QUERY_KEYS: Readonly<Record<string, string>> = {
  principal: 'principal',
  who: 'principal',
  user: 'principal',
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

/** Words before a colon that are no keys: names of principals and groups, and addresses, have them. */
const IN_NAMES: readonly string[] = ['token', 'agent', 'group', 'session', 'idp', 'http', 'https'];

/** What a person may write for a key. */
const OTHER_NAMES = new Map([
  ...['by', 'name', 'person', 'account', 'caller', 'subject'].map((name) => [name, 'principal'] as const),
  ...['on', 'resource', 'id'].map((name) => [name, 'object'] as const),
  ...['what', 'verb', 'operation'].map((name) => [name, 'action'] as const),
  ...['result', 'outcome'].map((name) => [name, 'decision'] as const),
  ...['ip', 'host'].map((name) => [name, 'from'] as const),
  ...['after', 'time', 'date'].map((name) => [name, 'since'] as const),
  ...[['why', 'reason'] as const, ['flow_run', 'run'] as const, ['before', 'until'] as const, ['code', 'status'] as const, ['url', 'path'] as const],
]);

/** The column of decisions shows these words. */
const DECISIONS = new Map([...['denied', 'refused', 'rejected'].map((word) => [word, 'deny'] as const), ['allowed', 'allow'] as const]);

type Parsed = { readonly ok: true; readonly parameters: Readonly<Record<string, string>> } | { readonly ok: false; readonly problem: string };

/** Blanks, `key:value` or `key:"a value"`, else a word or `"some words"`. */
const TERM = /\s+|(?:([a-z_]+):)?(?:"([^"]*)"|([^\s"]+))/gy;

/** `known`: the parameters that may be keys. The problem quotes only the keys of the text. */
export function parseQueryText(text: string, known: readonly string[]): Parsed {
  const matches = [...text.matchAll(TERM)];
  if (matches.reduce((length, [whole]) => length + whole.length, 0) < text.length) return { ok: false, problem: 'a quotation mark is not closed.' };
  const terms = matches.filter(([whole]) => whole.trim() !== '').map((match) => readTerm(match, known));
  const unknown = terms.find(({ unknownKey }) => unknownKey !== undefined)?.unknownKey;
  if (unknown !== undefined) return { ok: false, problem: unknownKeyWords(unknown) };
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
  readonly unknownKey?: string;
}

const LONGEST_KEY = 20;

/** An unknown key as a word would find nothing, as if there were no such record. */
function unknownKeyWords(key: string): string {
  const near = OTHER_NAMES.get(key) ?? nearestName(key, Object.keys(QUERY_KEYS));
  const meant = near === undefined ? `The keys are ${Object.keys(QUERY_KEYS).join(', ')}.` : `Did you mean ${near}:?`;
  return `${key.slice(0, LONGEST_KEY)}: is not a key. ${meant} To find the text itself, put it in quotation marks.`;
}

/** `token:etl` is a word. So is all that stands in quotation marks. */
function readTerm([whole, key, quoted, bare]: RegExpExecArray, known: readonly string[]): Term {
  const value = quoted ?? bare ?? '';
  const decision = quoted === undefined ? DECISIONS.get(value.toLowerCase()) : undefined;
  if (key === undefined) return decision === undefined ? { name: undefined, value } : { name: 'decision', value: decision };
  const name = Object.hasOwn(QUERY_KEYS, key) ? QUERY_KEYS[key] : known.find((parameter) => parameter === key);
  if (name !== undefined) return { name, value: name === 'decision' ? (decision ?? value) : value };
  return IN_NAMES.includes(key) ? { name, value: whole } : { name, value: whole, unknownKey: key };
}
