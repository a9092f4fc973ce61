// Secrets in text: those that Lictor knows, those of secretlint's rules, and a few shapes more. Each gives way to `[redacted: KIND]`.
import { formsOf, SHORTEST_MASKED } from '../secret-forms.ts';
import { SHAPES } from './shapes.ts';

export interface Redacted {
  readonly text: string;
  readonly redactions: number;
}

export interface Redactor {
  /** All texts of one answer together: a secret may go over their borders. `null`: the name of the value says that it is a secret. */
  redact(texts: readonly (string | null)[]): readonly Redacted[];
}

const NAMED: Redacted = { text: '[redacted: named secret]', redactions: 1 };

interface Range {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

interface Report {
  readonly range: readonly [number, number];
  readonly message: Readonly<Record<string, unknown>>;
}

/** What Lictor uses of a rule of secretlint. */
interface Rule {
  readonly meta: { readonly id: string; readonly type: string };
  create(
    context: { createTranslator: () => (id: string, data?: Readonly<Record<string, unknown>>) => Report['message']; report: (report: Report) => void },
    options: Readonly<Record<string, never>>,
  ): { readonly file?: (source: { readonly content: string; readonly ext: string }) => unknown };
}

type Scanner = (text: string) => readonly Range[];

const BORDER = '\n';

export interface RedactorParts {
  /** Secrets of the configuration. */
  readonly known: readonly string[];
  /** Called with the number of secrets in an answer, if there are any. */
  readonly onRedacted?: (count: number) => void;
}

/** Loads the rules, which costs a process without agents nothing. */
export async function openRedactor({ known, onRedacted }: RedactorParts): Promise<Redactor> {
  const { rules } = (await import('@secretlint/secretlint-rule-preset-recommend')) as unknown as { readonly rules: readonly Rule[] };
  // The author of a text could turn the rules off with secretlint's comments: those are a rule of another type, and not used.
  const scanners = rules.filter(({ meta }) => meta.id !== COMMENTS).map(createScanner);
  const values = [...new Set(known.filter(({ length }) => length >= SHORTEST_MASKED).flatMap((secret) => [...formsOf(secret), ...base64Of(secret)]))];
  return {
    redact(given) {
      const texts = given.map((text) => text ?? '');
      const whole = texts.join(BORDER);
      const replaced = replaceRanges(texts, [
        ...knownRanges(whole, values),
        ...scanners.flatMap((scan) => scan(whole)),
        ...SHAPES.flatMap((shape) => shapeRanges(whole, shape)),
      ]);
      const redacted = replaced.map((each, index) => (given[index] === null ? NAMED : each));
      const count = redacted.reduce((sum, { redactions }) => sum + redactions, 0);
      if (count > 0) onRedacted?.(count);
      return redacted;
    },
  };
}

const COMMENTS = '@secretlint/secretlint-rule-filter-comments';

/** As Basic credentials carry it. */
function base64Of(secret: string): readonly string[] {
  return (['base64', 'base64url'] as const).map((encoding) => Buffer.from(secret).toString(encoding).replace(/=+$/, ''));
}

function knownRanges(text: string, values: readonly string[]): readonly Range[] {
  return values.flatMap((value) => placesOf(text, value).map((start) => ({ start, end: start + value.length, kind: 'lictor configuration' })));
}

function shapeRanges(text: string, { kind, pattern }: (typeof SHAPES)[number]): readonly Range[] {
  return [...text.matchAll(pattern)].map((match) => {
    const secret = match.groups?.['secret'] ?? match[0];
    const start = match.index + match[0].lastIndexOf(secret);
    return { start, end: start + secret.length, kind };
  });
}

/** Some rules report a range that ends inside the secret. So the secrets themselves, which a rule names in its message, go too. */
function createScanner({ meta, create }: Rule): Scanner {
  const kind = meta.id.replace(/^.*rule-/, '');
  let reports: Report[] = [];
  const translate = (_id: string, data = {}) => data;
  const { file } = create({ createTranslator: () => translate, report: (report) => reports.push(report) }, {});
  return (text) => {
    reports = [];
    file?.({ content: text, ext: '' });
    return reports.flatMap(({ range: [start, end], message }) => [
      { start, end, kind },
      ...Object.values(message).flatMap((secret) => {
        const at = typeof secret === 'string' && secret !== '' ? text.indexOf(secret, start) : -1;
        return at < 0 ? [] : [{ start: at, end: at + String(secret).length, kind }];
      }),
    ]);
  };
}

function placesOf(text: string, value: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) places.push(at);
  return places;
}

function replaceRanges(texts: readonly string[], ranges: readonly Range[]): readonly Redacted[] {
  const merged = mergeRanges(ranges);
  let offset = 0;
  let next = 0;
  return texts.map((text) => {
    const end = offset + text.length;
    while ((merged[next]?.end ?? end) <= offset && next < merged.length) next += 1;
    const result = replaceIn(text, offset, merged.slice(next, firstFrom(merged, end, next)));
    offset = end + BORDER.length;
    return result;
  });
}

/** Overlapping ranges become one, with the kind of the first. */
function mergeRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start < last.end) merged[merged.length - 1] = { ...last, end: Math.max(last.end, range.end) };
    else merged.push(range);
  }
  return merged;
}

function firstFrom(ranges: readonly Range[], end: number, from: number): number {
  let index = from;
  while (index < ranges.length && (ranges[index]?.start ?? end) < end) index += 1;
  return index;
}

function replaceIn(text: string, offset: number, ranges: readonly Range[]): Redacted {
  let at = 0;
  let result = '';
  for (const { start, end, kind } of ranges) {
    result += `${text.slice(at, Math.max(at, start - offset))}[redacted: ${kind}]`;
    at = Math.min(text.length, end - offset);
  }
  return { text: result + text.slice(at), redactions: ranges.length };
}
