// The query language of an audit: `principal:alice decision:deny`. Terms are ANDed; a word without a key is looked for in all names.
import { nearestName } from '../../../../config/suggest.ts';

/** For each key: the parameter of the API that it stands for. The parameters' own names are keys too. */
export const QUERY_KEYS: Readonly<Record<string, string>> = {
  principal: 'principal',
  for: 'on_behalf_of',
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

/** `key:value` or `key:"a value"`, else a word or `"some words"`. */
const TERM = /(?:([a-z_]+):)?(?:"([^"]*)"|([^\s"]+))/gy;

/** `known`: the parameters that may be keys. The problem quotes nothing of the text. */
export function parseQueryText(text: string, known: readonly string[]): Parsed {
  const parameters: Record<string, string> = {};
  const words: string[] = [];
  let at = 0;
  for (const match of text.matchAll(TERM_OR_BLANK)) {
    at = match.index + match[0].length;
    const [whole, key, quoted, bare] = match;
    if (whole.trim() === '') continue;
    const value = quoted ?? bare ?? '';
    const parameter = key === undefined ? undefined : (QUERY_KEYS[key] ?? known.find((name) => name === key));
    if (parameter === undefined) {
      const near = key === undefined ? undefined : nearestName(key, Object.keys(QUERY_KEYS));
      if (near !== undefined) return { ok: false, problem: `a key is misspelt: did you mean ${near}?` };
      words.push(key === undefined ? value : whole);
      continue;
    }
    if (Object.hasOwn(parameters, parameter)) return { ok: false, problem: `${parameter} is there twice.` };
    parameters[parameter] = value;
  }
  if (at < text.length) return { ok: false, problem: 'a quotation mark is not closed.' };
  return { ok: true, parameters: { ...parameters, ...(words.length > 0 && { text: words.join(' ') }) } };
}

const TERM_OR_BLANK = new RegExp(`\\s+|${TERM.source}`, 'gy');
