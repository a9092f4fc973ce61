// The query language in the browser: terms as chips, and suggestions for the term at the caret. The gateway reads the whole text itself.

export interface QueryTerm {
  /** Null: a word that is looked for in all names. */
  readonly key: string | null;
  readonly value: string;
  /** Where its text is. */
  readonly start: number;
  readonly end: number;
}

export interface Suggestion {
  /** Replaces the term at the caret. */
  readonly text: string;
  readonly about: string;
}

export interface Words {
  readonly actions: readonly string[];
  readonly reasons: readonly string[];
  readonly principals: readonly string[];
  /** Addresses in the rows that are shown. */
  readonly addresses: readonly string[];
}

interface QueryKey {
  readonly about: string;
  readonly values: (words: Words) => readonly string[];
}

const NONE = (): readonly string[] => [];

/** In the order of the suggestions. */
export const QUERY_KEYS: Readonly<Record<string, QueryKey>> = {
  principal: { about: 'who sent the request', values: ({ principals }) => principals },
  decision: { about: 'allow or deny', values: () => ['deny', 'allow'] },
  action: { about: 'what was asked, flow_runs.* for all of a noun', values: ({ actions }) => withNouns(actions) },
  run: { about: 'a flow run, by id or name', values: NONE },
  object: { about: 'the object of the action, by id or name', values: NONE },
  deployment: { about: 'a deployment, by id or name', values: NONE },
  reason: { about: 'why it was decided so', values: ({ reasons }) => reasons },
  from: { about: 'an address or a network', values: ({ addresses }) => addresses },
  for: { about: 'whom the sender acts for', values: ({ principals }) => principals },
  credential: { about: 'the id of a token, login or session', values: NONE },
  status: { about: 'the answer: 403, or 5xx', values: () => ['4xx', '5xx', '403', '429', '503'] },
  path: { about: 'a path, /api/deployments/* for all below', values: NONE },
  request: { about: 'the X-Request-Id', values: NONE },
  since: { about: 'a time, or how long ago', values: () => ['15m', '1h', '24h', '7d', '30d'] },
  until: { about: 'a time, or how long ago', values: () => ['15m', '1h', '24h', '7d'] },
};

/** Keys that the gateway knows too. They are not suggested. */
const OTHER_KEYS: readonly string[] = ['who', 'user'];

/** The same as in the gateway: `key:value`, `key:"a value"`, else words. */
const TERM = /([a-z_]+):(?=\s|$)|(?:([a-z_]+):)?(?:"([^"]*)"?|([^\s"]+))/g;

export function parseTerms(text: string): readonly QueryTerm[] {
  return [...text.matchAll(TERM)].map((match) => {
    const [whole, open, key = open, quoted, bare] = match;
    const isKnown = key !== undefined && (Object.hasOwn(QUERY_KEYS, key) || OTHER_KEYS.includes(key));
    return { key: isKnown ? key : null, value: isKnown ? (quoted ?? bare ?? '') : whole, start: match.index, end: match.index + whole.length };
  });
}

/** One term as text. A value with blanks stands in quotation marks, which no value may have. */
export function termText(key: string, value: string): string {
  const clean = value.replaceAll('"', '');
  return `${key}:${/\s/.test(clean) || clean === '' ? `"${clean}"` : clean}`;
}

export function withoutTerm(text: string, { start, end }: QueryTerm): string {
  return `${text.slice(0, start)}${text.slice(end)}`.replaceAll(/\s+/g, ' ').trim();
}

/** The text with this value for the key, in the place of the former one. An empty value removes it. */
export function withTerm(text: string, key: string, value: string): string {
  const rest = parseTerms(text)
    .filter((term) => term.key === key)
    .reduceRight(withoutTerm, text);
  return value === '' ? rest : `${rest} ${termText(key, value)}`.trim();
}

/** What is searched: terms without a value are not finished. */
export function finished(text: string): string {
  return parseTerms(text)
    .filter(({ key, value }) => key !== null && value === '')
    .reduceRight(withoutTerm, text.trim());
}

export function valueOfKey(text: string, key: string): string {
  return parseTerms(text).find((term) => term.key === key)?.value ?? '';
}

interface Caret {
  readonly text: string;
  readonly at: number;
}

const MOST = 8;

/** For the term that ends at the caret, or for a new one. */
export function suggestionsAt({ text, at }: Caret, words: Words): readonly Suggestion[] {
  const term = termAt({ text, at });
  const used = new Set(parseTerms(text).map(({ key }) => key));
  if (term?.key == null) {
    const typed = (term?.value ?? '').toLowerCase();
    const keys = Object.entries(QUERY_KEYS).filter(([key]) => key.startsWith(typed) && !used.has(key));
    const people = typed.length < 2 || used.has('principal') ? [] : words.principals.filter((name) => name.toLowerCase().includes(typed));
    return [
      ...keys.map(([key, { about }]) => ({ text: `${key}:`, about })),
      ...people.map((name) => ({ text: termText('principal', name), about: 'who sent the request' })),
    ].slice(0, MOST);
  }
  const { key, value } = term;
  const typed = value.toLowerCase();
  const values = QUERY_KEYS[key]?.values(words) ?? [];
  const near = [...values.filter((each) => each.toLowerCase().startsWith(typed)), ...values.filter((each) => each.toLowerCase().indexOf(typed) > 0)];
  return near
    .filter((each) => each !== value)
    .slice(0, MOST)
    .map((each) => ({ text: termText(key, each), about: '' }));
}

/** The text with the suggestion, and the new place of the caret. After a value comes a blank. */
export function acceptSuggestion({ text, at }: Caret, suggestion: Suggestion): Caret {
  const term = termAt({ text, at });
  const [start, end] = term === undefined ? [at, at] : [term.start, term.end];
  const added = suggestion.text.endsWith(':') ? suggestion.text : `${suggestion.text} `;
  return { text: `${text.slice(0, start)}${added}${text.slice(end).trimStart()}`, at: start + added.length };
}

function termAt({ text, at }: Caret): QueryTerm | undefined {
  return parseTerms(text).find(({ start, end }) => start < at && at <= end);
}

/** `flow_runs.*` before its actions. */
function withNouns(actions: readonly string[]): readonly string[] {
  const nouns = [...new Set(actions.map((action) => `${action.slice(0, action.lastIndexOf('.'))}.*`))];
  return [...nouns, ...actions];
}
